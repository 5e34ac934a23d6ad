#include "upstream/parity/reference_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/model/model_config.h"
#include "backbone/model/reference_names.h"
#include "modalities/audio/log_mel.h"
#include "modalities/networks/networks.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/testing/golden.h"
#include "upstream/fairseq/published_modalities.h"
#include "upstream/parity/fields.h"

namespace unival {
namespace parity {
namespace {

constexpr char kEmbedding[] = "encoder.embed_tokens.weight";
constexpr int64_t kEndOfSentence = 2;
constexpr double kPerturbation = 1;
// Parameters that are kept in memory.
constexpr int64_t kMaxKept = 300'000'000;

// Names and shapes of the state_dict as a checkpoint without values would have them.
TensorViews ViewsOf(const Json& manifest) {
  TensorViews views;
  for (const Json& entry : manifest.at("entries")) {
    TensorView view;
    entry.at("shape").get_to(view.shape);
    views.emplace(entry.at("name").get<std::string>(), std::move(view));
  }
  return views;
}

absl::StatusOr<int64_t> VocabularySize(const Json& config, const Json& arguments) {
  const Json vocabulary = config.value("vocab", Json::object());
  const Json size = vocabulary.value("size", arguments.value("vocab_size", Json()));
  if (size.is_number_integer() && size > 0) return size.get<int64_t>();
  return absl::InvalidArgumentError("vocab.size: expected a positive number of tokens");
}

std::string ReferenceNameOf(const std::string& name) {
  for (const std::string& modality : ReferenceModalities()) {
    for (const ReferenceName& entry : ConnectionNames(modality)) {
      if (entry.name == name) return entry.reference;
    }
  }
  return name;
}

// What a variant changes beside arguments: fewer modalities, other stages, a norm of its own.
bool ApplyOverrides(const Json& overrides, const Json& arguments, PublishedModality* published) {
  PublishedModality& found = *published;
  const std::string& id = found.modality.id();
  if (overrides.contains("modalities")) {
    const Json& kept = overrides.at("modalities");
    if (std::find(kept.begin(), kept.end(), id) == kept.end()) return false;
  }
  if (arguments.value(absl::StrCat("layernorm_", id, "_embedding"), Json(false)) == Json(true)) {
    found.connection.set_layernorm_features(true);
  }
  const Json& blocks = OrNull(overrides, absl::StrCat(id, "_blocks"));
  if (!blocks.is_array() || !found.modality.encoder().has_resnet()) return true;
  ResnetEncoder& network = *found.modality.mutable_encoder()->mutable_resnet();
  network.clear_blocks();
  for (const Json& count : blocks) network.add_blocks(count.get<int>());
  network.mutable_widths()->Truncate(network.blocks_size());
  constexpr int kExpansion = 4;
  found.connection.set_feature_dim(kExpansion * network.widths(network.blocks_size() - 1));
  return true;
}

// Switches that the reference's parser leaves out of a configuration when they are off.
absl::Status CheckOverrides(const Json& overrides, const Json& arguments) {
  static const auto* const kKnown = new std::set<std::string>{"modalities",
                                                              "image_blocks",
                                                              "add_mm_type_embedding",
                                                              "qk_norm",
                                                              "interpolate_position",
                                                              "layernorm_image_embedding",
                                                              "layernorm_video_embedding",
                                                              "layernorm_audio_embedding"};
  for (const auto& item : overrides.items()) {
    if (arguments.contains(item.key()) || kKnown->count(item.key()) > 0) continue;
    return absl::UnimplementedError(
        absl::StrCat("config_overrides: no such argument \"", item.key(), "\""));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReferenceModel>> ReferenceModel::Create(const Fixture& fixture,
                                                                       const ModelSpec& spec) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* config, fixture.Config(spec.config));
  Json arguments = config->at("args");
  UNIVAL_RETURN_IF_ERROR(CheckOverrides(spec.overrides, arguments));
  arguments.update(spec.overrides);
  std::unique_ptr<ReferenceModel> model(new ReferenceModel);
  const absl::Status made = CatchTorch(spec.config, [&]() -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(const BackboneConfig backbone, ReferenceConfig(arguments.dump()));
    UNIVAL_ASSIGN_OR_RETURN(const int64_t vocabulary, VocabularySize(*config, arguments));
    UNIVAL_ASSIGN_OR_RETURN(model->backbone_, Backbone::Create(backbone, vocabulary));
    UNIVAL_RETURN_IF_ERROR(model->AddModalities(fixture, spec, arguments));
    model->Fill(spec.seed);
    return absl::OkStatus();
  });
  if (made.ok()) return model;
  return Annotate(made, fixture.Path(fixture.configs().at(spec.config)));
}

absl::Status ReferenceModel::AddModalities(const Fixture& fixture, const ModelSpec& spec,
                                           const Json& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* manifest, fixture.Manifest(spec.config));
  if (manifest == nullptr) {
    return absl::NotFoundError(
        "no manifest.json beside it; it lists names and shapes of the state_dict, which tell the "
        "networks of the modalities");
  }
  UNIVAL_ASSIGN_OR_RETURN(std::vector<PublishedModality> all,
                          FindModalities(ViewsOf(*manifest), arguments.dump()));
  for (PublishedModality& found : all) {
    if (!ApplyOverrides(spec.overrides, arguments, &found)) continue;
    UNIVAL_RETURN_IF_ERROR(backbone_->AddConnection(found.connection));
    Network& network = networks_[found.modality.id()];
    network.prefix = found.network_prefix;
    UNIVAL_ASSIGN_OR_RETURN(network.network, MakeFeatureEncoder(found.modality.encoder()));
    network.config = std::move(found.modality);
    network.connection = std::move(found.connection);
  }
  return absl::OkStatus();
}

void ReferenceModel::Fill(uint64_t seed) {
  const at::NoGradGuard no_grad;
  for (const NamedTensor& entry : State()) FillTensorByFormula(entry.name, seed, entry.tensor);
  end_of_sentence_ =
      backbone_->module().named_parameters()[kEmbedding].select(0, kEndOfSentence).detach().clone();
  Train(false);
}

std::vector<NamedTensor> ReferenceModel::State() {
  std::vector<NamedTensor> state;
  for (const auto& item : backbone_->module().named_parameters()) {
    state.push_back({ReferenceNameOf(item.key()), item.value(), false});
  }
  for (const auto& [id, network] : networks_) {
    for (const auto& item : network.network->named_parameters()) {
      state.push_back({network.prefix + item.key(), item.value(), false});
    }
    for (const auto& item : network.network->named_buffers()) {
      state.push_back({network.prefix + item.key(), item.value(), true});
    }
  }
  return state;
}

int64_t ReferenceModel::parameter_count() {
  int64_t count = 0;
  for (const NamedTensor& entry : State()) count += entry.is_buffer ? 0 : entry.tensor.numel();
  return count;
}

std::vector<std::string> ReferenceModel::modalities() const {
  std::vector<std::string> ids;
  for (const auto& network : networks_) ids.push_back(network.first);
  return ids;
}

const ModalityConfig& ReferenceModel::config(const std::string& modality) const {
  return FieldOf(networks_, modality, "modality").config;
}

const ConnectionConfig& ReferenceModel::connection_config(const std::string& modality) const {
  return FieldOf(networks_, modality, "modality").connection;
}

const Connection& ReferenceModel::connection(const std::string& modality) const {
  const auto connections = backbone_->module().named_children()["connections"]->named_children();
  return dynamic_cast<const Connection&>(*connections[modality]);
}

at::Tensor ReferenceModel::NetworkInput(const std::string& modality,
                                        const at::Tensor& media) const {
  const ModalityConfig& config = FieldOf(networks_, modality, "modality").config;
  if (!config.has_audio()) return media;
  const auto log_mel =
      LogMelSpectrogram::Create(config.audio().log_mel(), config.audio().sample_rate_hz()).value();
  const at::Tensor waves = media.contiguous();
  const int64_t samples = waves.size(1);
  TORCH_CHECK(samples > config.audio().log_mel().window() / 2, "a clip of ", samples,
              " samples is shorter than half a window of ", config.audio().log_mel().window());
  at::Tensor decibels = at::empty({waves.size(0), 1, log_mel->frames(samples), log_mel->bins()});
  for (int64_t row = 0; row < waves.size(0); ++row) {
    log_mel->Compute({waves[row].data_ptr<float>(), static_cast<size_t>(samples)},
                     decibels[row].data_ptr<float>());
  }
  return decibels;
}

ModalityFeatures ReferenceModel::Features(const std::string& modality, const at::Tensor& media) {
  const at::Tensor map = network(modality).forward(NetworkInput(modality, media));
  if (config(modality).has_audio()) return SequenceFeatures(map);
  if (map.dim() == 4) return GridFeatures(map);
  // Every temporal slice has the same grid positions.
  ModalityFeatures features = GridFeatures(map.select(2, 0));
  features.values = map.flatten(2).transpose(1, 2);
  features.positions = features.positions.repeat({1, map.size(2), 1});
  return features;
}

void ReferenceModel::ScaleEndOfSentence(double scale) {
  const at::NoGradGuard no_grad;
  auto parameters = backbone_->module().named_parameters();
  at::Tensor row = parameters[kEmbedding].select(0, kEndOfSentence);
  if (scale == 0) {
    row.copy_(end_of_sentence_);
  } else {
    row.copy_(parameters["decoder.layer_norm.bias"].mul(static_cast<float>(scale)));
  }
}

absl::Status ReferenceModel::Perturb(const std::string& reference_name, double amount) {
  const at::NoGradGuard no_grad;
  for (const NamedTensor& entry : State()) {
    if (entry.name != reference_name || !entry.tensor.is_floating_point()) continue;
    entry.tensor.view({-1}).slice(0, 0, entry.tensor.numel(), 2).add_(amount);
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("no tensor \"", reference_name, "\""));
}

void ReferenceModel::Train(bool training) {
  backbone_->module().train(training);
  for (const auto& network : networks_) network.second.network->train(training);
}

absl::StatusOr<std::unique_ptr<ReferenceModel>> ReferenceModels::Make(const ModelSpec& spec) {
  UNIVAL_ASSIGN_OR_RETURN(auto model, ReferenceModel::Create(fixture_, spec));
  if (!perturbed_.empty() && model->Perturb(perturbed_, kPerturbation).ok()) perturbed_any_ = true;
  return model;
}

absl::StatusOr<ReferenceModel*> ReferenceModels::Get(const ModelSpec& spec) {
  const std::string key = absl::StrCat(spec.config, " ", spec.overrides.dump(), " ", spec.seed);
  const auto found = models_.find(key);
  if (found != models_.end()) {
    found->second->ScaleEndOfSentence(0);
    return found->second.get();
  }
  int64_t kept = 0;
  for (const auto& model : models_) kept += model.second->parameter_count();
  if (kept > kMaxKept) models_.clear();
  UNIVAL_ASSIGN_OR_RETURN(auto model, Make(spec));
  return models_.emplace(key, std::move(model)).first->second.get();
}

}  // namespace parity
}  // namespace unival
