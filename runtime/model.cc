#include "runtime/model.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "backbone/model/backbone.h"
#include "backbone/storage/safetensors.h"
#include "backbone/vocabulary/layout.h"
#include "backbone/vocabulary/vocabulary.h"
#include "runtime/half_storage.h"
#include "runtime/memory_budget.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

constexpr char kConnections[] = "connections.", kAdapters[] = "adapters.";

// The size that a fresh manifest asks for; blocks of a fresh manifest carry a size and nothing
// else.
int64_t AskedSize(const VocabularyLayout& layout, absl::string_view id) {
  const VocabularyBlock* block = FindBlock(layout, id);
  return block == nullptr ? 0 : BlockSize(*block);
}

void AppendState(const std::string& prefix, torch::nn::Module& module,
                 std::vector<NamedTensor>* state) {
  for (const auto& item : module.named_parameters()) {
    state->push_back({absl::StrCat(prefix, item.key()), item.value(), false});
  }
  for (const auto& item : module.named_buffers()) {
    state->push_back({absl::StrCat(prefix, item.key()), item.value(), true});
  }
}

// Tokenizers are plugins, and open the files of their folder in their own way: what would make them
// wait, such as a named pipe, is refused before.
absl::Status CheckRegularFiles(const std::string& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) continue;
    UNIVAL_RETURN_IF_ERROR(OpenRegularFile(entry->path().string()).status());
  }
  return absl::OkStatus();  // a folder that is not there is the tokenizer's to name
}

// "connections.depth.weight" of the backbone is "connection.depth.weight" of the model, and so with
// adapters.
std::string FullName(const std::string& backbone_name) {
  absl::string_view name = backbone_name;
  if (absl::ConsumePrefix(&name, kConnections)) return absl::StrCat("connection.", name);
  if (absl::ConsumePrefix(&name, kAdapters)) return absl::StrCat("adapter.", name);
  return absl::StrCat("backbone.", name);
}

}  // namespace

Model::~Model() = default;

absl::StatusOr<std::unique_ptr<Model>> Model::CreateFresh(const Manifest& manifest,
                                                          const std::string& tokenizer_directory,
                                                          uint64_t seed, const Runtime& runtime) {
  const MemoryBudget budget(MachineMemory(), "all that this machine has; make the model smaller");
  auto model = std::unique_ptr<Model>(new Model);
  model->runtime_ = &runtime;
  model->manifest_ = manifest;
  model->manifest_.set_format_version(1);
  model->tokenizer_directory_ = tokenizer_directory;
  UNIVAL_RETURN_IF_ERROR(CheckRegularFiles(tokenizer_directory));
  UNIVAL_ASSIGN_OR_RETURN(
      std::unique_ptr<Tokenizer> tokenizer,
      runtime.registry().CreateTokenizer(manifest.tokenizer().type(), tokenizer_directory,
                                         manifest.tokenizer().block()));
  BaseBlocks blocks;
  blocks.text_block = tokenizer->block().id;
  blocks.text_size = tokenizer->block().size;
  blocks.text_hash = tokenizer->block().content_hash;
  blocks.image_codes = AskedSize(manifest.vocabulary(), "core.image_code");
  blocks.location_bins = AskedSize(manifest.vocabulary(), "core.location_bin");
  UNIVAL_ASSIGN_OR_RETURN(*model->manifest_.mutable_vocabulary(), BaseLayout(blocks));
  model->tokenizer_ = std::move(tokenizer);
  UNIVAL_RETURN_IF_ERROR(model->CreateVocabulary());
  at::manual_seed(seed);
  UNIVAL_RETURN_IF_ERROR(model->CreateBackbone());
  for (const ModalityConfig& config : manifest.modality())
    UNIVAL_RETURN_IF_ERROR(model->CreateModality(config));
  for (ConnectionConfig& config : *model->manifest_.mutable_connection()) {
    UNIVAL_RETURN_IF_ERROR(model->CreateConnection(&config));
  }
  for (AdapterRecord& record : *model->manifest_.mutable_adapter()) {
    if (!record.has_config()) continue;
    UNIVAL_ASSIGN_OR_RETURN(*record.mutable_config(), model->CreateAdapter(record.config()));
  }
  model->SetTraining(false);
  return model;
}

absl::Status Model::CreateVocabulary() {
  const std::string& mask = manifest_.tokenizer().mask_token_block();
  UNIVAL_ASSIGN_OR_RETURN(vocabulary_, Vocabulary::Create(manifest_.vocabulary(), tokenizer_,
                                                          mask.empty() ? "core.mask" : mask));
  return absl::OkStatus();
}

absl::Status Model::CreateBackbone() {
  return CatchTorch("backbone", [&]() -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(backbone_, Backbone::Create(manifest_.backbone(), vocabulary_->size()));
    return absl::OkStatus();
  });
}

