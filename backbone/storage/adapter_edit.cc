#include "backbone/storage/adapter_edit.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/adapters/adapter_kind.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

absl::StatusOr<AdapterRecord> RequireAdapter(const ModelDirectory& model, const std::string& id) {
  const AdapterRecord* record = FindAdapter(model.manifest(), id);
  if (record != nullptr) return *record;
  std::vector<std::string> ids;
  for (const AdapterRecord& there : model.manifest().adapter()) ids.push_back(AdapterId(there));
  return absl::NotFoundError(
      absl::StrCat(model.path(), ": adapter \"", id, "\": expected one that the model has, ",
                   ids.empty() ? "but it has none" : absl::StrJoin(ids, ", ")));
}

template <typename Items, typename Predicate>
void Erase(Items* items, Predicate is_gone) {
  items->erase(std::remove_if(items->begin(), items->end(), is_gone), items->end());
}

// What works on the connection `id` would be left without it.
absl::Status CheckNothingWorksOn(const std::string& id, const ModelDirectory& model) {
  for (const AdapterRecord& record : model.manifest().adapter()) {
    if (!record.has_config() || record.config().modality() != id) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        model.path(), ": adapter \"", id, "\": expected a connection that nothing ",
        "works on, got adapter \"", record.config().id(), "\"; remove that one first"));
  }
  return absl::OkStatus();
}

absl::Status RemoveFrom(const AdapterRemoval& removal) {
  const std::string& id = removal.adapter;
  UNIVAL_ASSIGN_OR_RETURN(const auto model, ModelDirectory::Open(removal.model));
  UNIVAL_ASSIGN_OR_RETURN(const AdapterRecord record, RequireAdapter(*model, id));
  Manifest manifest = model->manifest();
  std::vector<std::string> gone = {AdapterComponentId(id)};
  if (!record.has_config()) {
    UNIVAL_RETURN_IF_ERROR(CheckNothingWorksOn(id, *model));
    gone.push_back(ModalityComponentId(id));
    Erase(manifest.mutable_modality(), [&](const auto& item) { return item.id() == id; });
    Erase(manifest.mutable_connection(), [&](const auto& item) { return item.modality() == id; });
  }
  for (const auto& replaced : removal.folders) gone.push_back(replaced.first);
  Erase(manifest.mutable_adapter(), [&](const auto& item) { return AdapterId(item) == id; });
  if (removal.template_set_hash) manifest.set_template_set_hash(*removal.template_set_hash);
  manifest.add_lineage()->set_command(absl::StrCat("adapter remove ", id));
  const std::string output = removal.output.empty() ? removal.model : removal.output;
  UNIVAL_ASSIGN_OR_RETURN(
      auto writer, ModelDirectoryWriter::Create(output, {/*overwrite=*/output == removal.model}));
  for (const std::string& component : model->ComponentIds()) {
    if (std::find(gone.begin(), gone.end(), component) != gone.end()) continue;
    UNIVAL_RETURN_IF_ERROR(writer->CopyComponent(*model, component));
  }
  for (const auto& [folder, files] : removal.folders) {
    if (!files.empty()) UNIVAL_RETURN_IF_ERROR(writer->AddFolder(folder, files));
  }
  return writer->Commit(std::move(manifest));
}

// An adapter with its tensors, of a model directory or a file.
struct OpenedAdapter {
  AdapterRecord record;
  TensorMap tensors;
  bool is_held = false;  // by the model directory
};

absl::StatusOr<OpenedAdapter> OpenAdapter(const AdapterMerge& merge, const ModelDirectory& model) {
  OpenedAdapter adapter;
  std::error_code error;
  if (FindAdapter(model.manifest(), merge.adapter) != nullptr ||
      !std::filesystem::is_regular_file(merge.adapter, error)) {
    UNIVAL_ASSIGN_OR_RETURN(adapter.record, RequireAdapter(model, merge.adapter));
    UNIVAL_ASSIGN_OR_RETURN(adapter.tensors,
                            model.ReadComponent(AdapterComponentId(merge.adapter)));
    adapter.is_held = true;
    return adapter;
  }
  UNIVAL_ASSIGN_OR_RETURN(SafetensorsContents contents, ReadSafetensorsFile(merge.adapter));
  UNIVAL_ASSIGN_OR_RETURN(const auto record, AdapterRecordIn(contents.metadata, merge.adapter));
  if (!record.has_value()) {
    return InvalidArgument(merge.adapter,
                           ": expected the file of an adapter that says what it is (",
                           kAdapterRecordKey, " in its metadata), got none");
  }
  adapter.record = *record;
  adapter.tensors = std::move(contents.tensors);
  return adapter;
}

absl::Status CheckBase(const AdapterMerge& merge, const AdapterRecord& record,
                       const Manifest& manifest, const std::string& backbone_sha256) {
  AdapterRecord expected = record;
  expected.set_backbone_sha256(backbone_sha256);
  expected.set_d_model(manifest.backbone().d_model());
  expected.set_vocabulary_sha256(CoreVocabularySha256(manifest.vocabulary()));
  return CheckAdapter(record, expected, absl::StrCat(merge.adapter, " in ", merge.model),
                      {merge.allow_mismatch});
}

