#include "upstream/fairseq/published_modalities.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/model/reference_names.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using Json = nlohmann::json;

// Constants of the published scripts.
constexpr float kMean = 0.5f, kStd = 0.5f;
constexpr int kImagePixels = 384, kFramePixels = 224, kFrames = 8;
constexpr int kSampleRate = 48000, kMaxSamples = 480000;
constexpr int kWindow = 1024, kHop = 200;
constexpr float kMinHz = 50, kMaxHz = 14000;

int Argument(const Json& arguments, const char* name, int absent) {
  const auto found = arguments.find(name);
  const bool valid = found != arguments.end() && found->is_number_integer();
  return valid && *found > 0 && *found <= INT32_MAX ? found->get<int>() : absent;
}

// Sizes of tensors under a prefix; remembers the first that is missing.
class Shapes {
 public:
  Shapes(const TensorViews& tensors, std::string prefix)
      : tensors_(tensors), prefix_(std::move(prefix)) {}

  bool Has(const std::string& name) const { return tensors_.count(prefix_ + name) > 0; }
  int64_t Size(const std::string& name, size_t axis) {
    const auto found = tensors_.find(prefix_ + name);
    if (found != tensors_.end() && found->second.shape.size() > axis) {
      return found->second.shape[axis];
    }
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(
          absl::StrCat("tensor \"", prefix_, name, "\" is missing or has fewer than ", axis + 1,
                       " axes; the network cannot be told without it"));
    }
    return 0;
  }
  // Blocks of each stage "layer1", "layer2", …
  std::vector<int> Stages() const {
    std::vector<int> stages;
    for (int stage = 1; Has(Block(stage, 0)); ++stage) {
      int blocks = 1;
      while (Has(Block(stage, blocks))) ++blocks;
      stages.push_back(blocks);
    }
    return stages;
  }
  static std::string Block(int stage, int block, const char* convolution = "conv1") {
    return absl::StrCat("layer", stage, ".", block, ".", convolution, ".weight");
  }
  const absl::Status& status() const { return status_; }

 private:
  const TensorViews& tensors_;
  const std::string prefix_;
  absl::Status status_;
};

void SetNormalization(Normalization* normalization) {
  for (int channel = 0; channel < 3; ++channel) {
    normalization->add_mean(kMean);
    normalization->add_std(kStd);
  }
}

// The original reads pictures and videos as they are stored, whatever orientation they state.
void KeepStoredOrientation(ModalityConfig* config) {
  (*config->mutable_options())["orientation"] = "stored";
}

void DescribeImages(const Json& arguments, Shapes& shapes, ModalityConfig* config) {
  const int pixels = Argument(arguments, "patch_image_size", kImagePixels);
  config->mutable_image()->set_width(pixels);
  config->mutable_image()->set_height(pixels);
  KeepStoredOrientation(config);
  SetNormalization(config->mutable_image()->mutable_normalization());
  ResnetEncoder& network = *config->mutable_encoder()->mutable_resnet();
  network.set_stem_width(shapes.Size("conv1.weight", 0));
  const std::vector<int> stages = shapes.Stages();
  for (size_t i = 0; i < stages.size(); ++i) {
    network.add_blocks(stages[i]);
    network.add_widths(shapes.Size(Shapes::Block(i + 1, 0), 0));
  }
}

void DescribeVideos(const Json& arguments, Shapes& shapes, ModalityConfig* config) {
  KeepStoredOrientation(config);
  VideoInput& input = *config->mutable_video();
  const int pixels = Argument(arguments, "patch_frame_size", kFramePixels);
  input.set_frames(Argument(arguments, "num_frames", kFrames));
  input.set_width(pixels);
  input.set_height(pixels);
  input.set_sampling(FRAME_SAMPLING_MIDDLE);
  SetNormalization(input.mutable_normalization());
  Resnext3dEncoder& network = *config->mutable_encoder()->mutable_resnext3d();
  for (int blocks : shapes.Stages()) network.add_blocks(blocks);
  const std::string grouped = Shapes::Block(1, 0, "conv2");
  const int64_t channels = shapes.Size(grouped, 0), group = shapes.Size(grouped, 1);
  network.set_cardinality(group > 0 ? channels / group : 0);
}

void DescribeAudio(const Json& arguments, Shapes& shapes, ModalityConfig* config) {
  AudioInput& input = *config->mutable_audio();
  input.set_sample_rate_hz(kSampleRate);
  input.set_max_samples(kMaxSamples);
  input.set_pad_to_max(true);
  LogMel& mel = *input.mutable_log_mel();
  mel.set_window(kWindow);
  mel.set_hop(Argument(arguments, "hop_size", kHop));
  mel.set_mel_bins(shapes.Size("bn0.weight", 0));
  mel.set_min_hz(kMinHz);
  mel.set_max_hz(kMaxHz);
  PannEncoder& network = *config->mutable_encoder()->mutable_pann();
  network.set_layers(shapes.Has("conv_block6.conv1.weight") ? 14 : 6);
  network.set_sample_rate_hz(kSampleRate);
  *network.mutable_front_end() = mel;
}

