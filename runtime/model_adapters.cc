// Adapters of a Model: added, read from files, taken away, and described by what they are bound to.

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "backbone/adapters/adapter_config.h"
#include "backbone/adapters/adapter_kind.h"
#include "backbone/model/backbone.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "runtime/adapter_records.h"
#include "runtime/memory_budget.h"
#include "runtime/model.h"
#include "runtime/template_hashes.h"
#include "sdk/base/fresh_weights.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

void DescribeFeatures(const ModalityInfo& info, AdapterRecord* record) {
  record->set_plugin(info.type);
  record->set_feature_schema(info.feature_schema);
  record->set_feature_dim(info.feature_dim);
}

}  // namespace

AdapterRecord ExpectedWithoutHashes(const AdapterRecord& recorded, const ModalityInfo* info,
                                    const Manifest& manifest) {
  AdapterRecord expected = recorded;
  expected.clear_plugin();
  expected.clear_feature_schema();
  expected.clear_feature_dim();
  if (info != nullptr) DescribeFeatures(*info, &expected);
  expected.set_d_model(manifest.backbone().d_model());
  expected.set_schema_version(kAdapterSchemaVersion);
  expected.set_vocabulary_sha256(CoreVocabularySha256(manifest.vocabulary()));
  return expected;
}

absl::StatusOr<AdapterConfig> Model::CreateAdapter(const AdapterConfig& config) {
  UNIVAL_ASSIGN_OR_RETURN(const AdapterConfig full,
                          CompleteAdapterConfig(config, manifest_.backbone()));
  if (absl::c_linear_search(known_modalities(), full.id())) {
    return FieldError("id", "one that no modality of the model has",
                      absl::StrCat("\"", full.id(), "\""), "give the adapter an id of its own");
  }
  UNIVAL_RETURN_IF_ERROR(CatchTorch(absl::StrCat("adapter \"", full.id(), "\""),
                                    [&] { return backbone_->AddAdapter(full); }));
  return full;
}

