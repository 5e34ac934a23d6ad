// The modality "video": a few frames of one size through a feature encoder; grid positions within a
// frame.
//
//   id: "video"
//   video { frames: 4 width: 64 height: 64 resize: true sampling: FRAME_SAMPLING_MIDDLE }
//   encoder { small_cnn { widths: 32 widths: 64 } }
//
// Networks for pictures see the frames as channels (in_channels = 3 * frames, filled in when 0), so
// that even they can tell motion; networks for videos get [B, 3, T, H, W].
//
// Option augment, of training alone: none (default) | photometric (one change of light for all
// frames) | rand_augment (rand_augment.h: the same operations for all frames).
#include <ATen/ops/empty.h>

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
#include "modalities/video/frame_selection.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/media_bytes.h"

namespace unival {
namespace {

class VideoModality : public EncodedModality {
 public:
  VideoModality(Parts parts, const MediaDecoder* media, const VideoInput& input,
                PixelNormalizer normalizer, const std::string& augment,
                const absl::optional<RandAugment>& rand_augment)
      : EncodedModality(std::move(parts)),
        media_(media),
        input_(input),
        normalizer_(normalizer),
        rand_augment_(rand_augment),
        photometric_(augment == "photometric") {}

  absl::StatusOr<PreprocessedSample> Preprocess(const RawSample& sample) const override {
    return CatchTorch("preprocess video", [&] { return PreprocessOrThrow(sample); });
  }

 private:
  absl::StatusOr<PreprocessedSample> PreprocessOrThrow(const RawSample& sample) const {
    SeededRandom random(sample.seed);
    bool lacks_rate = false;
    absl::StatusOr<VideoClip> decoded =
        media_->DecodeVideo(sample.media, [&](int64_t count, double frames_per_second) {
          lacks_rate =
              input_.sampling() == FRAME_SAMPLING_FPS && count > 1 && frames_per_second <= 0;
          if (lacks_rate) return std::vector<int64_t>();
          return Select(count, frames_per_second, sample.augment, random);
        });
    if (lacks_rate) return NoRate(sample.media);
    UNIVAL_ASSIGN_OR_RETURN(const VideoClip clip, std::move(decoded));
    const int64_t plane = int64_t{input_.height()} * input_.width();
    at::Tensor values =
        at::empty({3, input_.frames(), input_.height(), input_.width()}, at::kFloat);
    float* out = values.data_ptr<float>();
    const PictureSize size = {clip.frames.size(1), clip.frames.size(2), 3};
    const int64_t frame_bytes = size.height * size.width * 3;
    const std::vector<PictureChange> changes = Changes(sample, random);
    for (int64_t frame = 0; frame < input_.frames(); ++frame) {
      const uint8_t* pixels = clip.frames.data_ptr<uint8_t>() + frame * frame_bytes;
      std::vector<uint8_t> fitted;
      if (size.height != input_.height() || size.width != input_.width()) {
        const absl::Span<const uint8_t> span(pixels, frame_bytes);
        fitted = input_.resize() ? ResizeBicubic(span, size, input_.height(), input_.width())
                                 : CenterCrop(span, size, input_.height(), input_.width());
        pixels = fitted.data();
      }
      if (!changes.empty()) {
        if (fitted.empty()) fitted.assign(pixels, pixels + frame_bytes);
        ApplyChanges(changes, {input_.height(), input_.width(), 3}, &fitted);
        pixels = fitted.data();
      }
      normalizer_.Apply(pixels, plane, out + frame * plane, input_.frames() * plane);
    }
    if (sample.augment && photometric_) ChangeLight(random, values.numel(), out);
    return PreprocessedSample{{std::move(values)}};
  }

  // The same for all frames of a clip.
  std::vector<PictureChange> Changes(const RawSample& sample, SeededRandom& random) const {
    const bool varies = sample.augment && rand_augment_;
    return varies ? rand_augment_->Draw(random) : std::vector<PictureChange>();
  }

  static void ChangeLight(SeededRandom& random, int64_t count, float* values) {
    const auto contrast = static_cast<float>(random.Uniform(0.85, 1.15));
    const auto brightness = static_cast<float>(random.Uniform(-0.15, 0.15));
    for (int64_t i = 0; i < count; ++i) values[i] = values[i] * contrast + brightness;
  }

  // An error, because frames at other times than the wanted ones would be wrong unnoticed.
  static absl::Status NoRate(const MediaSource& media) {
    return MediaError(absl::InvalidArgumentError(absl::StrCat(
        MediaName(media),
        ": expected a video with a frame rate, since video.sampling is FPS; found one that states "
        "none and whose frames have no times. Convert it to MP4, or choose another sampling.")));
  }

  std::vector<int64_t> Select(int64_t count, double frames_per_second, bool training,
                              SeededRandom& random) const {
    if (input_.sampling() == FRAME_SAMPLING_FPS && frames_per_second > 0) {
      return FramesAtRate(count, frames_per_second, input_.fps(), input_.frames());
    }
    if (input_.sampling() == FRAME_SAMPLING_FIRST) return OffsetFrames(count, input_.frames(), 0);
    if (input_.sampling() == FRAME_SAMPLING_RANDOM && training) {
      return RandomFrames(count, input_.frames(), random);
    }
    return MiddleFrames(count, input_.frames());
  }

  const MediaDecoder* media_;
  const VideoInput input_;
  PixelNormalizer normalizer_;
  absl::optional<RandAugment> rand_augment_;
  bool photometric_;
};

// InvalidArgument names the field or option that does not fit.
absl::StatusOr<std::unique_ptr<Modality>> CreateVideoModality(const ModalityConfig& config,
                                                              const HostServices& services) {
  const VideoInput& video = config.video();
  OptionReader options(config);
  options.Require("video.frames", video.frames(), 1, 1024);
  options.Require("video.width", video.width(), 1, 8192);
  options.Require("video.height", video.height(), 1, 8192);
  if (video.sampling() == FRAME_SAMPLING_FPS) {
    options.Check("video.fps", video.fps() > 0, "a positive rate, since video.sampling is FPS");
  }
  const std::string augment =
      options.Choice("augment", "none", {"none", "photometric", kRandAugment});
  absl::optional<RandAugment> rand_augment;
  if (augment == kRandAugment) rand_augment = RandAugment::Read(&options);
  const MediaDecoder* media = ChooseOrientation(&options, services.media);
  UNIVAL_RETURN_IF_ERROR(options.Finish());
  UNIVAL_ASSIGN_OR_RETURN(const PixelNormalizer normalizer,
                          PixelNormalizer::Create(video.normalization(), "video.normalization"));
  EncoderInput input;
  input.kind = EncoderInput::Kind::kFrames;
  input.frames = video.frames();
  input.height = video.height();
  input.width = video.width();
  UNIVAL_ASSIGN_OR_RETURN(auto network, EncodedModality::MakeNetwork(config, input, services));
  UNIVAL_ASSIGN_OR_RETURN(
      EncodedModality::Parts parts,
      EncodedModality::MakeParts(
          config, std::move(network), PositionKind::kGrid,
          absl::StrCat(video.frames(), "x", video.width(), "x", video.height())));
  return std::make_unique<VideoModality>(std::move(parts), media, video, normalizer, augment,
                                         rand_augment);
}

}  // namespace

ModalityFactory VideoModalityFactory() {
  return {"video", "a few frames of a video", &CreateVideoModality};
}

}  // namespace unival
