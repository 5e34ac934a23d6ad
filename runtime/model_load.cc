// Loading of a Model: from the components of a model directory, each part when those before it are
// there.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/connection/connection.h"
#include "backbone/model/backbone.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/safetensors_header.h"
#include "backbone/storage/token_rows.h"
#include "runtime/adapter_records.h"
#include "runtime/memory_budget.h"
#include "runtime/model.h"
#include "runtime/model_components.h"
#include "sdk/base/fresh_weights.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

// Every connection has exactly one record of what it was trained against, every record a
// connection.
absl::Status CheckRecord(const Manifest& manifest, const std::string& file,
                         const std::string& modality) {
  const auto is_of = [&](const auto& item) { return item.modality() == modality; };
  const auto connections = absl::c_count_if(manifest.connection(), is_of);
  const auto records = absl::c_count_if(manifest.adapter(), is_of);
  if (records == connections) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      file, ": adapter: modality \"", modality, "\": expected ", connections,
      connections == 1 ? " record for its connection" : " records, as it has no connection",
      ", got ", records, "; restore the manifest that was written with these files, or write the ",
      "model again with the program that trained it"));
}

// Whether the record's hashes are those of the files in `directory`, by what its adapter file says.
absl::StatusOr<bool> WasFoundHere(const AdapterRecord& record, const ModelDirectory& directory) {
  const std::string id = AdapterComponentId(AdapterId(record));
  if (!directory.HasComponent(id)) return false;
  UNIVAL_ASSIGN_OR_RETURN(const std::string file, directory.ComponentPath(id));
  UNIVAL_ASSIGN_OR_RETURN(const SafetensorsContents contents, ReadSafetensorsFile(file));
  const auto found = contents.metadata.find(kFoundIn);
  if (found == contents.metadata.end()) return false;
  const Manifest& manifest = directory.manifest();
  return found->second == FoundInSha256(record, manifest.vocabulary(),
                                        {manifest.component().begin(), manifest.component().end()});
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> Model::Load(const std::string& directory,
                                                   const Runtime& runtime,
                                                   const ModelLoadOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const OpenedModel opened,
                          OpenedModel::Open(directory, runtime.template_types()));
  return Load(opened, runtime, options);
}

absl::StatusOr<std::unique_ptr<Model>> Model::Load(const OpenedModel& opened,
                                                   const Runtime& runtime,
                                                   const ModelLoadOptions& options) {
  auto model = std::unique_ptr<Model>(new Model);
  model->runtime_ = &runtime;
  model->origin_ = opened.directory();
  model->manifest_ = opened.manifest();
  model->templates_ = opened.templates();
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> wanted, model->Wanted(options));
  UNIVAL_RETURN_IF_ERROR(Annotate(CheckShapes(*model->origin_), model->ManifestPath()));
  model->origin_->CheckAhead(WeightComponents(model->manifest_, wanted));
  UNIVAL_ASSIGN_OR_RETURN(model->tokenizer_directory_,
                          model->origin_->ComponentPath(kTokenizerComponent));
  const TokenizerConfig& tokenizer = model->manifest_.tokenizer();
  UNIVAL_ASSIGN_OR_RETURN(model->tokenizer_,
                          runtime.registry().CreateTokenizer(
                              tokenizer.type(), model->tokenizer_directory_, tokenizer.block()));
  UNIVAL_RETURN_IF_ERROR(Annotate(model->CreateVocabulary(), model->ManifestPath()));
  const MemoryBudget budget(LoadBudget(*model->origin_),
                            "more than its files can fill; restore the manifest of these files");
  {
    const SkipFreshWeights skip_fresh_weights;
    UNIVAL_RETURN_IF_ERROR(model->LoadParts(wanted, options));
  }
  UNIVAL_RETURN_IF_ERROR(model->CheckAdapters(options.allow_adapter_mismatch));
  for (const std::string& file : options.adapter_files) {
    UNIVAL_RETURN_IF_ERROR(model->LoadAdapter(file, options.allow_adapter_mismatch));
  }
  model->SetTraining(false);
  if (options.device != "cpu") UNIVAL_RETURN_IF_ERROR(model->To(options.device));
  return model;
}