int ImageFeatures(const ModalityConfig& config) {
  constexpr int kExpansion = 4;
  const ResnetEncoder& network = config.encoder().resnet();
  return network.widths_size() == 0 ? 0 : kExpansion * network.widths(network.widths_size() - 1);
}

int VideoFeatures(const ModalityConfig&) { return 2048; }

int AudioFeatures(const ModalityConfig& config) {
  return config.encoder().pann().layers() == 14 ? 2048 : 512;
}

// The mel filters stay those of the checkpoint that a network started from, whatever the rate of
// the clips that it is trained on.
std::vector<ModalityConfig> OtherFilterRates(const ModalityConfig& config) {
  std::vector<ModalityConfig> others;
  for (const int rate : {32000, 44100, 22050, 16000}) {
    if (2 * config.audio().log_mel().max_hz() > static_cast<float>(rate)) continue;
    ModalityConfig& other = others.emplace_back(config);
    (*other.mutable_options())["filter_rate"] = std::to_string(rate);
  }
  return others;
}

std::vector<ModalityConfig> NoOthers(const ModalityConfig&) { return {}; }

struct Builder {
  const char* modality;
  void (*describe)(const Json& arguments, Shapes& shapes, ModalityConfig* config);
  int (*features)(const ModalityConfig& config);
  std::vector<std::string> classifier;
  std::vector<std::string> constants;
  std::vector<ModalityConfig> (*alternatives)(const ModalityConfig& config);
};

const std::vector<Builder>& Builders() {
  static const auto* const kBuilders = new std::vector<Builder>{
      {"image", &DescribeImages, &ImageFeatures, {"fc."}, {}, &NoOthers},
      {"video", &DescribeVideos, &VideoFeatures, {"fc."}, {}, &NoOthers},
      {"audio",
       &DescribeAudio,
       &AudioFeatures,
       {"fc1.", "fc_audioset."},
       {"logmel_extractor.melW", "spectrogram_extractor.stft.conv_real.weight",
        "spectrogram_extractor.stft.conv_imag.weight"},
       &OtherFilterRates},
  };
  return *kBuilders;
}

bool AnyUnder(const TensorViews& tensors, const std::string& prefix) {
  const auto found = tensors.lower_bound(prefix);
  return found != tensors.end() && absl::StartsWith(found->first, prefix);
}

// Per modality rows follow the text's in the order of the builders.
int TypeRow(const Json& arguments, int index) {
  return arguments.value("add_mm_type_embedding", Json(false)) == Json(true) ? index + 1 : 1;
}

absl::StatusOr<PublishedModality> Describe(const Builder& builder, const TensorViews& tensors,
                                           const Json& arguments) {
  PublishedModality found;
  found.network_prefix = absl::StrCat("encoder.", ReferenceEncoderPrefix(builder.modality), ".");
  found.classifier = builder.classifier;
  found.modality.set_id(builder.modality);
  Shapes network(tensors, found.network_prefix), whole(tensors, "");
  builder.describe(arguments, network, &found.modality);
  const std::vector<ReferenceName> names = ConnectionNames(builder.modality);
  found.connection.set_modality(builder.modality);
  found.constants = builder.constants;
  found.alternatives = builder.alternatives(found.modality);
  found.connection.set_feature_dim(whole.Has(names[0].reference)
                                       ? whole.Size(names[0].reference, 1)
                                       : builder.features(found.modality));
  if (whole.Has(names[2].reference)) {
    found.connection.set_position_rows(whole.Size(names[2].reference, 0));
  }
  found.connection.set_layernorm_features(whole.Has(names[3].reference));
  UNIVAL_RETURN_IF_ERROR(network.status());
  UNIVAL_RETURN_IF_ERROR(whole.status());
  return found;
}

}  // namespace

absl::StatusOr<std::vector<PublishedModality>> FindModalities(const TensorViews& tensors,
                                                              absl::string_view text) {
  UNIVAL_ASSIGN_OR_RETURN(const Json arguments, Annotate(ParseJson<Json>(text), "arguments"));
  if (!arguments.is_object()) return absl::InvalidArgumentError("arguments: not a JSON object");
  std::vector<PublishedModality> modalities;
  int index = 0;
  for (const Builder& builder : Builders()) {
    const int row = TypeRow(arguments, index++);
    const std::string network =
        absl::StrCat("encoder.", ReferenceEncoderPrefix(builder.modality), ".");
    const std::string projection = ConnectionNames(builder.modality)[0].reference;
    if (!AnyUnder(tensors, network) && tensors.count(projection) == 0) continue;
    UNIVAL_ASSIGN_OR_RETURN(PublishedModality found, Describe(builder, tensors, arguments));
    found.connection.set_shared_type_row(row);
    modalities.push_back(std::move(found));
  }
  return modalities;
}

}  // namespace unival
