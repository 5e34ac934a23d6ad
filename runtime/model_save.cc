// Saving of a Model: which of its tensors go to which component of a model directory, and what its
// manifest says of them.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "backbone/model/backbone.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/token_rows.h"
#include "runtime/half_storage.h"
#include "runtime/model.h"
#include "runtime/model_components.h"
#include "runtime/template_hashes.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

TensorMap Halved(TensorMap tensors) {
  for (auto& [name, tensor] : tensors) {
    if (BecomesHalf(name, tensor)) tensor = tensor.detach().to(at::kHalf);
  }
  return tensors;
}

// Whether the tensors are what they will be when they are stored as float16 and loaded.
bool IsExactInHalf(const std::vector<NamedTensor>& tensors) {
  return absl::c_all_of(tensors, [](const NamedTensor& named) {
    const at::Tensor& tensor = named.tensor;
    return !BecomesHalf(named.name, tensor) ||
           tensor.equal(tensor.to(at::kHalf).to(tensor.scalar_type()));
  });
}

// The file of an adapter, a connection among them, with its record. `exact`: whether the tensors
// that it was found with are stored as they are.
absl::Status WriteAdapter(const Manifest& manifest, const std::string& id, const TensorMap& tensors,
                          bool exact, ModelDirectoryWriter& writer) {
  std::map<std::string, std::string> metadata;
  if (const AdapterRecord* record = FindAdapter(manifest, id); record != nullptr) {
    metadata = AdapterMetadata(*record);
    if (exact)
      metadata[kFoundIn] = FoundInSha256(*record, manifest.vocabulary(), writer.components());
  }
  return writer.AddTensors(AdapterComponentId(id), tensors, metadata);
}

absl::Status WriteTemplates(const StoredTemplates& templates, ModelDirectoryWriter& writer) {
  if (templates.empty()) return absl::OkStatus();
  std::map<std::string, std::string> files;
  for (const auto& [file, stored] : templates) files[file] = stored.text;
  return writer.AddFolder(kTemplatesComponent, files);
}

}  // namespace

absl::StatusOr<Manifest> Model::ManifestToSave(const Lineage& lineage) const {
  Manifest manifest = manifest_;
  manifest.clear_adapter();
  // Of modalities that were not loaded, as they are.
  for (const AdapterRecord& record : manifest_.adapter()) {
    const std::string& id = AdapterModality(record);
    if (!id.empty() && modality(id) == nullptr) *manifest.add_adapter() = record;
  }
  std::string base_hash;  // empty: not needed so far
  for (const ConnectionConfig& connection : manifest_.connection()) {
    if (modality(connection.modality()) == nullptr) continue;
    UNIVAL_ASSIGN_OR_RETURN(*manifest.add_adapter(),
                            DescribeConnection(connection.modality(), &base_hash));
  }
  for (const AdapterRecord& record : manifest_.adapter()) {
    if (!absl::c_linear_search(adapter_ids(), AdapterId(record))) continue;
    UNIVAL_ASSIGN_OR_RETURN(*manifest.add_adapter(), DescribeAdapter(record.config(), &base_hash));
  }
  *manifest.add_lineage() = lineage;
  manifest.set_template_set_hash(StoredTemplatesHash(templates_));
  return manifest;
}

absl::Status Model::Save(const std::string& directory, const Lineage& lineage, bool half) const {
  UNIVAL_ASSIGN_OR_RETURN(const Manifest manifest, ManifestToSave(lineage));
  UNIVAL_ASSIGN_OR_RETURN(auto writer,
                          ModelDirectoryWriter::Create(directory, {/*overwrite=*/true}));
  const auto stored = [half](TensorMap tensors) {
    return half ? Halved(std::move(tensors)) : tensors;
  };
  return CatchTorch(absl::StrCat("save ", directory), [&]() -> absl::Status {
    TensorMap backbone = stored(PartTensors("backbone"));
    UNIVAL_RETURN_IF_ERROR(
        AddTokenComponents(backbone.at(kTokenEmbedding), manifest.vocabulary(), *writer));
    backbone.erase(kTokenEmbedding);
    UNIVAL_RETURN_IF_ERROR(writer->AddTensors("backbone", backbone));
    for (const auto& [id, modality] : modalities_) {
      if (modality->module() != nullptr) {
        UNIVAL_RETURN_IF_ERROR(writer->AddTensors(
            ModalityComponentId(id), stored(PartTensors(absl::StrCat("modality.", id)))));
      }
    }
    const bool exact = !half || IsExactInHalf(State());
    // Connections first: what works on one is bound to its file too.
    for (const std::string& id : modality_ids()) {
      if (!backbone_->HasConnection(id)) continue;
      UNIVAL_RETURN_IF_ERROR(WriteAdapter(
          manifest, id, stored(PartTensors(absl::StrCat("connection.", id))), exact, *writer));
    }
    for (const std::string& id : adapter_ids()) {
      UNIVAL_RETURN_IF_ERROR(WriteAdapter(
          manifest, id, stored(PartTensors(absl::StrCat("adapter.", id))), exact, *writer));
    }
    if (origin_ != nullptr) UNIVAL_RETURN_IF_ERROR(writer->TakeNotices(origin_->path()));
    for (const std::string& id : carried_)
      UNIVAL_RETURN_IF_ERROR(writer->CopyComponent(*origin_, id));
    UNIVAL_RETURN_IF_ERROR(writer->AddFolder(kTokenizerComponent, tokenizer_directory_));
    UNIVAL_RETURN_IF_ERROR(WriteTemplates(templates_, *writer));
    return writer->Commit(manifest);
  });
}

}  // namespace unival