std::string Model::ManifestPath() const {
  return absl::StrCat(origin_->path(), "/", kManifestFile);
}

// Ids of the modalities to load.
absl::StatusOr<std::vector<std::string>> Model::Wanted(const ModelLoadOptions& options) const {
  const std::vector<std::string> known = known_modalities();
  if (options.all_modalities) return known;
  for (const std::string& id : options.modalities) {
    if (!absl::c_linear_search(known, id)) {
      return absl::NotFoundError(absl::StrCat("modality \"", id, "\" is not in the model \"",
                                              manifest_.name(),
                                              "\"; it has: ", absl::StrJoin(known, ", ")));
    }
  }
  return options.modalities;
}

// Those for which something else than the stored is asked for.
absl::Status Model::CheckNamedModalities(const ModelLoadOptions& options) const {
  const std::vector<std::string> known = known_modalities();
  const auto check = [&](absl::string_view field, const std::string& id) -> absl::Status {
    if (absl::c_linear_search(known, id)) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat(field, ": modality \"", id, "\" is not in the model \"",
                                            manifest_.name(),
                                            "\"; it has: ", absl::StrJoin(known, ", ")));
  };
  for (const auto& entry : options.input_sizes)
    UNIVAL_RETURN_IF_ERROR(check("input_size", entry.first));
  for (const auto& entry : options.modality_options)
    UNIVAL_RETURN_IF_ERROR(check("modality_options", entry.first));
  return absl::OkStatus();
}

// With the options and the size that are asked for; its weights are those of the file whatever
// these are.
absl::Status Model::LoadModality(const ModelLoadOptions& options, ModalityConfig* config) {
  const auto given = options.modality_options.find(config->id());
  const bool has_options = given != options.modality_options.end();
  if (has_options) {
    for (const auto& [key, value] : given->second) (*config->mutable_options())[key] = value;
  }
  const auto size = options.input_sizes.find(config->id());
  if (size == options.input_sizes.end()) {
    return Annotate(CreateModality(*config), has_options ? "modality_options" : ManifestPath());
  }
  const ModalityConfig stored = *config;
  UNIVAL_RETURN_IF_ERROR(SetInputSize(size->second, config));
  UNIVAL_RETURN_IF_ERROR(Annotate(ExplainFrames(CreateModality(*config), stored, *config),
                                  "input_size of modality \"", config->id(), "\""));
  return CatchTorch(absl::StrCat("modality \"", config->id(), "\""), [&]() -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(const auto before,
                            runtime_->registry().CreateModality(stored, runtime_->services()));
    UNIVAL_ASSIGN_OR_RETURN(resized_[config->id()],
                            CompareInputs(*before, *modalities_.at(config->id())));
    return absl::OkStatus();
  });
}

absl::Status Model::SpreadPositionsOf(const ConnectionConfig& connection) {
  const std::string& id = connection.modality();
  const auto resized = resized_.find(id);
  if (resized == resized_.end()) return absl::OkStatus();
  const int64_t side = manifest_.backbone().image_bucket_size();
  UNIVAL_RETURN_IF_ERROR(Annotate(
      CheckPositions(resized->second, PositionRows(connection, manifest_.backbone()), side),
      "input_size of modality \"", id, "\""));
  // Such a backbone interpolates whenever it is asked.
  if (manifest_.backbone().interpolate_position()) return absl::OkStatus();
  const TensorMap tensors = PartTensors(absl::StrCat("connection.", id));
  return CatchTorch(absl::StrCat("position table of \"", id, "\""),
                    [&] { SpreadPositions(resized->second, side, tensors.at("positions")); });
}

