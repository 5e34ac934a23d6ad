// Files "preprocess_image", "preprocess_video" and "preprocess_audio": from media to what networks
// see.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "modalities/audio/waveform.h"
#include "modalities/image/resize.h"
#include "modalities/video/frame_selection.h"
#include "sdk/base/status_macros.h"
#include "upstream/parity/fields.h"
#include "upstream/parity/published_tasks.h"
#include "upstream/parity/replay.h"

namespace unival {
namespace parity {
namespace {

constexpr char kPreprocessStage[] = "preprocess";
constexpr Tolerance kNormalized = {1e-6, 0};

absl::Span<const uint8_t> Bytes(const at::Tensor& tensor) {
  return {tensor.data_ptr<uint8_t>(), static_cast<size_t>(tensor.numel())};
}

at::Tensor PixelTensor(const std::vector<uint8_t>& pixels, const std::vector<int64_t>& shape) {
  return at::from_blob(const_cast<uint8_t*>(pixels.data()), shape, at::kByte).clone();
}

std::vector<float> Floats(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

// Case names of "NAME/FIELD" tensors, in order.
std::set<std::string> CaseNames(const TensorMap& tensors) {
  std::set<std::string> names;
  for (const auto& item : tensors) names.insert(item.first.substr(0, item.first.rfind('/')));
  return names;
}

class ImageCase {
 public:
  ImageCase(ReplayContext& context, const TensorMap& golden, std::string file, Checker& check)
      : context_(context), golden_(golden), file_(std::move(file)), check_(check) {}

  absl::Status Run() {
    for (const auto& [name, expected] : golden_) {
      absl::string_view field = name;
      if (!absl::ConsumePrefix(&field, file_ + "/")) continue;
      UNIVAL_RETURN_IF_ERROR(CheckField(std::string(field), expected));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status CheckField(const std::string& field, const at::Tensor& expected) {
    const std::vector<std::string> parts = absl::StrSplit(field, '_');
    if (field == "decoded_rgb_u8") return CheckDecoded(expected);
    if (parts.front() == "bicubic") return CheckResized(field, expected);
    int size = 0;
    if (!absl::SimpleAtoi(parts.back(), &size)) {
      return absl::UnimplementedError(absl::StrCat("field ", field, " is not known"));
    }
    const bool imagenet = parts.front() == "imagenet";
    if (!imagenet && parts.front() != "normalized" && parts.front() != "grounding") {
      return absl::UnimplementedError(absl::StrCat("field ", field, " is not known"));
    }
    const std::vector<float> mean =
        imagenet ? std::vector<float>{0.485f, 0.456f, 0.406f} : PublishedNormalization();
    const std::vector<float> deviation =
        imagenet ? std::vector<float>{0.229f, 0.224f, 0.225f} : PublishedNormalization();
    UNIVAL_ASSIGN_OR_RETURN(const auto image,
                            ImagePreprocessor(context_.runtime, size, mean, deviation));
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor actual,
                            PreprocessFile(*image, context_.fixture.Path("media/" + file_)));
    check_.Tensor(kPreprocessStage, field, actual, expected, kNormalized);
    return absl::OkStatus();
  }

  absl::StatusOr<at::Tensor> Decode() {
    const MediaSource media{"", context_.fixture.Path("media/" + file_), nullptr};
    return context_.runtime.services().media->DecodeImage(media, PixelFormat::kRgb8);
  }

  absl::Status CheckDecoded(const at::Tensor& expected) {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels, Decode());
    check_.Tensor(kPreprocessStage, "decoded_rgb_u8", pixels, expected, kExact);
    return absl::OkStatus();
  }

  // Starts from the stored pixels where there are some, so that decoding plays no part.
  absl::Status CheckResized(const std::string& field, const at::Tensor& expected) {
    const auto stored = golden_.find(file_ + "/decoded_rgb_u8");
    at::Tensor pixels = stored == golden_.end() ? at::Tensor() : stored->second.contiguous();
    if (!pixels.defined()) {
      UNIVAL_ASSIGN_OR_RETURN(pixels, Decode());
    }
    const std::vector<uint8_t> resized = ResizeBicubic(
        Bytes(pixels), {pixels.size(0), pixels.size(1), 3}, expected.size(0), expected.size(1));
    check_.Tensor(kPreprocessStage, field, PixelTensor(resized, expected.sizes().vec()), expected,
                  kExact);
    return absl::OkStatus();
  }

  ReplayContext& context_;
  const TensorMap& golden_;
  const std::string file_;
  Checker& check_;
};

// Frames [T, 3, H, W] of 8 bits, cropped, and normalised to [3, T, h, w].
void CheckCrop(const TensorMap& golden, const std::string& name, Checker& check) {
  const at::Tensor frames = TensorOf(golden, name + "/frames_u8");
  const at::Tensor expected = TensorOf(golden, name + "/out");
  std::vector<at::Tensor> cropped;
  for (int64_t t = 0; t < frames.size(0); ++t) {
    const at::Tensor pixels = frames[t].permute({1, 2, 0}).contiguous();
    const std::vector<uint8_t> crop = CenterCrop(Bytes(pixels), {pixels.size(0), pixels.size(1), 3},
                                                 expected.size(2), expected.size(3));
    cropped.push_back(
        PixelTensor(crop, {expected.size(2), expected.size(3), 3}).permute({2, 0, 1}));
  }
  const at::Tensor actual = at::stack(cropped, 1).to(at::kFloat).div(255).sub(0.5).div(0.5);
  check.Tensor(kPreprocessStage, "out", actual, expected, kNormalized);
}

// The frames that this program selects: as many as expected, or more. Where the reference stops
// short, this one repeats its last frame, and nothing else may follow.
absl::StatusOr<std::vector<int64_t>> SelectFrames(const Json& golden, size_t expected) {
  const std::string mode = golden.at("mode");
  const int64_t count = golden.at("vlen");
  absl::string_view rate = mode;
  if (mode == "middle") return MiddleFrames(count, golden.at("num_frames"));
  if (mode == "rand_fix_start0") return OffsetFrames(count, golden.at("num_frames"), 0);
  if (!absl::ConsumePrefix(&rate, "fps")) {
    return absl::UnimplementedError(absl::StrCat("mode ", mode, " is not known"));
  }
  const int64_t limit = golden.at("max_num_frames");
  std::vector<int64_t> indices =
      FramesAtRate(count, golden.at("input_fps"), NumberOf(std::string(rate), "mode"),
                   std::max<int64_t>(limit, 0));
  while (limit > 0 && indices.size() > std::max<size_t>(expected, 1) &&
         indices.back() == indices[indices.size() - 2]) {
    indices.pop_back();
  }
  // A video without a selected frame gives its first one.
  if (limit > 0 && expected == 0 && indices == std::vector<int64_t>{0}) indices.clear();
  return indices;
}

class WaveformCase {
 public:
  WaveformCase(ReplayContext& context, const TensorMap& golden, std::string file, Checker& check)
      : context_(context), golden_(golden), file_(std::move(file)), check_(check) {}

  absl::Status Run() {
    const MediaSource media{"", context_.fixture.Path("media/" + file_), nullptr};
    UNIVAL_ASSIGN_OR_RETURN(const AudioClip clip,
                            context_.runtime.services().media->DecodeAudio(media));
    Compare("soundfile_path", MixToInt16(Floats(clip.samples), clip.samples.size(0)), {1e-7, 0});
    UNIVAL_ASSIGN_OR_RETURN(const auto resampler, Resampler::Create(clip.sample_rate_hz, 48000));
    Compare("resampled_48000_channel0", resampler->Apply(Floats(clip.samples[0])), {2e-6, 0});
    const Fixture::Entry own{"", file_, "", "", "", Json::object()};
    return CheckAllCompared(own, golden_, compared_);
  }

 private:
  void Compare(const std::string& field, const std::vector<float>& actual,
               const Tolerance& tolerance) {
    const auto expected = golden_.find(file_ + "/" + field);
    if (expected == golden_.end()) return;
    compared_.insert(field);
    check_.Tensor(kPreprocessStage, field, at::tensor(actual), expected->second, tolerance);
  }

  ReplayContext& context_;
  const TensorMap& golden_;
  const std::string file_;
  Checker& check_;
  std::set<std::string> compared_;
};

absl::StatusOr<Filling> FillingOf(const std::string& name) {
  if (name == "pad") return Filling::kZeros;
  if (name == "repeatpad") return Filling::kWholeCopies;
  if (name == "repeat") return Filling::kCopies;
  return absl::UnimplementedError(absl::StrCat("filling ", name, " is not known"));
}

absl::Status CheckPadding(const Json& cases, Checker& check) {
  for (const Json& golden : cases) {
    UNIVAL_ASSIGN_OR_RETURN(const Filling filling, FillingOf(golden.at("filling")));
    const auto input = golden.at("input").get<std::vector<float>>();
    check.EqualJson(kPreprocessStage,
                    absl::StrCat(input.size(), " samples to ", golden.at("max_len").dump(), ", ",
                                 golden.at("filling").get<std::string>()),
                    FitLength(input, golden.at("max_len"), 0, filling),
                    golden.at("waveform").get<std::vector<float>>());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReplayImages(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap* golden, context.fixture.Tensors(entry.file));
  for (const std::string& name : CaseNames(*golden)) {
    context.Case(entry, name, [&](Checker& check) -> absl::Status {
      if (golden->count(name + "/frames_u8") == 0) {
        return ImageCase(context, *golden, name, check).Run();
      }
      CheckCrop(*golden, name, check);
      return absl::OkStatus();
    });
  }
  return absl::OkStatus();
}

absl::Status ReplayFrameSelection(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  std::map<std::string, std::vector<const Json*>> by_mode;
  for (const Json& golden : file->at("cases")) by_mode[golden.at("mode")].push_back(&golden);
  for (const auto& mode : by_mode) {
    context.Case(entry, mode.first, [&](Checker& check) -> absl::Status {
      for (const Json* golden : mode.second) {
        const auto expected = golden->at("indices").get<std::vector<int64_t>>();
        UNIVAL_ASSIGN_OR_RETURN(const std::vector<int64_t> indices,
                                SelectFrames(*golden, expected.size()));
        check.EqualJson(kPreprocessStage,
                        absl::StrCat("indices of ", golden->at("vlen").dump(), " frames"), indices,
                        expected);
      }
      return absl::OkStatus();
    });
  }
  return absl::OkStatus();
}

// Waveforms of media files, and beside them (audio.json) how short clips are filled up.
absl::Status ReplayWaveforms(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap* golden, context.fixture.Tensors(entry.file));
  for (const std::string& name : CaseNames(*golden)) {
    context.Case(entry, name,
                 [&](Checker& check) { return WaveformCase(context, *golden, name, check).Run(); });
  }
  const std::string beside = entry.file.substr(0, entry.file.rfind('.')) + ".json";
  if (!context.fixture.Has(beside)) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const Json* json, context.fixture.Document(beside));
  context.Case(entry, "padding",
               [&](Checker& check) { return CheckPadding(json->at("padding_cases"), check); });
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