absl::Status AddChanges(const WeightChanges& changes, const std::string& file,
                        TensorMap* backbone) {
  for (const auto& [name, change] : changes) {
    const auto found = backbone->find(name);
    if (found == backbone->end() || found->second.sizes() != change.sizes()) {
      return InvalidArgument(
          file, ": changes ", name, " ", ShapeText(change.sizes().vec()),
          ": expected a tensor of the backbone, got ",
          found == backbone->end() ? "none" : ShapeText(found->second.sizes().vec()));
    }
    found->second = (found->second.to(at::kDouble) + change).to(at::kFloat);
  }
  return absl::OkStatus();
}

// The adapters that stay, as they are, with the backbone that they are bound to now.
absl::Status WriteAdapters(const ModelDirectory& model, const Manifest& manifest,
                           ModelDirectoryWriter* writer) {
  // What works on a connection is bound to its file too: connections first.
  for (const bool with_config : {false, true}) {
    for (const AdapterRecord& record : manifest.adapter()) {
      const std::string id = AdapterComponentId(AdapterId(record));
      if (record.has_config() != with_config || !model.HasComponent(id)) continue;
      UNIVAL_ASSIGN_OR_RETURN(const TensorMap tensors, model.ReadComponent(id));
      std::map<std::string, std::string> metadata = AdapterMetadata(record);
      metadata[kFoundIn] = FoundInSha256(record, manifest.vocabulary(), writer->components());
      UNIVAL_RETURN_IF_ERROR(writer->AddTensors(id, tensors, metadata));
    }
  }
  return absl::OkStatus();
}

bool IsAdapterOf(const Manifest& manifest, const std::string& component) {
  for (const AdapterRecord& record : manifest.adapter()) {
    if (component == AdapterComponentId(AdapterId(record))) return true;
  }
  return false;
}

absl::StatusOr<AdapterMergeResult> MergeInto(const AdapterMerge& merge) {
  const at::NoGradGuard no_grad;
  UNIVAL_ASSIGN_OR_RETURN(const auto model, ModelDirectory::Open(merge.model));
  UNIVAL_ASSIGN_OR_RETURN(const OpenedAdapter adapter, OpenAdapter(merge, *model));
  if (!adapter.record.has_config()) {
    return absl::FailedPreconditionError(absl::StrCat(
        merge.adapter, ": expected an adapter of the backbone, got a connection, which ",
        "is a part of the model already"));
  }
  const AdapterConfig& config = adapter.record.config();
  UNIVAL_ASSIGN_OR_RETURN(const std::string parent, BackboneSha256(*model));
  UNIVAL_RETURN_IF_ERROR(CheckBase(merge, adapter.record, model->manifest(), parent));
  UNIVAL_ASSIGN_OR_RETURN(const WeightChanges changes, MergedWeights(config, adapter.tensors));
  UNIVAL_ASSIGN_OR_RETURN(TensorMap backbone, model->ReadComponent("backbone"));
  UNIVAL_RETURN_IF_ERROR(AddChanges(changes, merge.adapter, &backbone));

  UNIVAL_ASSIGN_OR_RETURN(auto writer, ModelDirectoryWriter::Create(merge.output));
  UNIVAL_RETURN_IF_ERROR(writer->AddTensors("backbone", backbone));
  for (const std::string& id : model->ComponentIds()) {
    if (id == "backbone" || IsAdapterOf(model->manifest(), id)) continue;
    UNIVAL_RETURN_IF_ERROR(writer->CopyComponent(*model, id));
  }
  Manifest manifest = model->manifest();
  if (adapter.is_held) {
    Erase(manifest.mutable_adapter(),
          [&](const auto& record) { return AdapterId(record) == config.id(); });
  }
  AdapterMergeResult result{config.id(), config.kind(), static_cast<int64_t>(changes.size()), ""};
  UNIVAL_ASSIGN_OR_RETURN(result.backbone_sha256,
                          BackboneSha256([&](const std::string& id) { return writer->PathOf(id); },
                                         manifest.vocabulary()));
  for (AdapterRecord& record : *manifest.mutable_adapter())
    record.set_backbone_sha256(result.backbone_sha256);
  UNIVAL_RETURN_IF_ERROR(WriteAdapters(*model, manifest, writer.get()));
  Lineage& lineage = *manifest.add_lineage();
  lineage.set_command(absl::StrCat("adapter merge ", config.id()));
  lineage.set_parent_backbone_sha256(parent);
  UNIVAL_RETURN_IF_ERROR(writer->Commit(std::move(manifest)));
  return result;
}

}  // namespace

absl::Status RemoveAdapter(const AdapterRemoval& removal) {
  return CatchTorch(removal.model, [&] { return RemoveFrom(removal); });
}

absl::StatusOr<AdapterMergeResult> MergeAdapter(const AdapterMerge& merge) {
  return CatchTorch(merge.model, [&] { return MergeInto(merge); });
}

}  // namespace unival
