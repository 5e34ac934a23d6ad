#include "modalities/base/encoded_modality.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "modalities/base/options.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/feature_encoder.h"

namespace unival {
namespace {

// Moves `input` to the device and dtype of the weights.
at::Tensor LikeWeights(const at::Tensor& input, const FeatureEncoder& encoder) {
  const std::vector<at::Tensor> weights = encoder.parameters();
  return weights.empty() ? input : input.to(weights.front().options());
}

// [B, F, t, h, w] frame by frame: positions are those within a frame.
ModalityFeatures VideoFeatures(const at::Tensor& map) {
  ModalityFeatures features = GridFeatures(map.select(2, 0));
  features.values = map.flatten(2).transpose(1, 2);
  features.positions = features.positions.repeat({1, map.size(2), 1});
  return features;
}

// Text of everything on which the result of Preprocess depends.
std::string Fingerprint(const ModalityConfig& config, const std::string& type,
                        const std::vector<int64_t>& input_shape) {
  std::vector<std::string> options;
  for (const auto& [key, value] : config.options()) options.push_back(key + "=" + value);
  std::sort(options.begin(), options.end());
  return absl::StrCat(type, "/1 image{", OneLine(config.image()), "} video{",
                      OneLine(config.video()), "} audio{", OneLine(config.audio()), "} options{",
                      absl::StrJoin(options, ","), "} input{", absl::StrJoin(input_shape, "x"),
                      "}");
}

}  // namespace

absl::StatusOr<EncodedModality::Network> EncodedModality::MakeNetwork(
    const ModalityConfig& config, const EncoderInput& input, const HostServices& services) {
  if (services.media == nullptr || services.make_encoder == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("modality ", config.id(), ": the host gave no decoder or no encoders"));
  }
  Network network;
  UNIVAL_ASSIGN_OR_RETURN(network.encoder, Annotate(services.make_encoder(config.encoder(), input),
                                                    "modality ", config.id()));
  network.input_shape = network.encoder->InputShape(input);
  network.normalizes_input = network.encoder->normalizes_input();
  return network;
}

absl::StatusOr<EncodedModality::Parts> EncodedModality::MakeParts(
    const ModalityConfig& config, Network network, PositionKind positions,
    const std::string& schema_suffix) {
  UNIVAL_ASSIGN_OR_RETURN(
      const std::vector<int64_t> grid,
      Annotate(network.encoder->FeatureGrid(network.input_shape), "modality ", config.id()));
  Parts parts;
  parts.encoder = std::move(network.encoder);
  parts.input_shape = std::move(network.input_shape);
  parts.info.id = config.id();
  parts.info.type = config.type().empty() ? config.id() : config.type();
  parts.info.feature_dim = parts.encoder->feature_dim();
  parts.info.max_positions =
      std::accumulate(grid.begin(), grid.end(), int64_t{1}, std::multiplies<int64_t>());
  parts.grid = grid;
  parts.info.position_kind = positions;
  parts.info.feature_schema = absl::StrCat(parts.encoder->feature_name(), "-", schema_suffix, "/1");
  parts.fingerprint = Fingerprint(config, parts.info.type, parts.input_shape);
  return parts;
}

absl::StatusOr<ModalityFeatures> EncodedModality::Encode(const PreprocessedBatch& batch) {
  return CatchTorch(
      absl::StrCat("modality ", parts_.info.id, ": encode"),
      [&]() -> absl::StatusOr<ModalityFeatures> {
        UNIVAL_ASSIGN_OR_RETURN(const at::Tensor stacked, StackSamples(batch, 0));
        std::vector<int64_t> shape = parts_.input_shape;
        shape.insert(shape.begin(), stacked.size(0));
        const at::Tensor map =
            parts_.encoder->forward(LikeWeights(stacked, *parts_.encoder).reshape(shape));
        if (map.dim() == 5) return VideoFeatures(map);
        return parts_.info.position_kind == PositionKind::kGrid ? GridFeatures(map)
                                                                : SequenceFeatures(map);
      });
}

std::shared_ptr<torch::nn::Module> EncodedModality::module() {
  const bool bare = parts_.encoder->parameters().empty() && parts_.encoder->buffers().empty();
  return bare ? nullptr : parts_.encoder;
}

}  // namespace unival