absl::Status Model::AddAdapter(const AdapterConfig& config, uint64_t seed) {
  const MemoryBudget budget(MachineMemory(), "all that this machine has; make it smaller");
  at::manual_seed(seed);
  if (FindAdapter(manifest_, AdapterIdOf(config)) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat(
        "id: the model \"", manifest_.name(), "\" has an adapter \"", AdapterIdOf(config),
        "\"; give this one another id, or train that one on by naming it in trainable"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const AdapterConfig full, CreateAdapter(config));
  *manifest_.add_adapter()->mutable_config() = full;
  return absl::OkStatus();
}

absl::Status Model::RemoveAdapter(const std::string& id) {
  UNIVAL_RETURN_IF_ERROR(backbone_->RemoveAdapter(id));
  auto& records = *manifest_.mutable_adapter();
  records.erase(std::remove_if(records.begin(), records.end(),
                               [&](const AdapterRecord& record) {
                                 return record.has_config() && record.config().id() == id;
                               }),
                records.end());
  return absl::OkStatus();
}

std::vector<std::string> Model::adapter_ids() const { return backbone_->adapter_ids(); }

// Those of modalities that are not loaded are carried, those that are not wanted are left out.
absl::Status Model::LoadAdapters(const ModelLoadOptions& options,
                                 const std::vector<std::string>& wanted) {
  const Manifest recorded = manifest_;
  const auto left_out = [&](const std::string& id) {
    return absl::c_linear_search(options.without_adapters, id) ||
           absl::c_linear_search(options.without_adapters, "all");
  };
  for (const std::string& id : options.without_adapters) {
    const AdapterRecord* record = FindAdapter(recorded, id);
    if (id == "all" || (record != nullptr && record->has_config())) continue;
    return absl::NotFoundError(absl::StrCat(ManifestPath(), ": adapter \"", id,
                                            "\": expected one that the model has beside its ",
                                            "connections; `unival adapter list` shows them"));
  }
  manifest_.clear_adapter();
  for (const AdapterRecord& record : recorded.adapter()) {
    if (!record.has_config()) {
      *manifest_.add_adapter() = record;
      continue;
    }
    const std::string& id = record.config().id();
    const std::string component = AdapterComponentId(id), &modality = record.config().modality();
    if (left_out(id)) continue;
    *manifest_.add_adapter() = record;
    if (!modality.empty() && !absl::c_linear_search(wanted, modality)) {
      carried_.push_back(component);
      continue;
    }
    UNIVAL_RETURN_IF_ERROR(Annotate(CreateAdapter(record.config()).status(), ManifestPath(),
                                    ": adapter \"", id, "\""));
    UNIVAL_RETURN_IF_ERROR(LoadPart(absl::StrCat("adapter.", id), component));
  }
  return absl::OkStatus();
}

absl::Status Model::LoadAdapter(const std::string& file, bool allow_mismatch) {
  UNIVAL_ASSIGN_OR_RETURN(const SafetensorsContents contents, ReadSafetensorsFile(file));
  UNIVAL_ASSIGN_OR_RETURN(const auto record, AdapterRecordIn(contents.metadata, file));
  if (!record.has_value() || !record->has_config()) {
    return InvalidArgument(
        file, ": expected the file of an adapter that says what it is (", kAdapterRecordKey,
        " in its metadata), got ",
        record.has_value() ? "a connection; `unival adapter copy` takes it over with its modality"
                           : "none; take it from the model directory that a run wrote");
  }
  const std::string& id = record->config().id();
  if (FindAdapter(manifest_, id) != nullptr) {
    return absl::AlreadyExistsError(
        absl::StrCat(file, ": the model \"", manifest_.name(), "\" has an adapter \"", id,
                     "\" already; leave that one out with --without_adapter ", id));
  }
  const std::string& modality = record->config().modality();
  if (!modality.empty()) {
    UNIVAL_RETURN_IF_ERROR(Annotate(RequireModality(modality).status(), file));
  }
  std::string base_hash;
  UNIVAL_ASSIGN_OR_RETURN(const AdapterRecord expected,
                          DescribeAdapter(record->config(), &base_hash));
  UNIVAL_RETURN_IF_ERROR(CheckAdapter(*record, expected, file, {allow_mismatch}));
  {
    const SkipFreshWeights skip_fresh_weights;
    UNIVAL_RETURN_IF_ERROR(Annotate(CreateAdapter(record->config()).status(), file));
  }
  const absl::Status loaded = CatchTorch(absl::StrCat("load ", file), [&] {
    return LoadTensorsInto(PartTensors(absl::StrCat("adapter.", id)), contents.tensors,
                           AdapterComponentId(id), file);
  });
  if (!loaded.ok()) {
    UNIVAL_RETURN_IF_ERROR(backbone_->RemoveAdapter(id));
    return loaded;
  }
  *manifest_.add_adapter() = *record;
  return absl::OkStatus();
}

absl::Status Model::DescribeBase(AdapterRecord* record, std::string* base_hash) const {
  if (base_hash->empty()) {
    UNIVAL_ASSIGN_OR_RETURN(*base_hash, BackboneHash());
  }
  record->set_backbone_sha256(*base_hash);
  record->set_d_model(manifest_.backbone().d_model());
  record->set_schema_version(kAdapterSchemaVersion);
  record->set_vocabulary_sha256(CoreVocabularySha256(manifest_.vocabulary()));
  record->set_template_set_hash(StoredTemplatesHash(templates_));
  const std::string& id = AdapterModality(*record);
  if (id.empty()) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(Modality * modality, RequireModality(id));
  DescribeFeatures(modality->info(), record);
  if (modality->module() == nullptr) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(*record->mutable_encoder_sha256(),
                          PartHash(absl::StrCat("modality.", id)));
  return absl::OkStatus();
}

absl::StatusOr<AdapterRecord> Model::DescribeConnection(const std::string& modality,
                                                        std::string* base_hash) const {
  AdapterRecord record;
  record.set_modality(modality);
  UNIVAL_RETURN_IF_ERROR(DescribeBase(&record, base_hash));
  return record;
}

absl::StatusOr<AdapterRecord> Model::DescribeAdapter(const AdapterConfig& config,
                                                     std::string* base_hash) const {
  AdapterRecord record;
  *record.mutable_config() = config;
  UNIVAL_RETURN_IF_ERROR(DescribeBase(&record, base_hash));
  if (config.modality().empty()) return record;
  UNIVAL_ASSIGN_OR_RETURN(*record.mutable_connection_sha256(),
                          PartHash(absl::StrCat("connection.", config.modality())));
  return record;
}

}  // namespace unival