absl::Status Model::CreateModality(const ModalityConfig& config) {
  if (config.id().empty()) return absl::InvalidArgumentError("modality: id is empty");
  if (modalities_.count(config.id()) > 0) {
    return absl::AlreadyExistsError(
        absl::StrCat("modality \"", config.id(), "\": the model has one of this id"));
  }
  return CatchTorch(absl::StrCat("modality \"", config.id(), "\""), [&]() -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(modalities_[config.id()],
                            runtime_->registry().CreateModality(config, runtime_->services()));
    return absl::OkStatus();
  });
}

absl::Status Model::CreateConnection(ConnectionConfig* config) {
  UNIVAL_ASSIGN_OR_RETURN(Modality * modality, RequireModality(config->modality()));
  const ModalityInfo& info = modality->info();
  if (config->feature_dim() == 0) config->set_feature_dim(info.feature_dim);
  if (config->feature_dim() != info.feature_dim) {
    return absl::FailedPreconditionError(absl::StrCat(
        "connection of modality \"", info.id, "\": feature_dim: expected ", info.feature_dim, " (",
        info.feature_schema, "), got ", config->feature_dim()));
  }
  if (config->position_rows() == 0) {
    const int64_t side = manifest_.backbone().image_bucket_size();
    config->set_position_rows(side * side + 1);
  }
  return CatchTorch(absl::StrCat("connection of modality \"", info.id, "\""),
                    [&] { return backbone_->AddConnection(*config); });
}

void Model::AddTemplates(const std::string& file_name, SharedTemplateSet set) {
  std::string text = TemplateSetText(*set);
  templates_.insert_or_assign(file_name, StoredTemplateSet{std::move(text), std::move(set)});
}

Modality* Model::modality(const std::string& id) const {
  auto found = modalities_.find(id);
  return found == modalities_.end() ? nullptr : found->second.get();
}

std::vector<std::string> Model::modality_ids() const {
  std::vector<std::string> ids;
  for (const auto& entry : modalities_) ids.push_back(entry.first);
  return ids;
}

std::vector<std::string> Model::known_modalities() const {
  std::vector<std::string> ids;
  for (const ModalityConfig& config : manifest_.modality()) ids.push_back(config.id());
  return ids;
}

absl::StatusOr<Modality*> Model::RequireModality(const std::string& id) const {
  if (Modality* found = modality(id)) return found;
  for (const ModalityConfig& config : manifest_.modality()) {
    if (config.id() == id) {
      return absl::FailedPreconditionError(
          absl::StrCat("modality \"", id, "\" is in the model \"", manifest_.name(),
                       "\" but was not loaded; loaded: ", absl::StrJoin(modality_ids(), ", "),
                       ". Ask for it when loading."));
    }
  }
  return absl::NotFoundError(absl::StrCat("modality \"", id, "\" is not in the model \"",
                                          manifest_.name(),
                                          "\"; it has: ", absl::StrJoin(known_modalities(), ", "),
                                          ". Add it with a plan's new_modality."));
}

std::vector<NamedTensor> Model::State() const {
  std::vector<NamedTensor> state, raw;
  AppendState("", backbone_->module(), &raw);
  for (NamedTensor& named : raw) {
    named.name = FullName(named.name);
    state.push_back(std::move(named));
  }
  for (const auto& [id, modality] : modalities_) {
    if (auto module = modality->module())
      AppendState(absl::StrCat("modality.", id, "."), *module, &state);
  }
  std::sort(state.begin(), state.end(),
            [](const NamedTensor& a, const NamedTensor& b) { return a.name < b.name; });
  return state;
}

std::map<std::string, at::Tensor> Model::PartTensors(const std::string& part) const {
  std::map<std::string, at::Tensor> tensors;
  const std::string prefix = absl::StrCat(part, ".");
  for (const NamedTensor& named : State()) {
    if (absl::StartsWith(named.name, prefix))
      tensors[named.name.substr(prefix.size())] = named.tensor;
  }
  return tensors;
}

absl::StatusOr<std::string> Model::PartHash(const std::string& part) const {
  return CatchTorch(absl::StrCat("hash of ", part),
                    [&] { return TensorsSha256(PartTensors(part)); });
}

void Model::SetTraining(bool training) {
  backbone_->module().train(training);
  for (const auto& entry : modalities_) {
    if (auto module = entry.second->module()) module->train(training);
  }
}

void Model::RoundToHalf() {
  at::NoGradGuard no_grad;
  for (const NamedTensor& named : State()) {
    if (BecomesHalf(named.name, named.tensor))
      named.tensor.copy_(named.tensor.to(at::kHalf).to(named.tensor.scalar_type()));
  }
}

absl::Status Model::To(const std::string& device) {
  return CatchTorch(absl::StrCat("device \"", device, "\""), [&] {
    device_ = at::Device(device);
    backbone_->module().to(device_);
    for (const auto& entry : modalities_) {
      if (auto module = entry.second->module()) module->to(device_);
    }
  });
}

}  // namespace unival