absl::Status Model::LoadParts(const std::vector<std::string>& wanted,
                              const ModelLoadOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckNamedModalities(options));
  UNIVAL_RETURN_IF_ERROR(Annotate(CreateBackbone(), ManifestPath()));
  for (ModalityConfig& config : *manifest_.mutable_modality()) {
    if (!absl::c_linear_search(wanted, config.id())) {
      for (const std::string& id :
           {ModalityComponentId(config.id()), AdapterComponentId(config.id())}) {
        if (origin_->HasComponent(id)) carried_.push_back(id);
      }
      continue;
    }
    UNIVAL_RETURN_IF_ERROR(LoadModality(options, &config));
    if (modalities_[config.id()]->module() != nullptr) {
      UNIVAL_RETURN_IF_ERROR(
          LoadPart(absl::StrCat("modality.", config.id()), ModalityComponentId(config.id())));
    }
  }
  for (ConnectionConfig& config : *manifest_.mutable_connection()) {
    if (!absl::c_linear_search(wanted, config.modality())) continue;
    UNIVAL_RETURN_IF_ERROR(Annotate(CreateConnection(&config), ManifestPath()));
    UNIVAL_RETURN_IF_ERROR(LoadPart(absl::StrCat("connection.", config.modality()),
                                    AdapterComponentId(config.modality())));
    UNIVAL_RETURN_IF_ERROR(SpreadPositionsOf(config));
  }
  UNIVAL_RETURN_IF_ERROR(LoadAdapters(options, wanted));
  return LoadPart("backbone", "backbone");
}

absl::Status Model::LoadPart(const std::string& part, const std::string& component) {
  UNIVAL_ASSIGN_OR_RETURN(TensorMap tensors, origin_->ReadWeights(component));
  UNIVAL_ASSIGN_OR_RETURN(const std::string file, origin_->ComponentPath(component));
  if (part == "backbone") {
    UNIVAL_ASSIGN_OR_RETURN(tensors[kTokenEmbedding], LoadTokenComponents(*origin_));
  }
  return CatchTorch(absl::StrCat("load ", part), [&] {
    return MoveTensorsInto(PartTensors(part), std::move(tensors), component, file,
                           WeightValues::kFinite);
  });
}

absl::StatusOr<std::string> Model::BackboneHash() const {
  return BackboneSha256(PartTensors("backbone"), manifest_.vocabulary());
}

// The files were compared with their hashes when they were read. Where a record was found in the
// same files, its hashes hold, and no tensor is hashed for it.
absl::Status Model::CheckAdapters(bool allow_mismatch) const {
  for (const std::string& id : modality_ids()) {
    UNIVAL_RETURN_IF_ERROR(CheckRecord(manifest_, ManifestPath(), id));
  }
  std::string base_hash;  // empty: not needed so far
  for (const AdapterRecord& record : manifest_.adapter()) {
    const std::string& id = AdapterModality(record);
    const Modality* loaded = modality(id);
    if (loaded == nullptr && !(record.has_config() && id.empty())) continue;
    UNIVAL_ASSIGN_OR_RETURN(const bool holds, WasFoundHere(record, *origin_));
    AdapterRecord expected =
        ExpectedWithoutHashes(record, loaded == nullptr ? nullptr : &loaded->info(), manifest_);
    if (!holds && record.has_config()) {
      UNIVAL_ASSIGN_OR_RETURN(expected, DescribeAdapter(record.config(), &base_hash));
    } else if (!holds) {
      UNIVAL_ASSIGN_OR_RETURN(expected, DescribeConnection(id, &base_hash));
    }
    // The adapter was trained with the size that the directory states.
    const auto resized = resized_.find(id);
    if (resized != resized_.end()) expected.set_feature_schema(resized->second.stored_schema);
    UNIVAL_RETURN_IF_ERROR(CheckAdapter(record, expected, ManifestPath(), {allow_mismatch}));
  }
  return absl::OkStatus();
}

}  // namespace unival
