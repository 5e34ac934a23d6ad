// The modality "image": RGB pictures, resized to one size and normalised, through a feature
// encoder; grid positions.
//
//   id: "image"
//   image { width: 64 height: 64 normalization { mean: 0.5 ... } }
//   encoder { small_cnn { ... } }
//
// Option augment, of training alone: none (default) | photometric (brightness, contrast) | photo
// (also mirrored and shifted) | rand_augment (rand_augment.h, with options of its own). photo, and
// rand_augment without rand_augment_list light, move things: only where no label speaks of places.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "modalities/base/encoded_modality.h"
#include "modalities/base/options.h"
#include "modalities/builtin_modalities.h"
#include "modalities/image/pixel_normalizer.h"
#include "modalities/image/rand_augment.h"
#include "modalities/image/resize.h"
#include "sdk/base/random.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

constexpr int64_t kMaxSide = 8192;

// Mirrored half of the time, and moved by up to a tenth; uncovered pixels repeat the edge.
std::vector<uint8_t> Move(const uint8_t* pixels, int64_t height, int64_t width,
                          SeededRandom& random) {
  const bool mirror = random.Integer(0, 2) == 1;
  const int64_t down = random.Integer(-height / 10, height / 10 + 1);
  const int64_t right = random.Integer(-width / 10, width / 10 + 1);
  std::vector<uint8_t> moved;
  moved.reserve(height * width * 3);
  for (int64_t row = 0; row < height; ++row) {
    const int64_t y = std::clamp<int64_t>(row - down, 0, height - 1);
    for (int64_t column = 0; column < width; ++column) {
      int64_t x = std::clamp<int64_t>(column - right, 0, width - 1);
      if (mirror) x = width - 1 - x;
      const uint8_t* source = pixels + (y * width + x) * 3;
      moved.insert(moved.end(), source, source + 3);
    }
  }
  return moved;
}

class ImageModality : public EncodedModality {
 public:
  ImageModality(Parts parts, const MediaDecoder* media, PixelNormalizer normalizer,
                const std::string& augment, const absl::optional<RandAugment>& rand_augment)
      : EncodedModality(std::move(parts)),
        media_(media),
        normalizer_(normalizer),
        rand_augment_(rand_augment),
        photometric_(augment == "photometric" || augment == "photo"),
        moving_(augment == "photo") {}

  absl::StatusOr<PreprocessedSample> Preprocess(const RawSample& sample) const override {
    return CatchTorch("preprocess image", [&] { return PreprocessOrThrow(sample); });
  }

 private:
  absl::StatusOr<PreprocessedSample> PreprocessOrThrow(const RawSample& sample) const {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels,
                            media_->DecodeImage(sample.media, PixelFormat::kRgb8));
    const int64_t height = parts().input_shape[1], width = parts().input_shape[2];
    const uint8_t* data = pixels.data_ptr<uint8_t>();
    std::vector<uint8_t> changed;
    if (pixels.size(0) != height || pixels.size(1) != width) {
      changed = ResizeBicubic(absl::MakeConstSpan(data, pixels.numel()),
                              {pixels.size(0), pixels.size(1), 3}, height, width);
      data = changed.data();
    }
    SeededRandom random(sample.seed);
    if (sample.augment && moving_) {
      changed = Move(data, height, width, random);
      data = changed.data();
    }
    if (sample.augment && rand_augment_) {
      if (changed.empty()) changed.assign(data, data + height * width * 3);
      ApplyChanges(rand_augment_->Draw(random), {height, width, 3}, &changed);
      data = changed.data();
    }
    at::Tensor input = at::empty({3, height, width}, at::kFloat);
    normalizer_.Apply(data, height * width, input.data_ptr<float>(), height * width);
    if (sample.augment && photometric_) VaryLight(random, input.numel(), input.data_ptr<float>());
    return PreprocessedSample{{std::move(input)}};
  }

  static void VaryLight(SeededRandom& random, int64_t count, float* values) {
    const auto contrast = static_cast<float>(random.Uniform(0.85, 1.15));
    const auto brightness = static_cast<float>(random.Uniform(-0.15, 0.15));
    for (int64_t i = 0; i < count; ++i) values[i] = values[i] * contrast + brightness;
  }

  const MediaDecoder* media_;
  PixelNormalizer normalizer_;
  absl::optional<RandAugment> rand_augment_;
  bool photometric_, moving_;
};

// InvalidArgument names the field or option that does not fit.
absl::StatusOr<std::unique_ptr<Modality>> CreateImageModality(const ModalityConfig& config,
                                                              const HostServices& services) {
  OptionReader options(config);
  options.Require("image.width", config.image().width(), 1, kMaxSide);
  options.Require("image.height", config.image().height(), 1, kMaxSide);
  const std::string augment =
      options.Choice("augment", "none", {"none", "photometric", "photo", kRandAugment});
  absl::optional<RandAugment> rand_augment;
  if (augment == kRandAugment) rand_augment = RandAugment::Read(&options);
  const MediaDecoder* media = ChooseOrientation(&options, services.media);
  UNIVAL_RETURN_IF_ERROR(options.Finish());
  UNIVAL_ASSIGN_OR_RETURN(
      const PixelNormalizer normalizer,
      PixelNormalizer::Create(config.image().normalization(), "image.normalization"));
  const int64_t height = config.image().height(), width = config.image().width();
  EncoderInput input;
  input.height = height;
  input.width = width;
  UNIVAL_ASSIGN_OR_RETURN(auto network, EncodedModality::MakeNetwork(config, input, services));
  UNIVAL_ASSIGN_OR_RETURN(
      EncodedModality::Parts parts,
      EncodedModality::MakeParts(config, std::move(network), PositionKind::kGrid,
                                 absl::StrCat(width, "x", height)));
  return std::make_unique<ImageModality>(std::move(parts), media, normalizer, augment,
                                         rand_augment);
}

}  // namespace

ModalityFactory ImageModalityFactory() {
  return {"image", "RGB pictures: PNG, JPEG and what else FFmpeg decodes", &CreateImageModality};
}

}  // namespace unival
