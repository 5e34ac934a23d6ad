#include "runtime/torchscript/torchscript_modality.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/torchscript/series.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/media_bytes.h"
#include "sdk/native/tensor_text.h"

namespace unival {
namespace {

PositionKind ToPositionKind(PositionKindProto kind) {
  switch (kind) {
    case POSITION_SEQUENCE:
      return PositionKind::kSequence;
    case POSITION_GRID:
      return PositionKind::kGrid;
    default:
      return PositionKind::kNone;
  }
}

// What the file holds is not what the plugin's manifest says that it takes.
absl::Status Refused(const MediaSource& media, absl::string_view why) {
  return MediaError(absl::InvalidArgumentError(absl::StrCat(MediaName(media), ": ", why)));
}

class ProgramModality : public Modality {
 public:
  ProgramModality(const PluginManifest& manifest, const std::string& id,
                  const MediaDecoder* decoder, std::unique_ptr<TorchScriptProgram> program)
      : manifest_(manifest), decoder_(decoder), program_(std::move(program)) {
    const DataOnlyFeatures& features = manifest_.modality().features();
    info_ = {id,
             manifest_.modality().id(),
             features.schema(),
             features.dim(),
             features.max_positions(),
             ToPositionKind(features.position_kind())};
  }

  const ModalityInfo& info() const override { return info_; }

  std::string preprocessing_fingerprint() const override {
    const DataOnlyModality& modality = manifest_.modality();
    return absl::StrCat("archive/1 ", modality.input().ShortDebugString(), " ",
                        modality.normalization().ShortDebugString());
  }

  absl::StatusOr<PreprocessedSample> Preprocess(const RawSample& raw) const override {
    return CatchTorch(MediaName(raw.media), [&]() -> absl::StatusOr<PreprocessedSample> {
      UNIVAL_ASSIGN_OR_RETURN(const at::Tensor input, Read(raw.media));
      return PreprocessedSample{{Normalized(input)}};
    });
  }

  // One row at a time: rows may differ in length, and no row then depends on the others.
  absl::StatusOr<ModalityFeatures> Encode(const PreprocessedBatch& batch) override {
    PreprocessedBatch rows;
    for (const PreprocessedSample& sample : batch.samples) {
      UNIVAL_ASSIGN_OR_RETURN(const at::Tensor features,
                              Annotate(program_->Run(sample.tensors.at(0).unsqueeze(0)),
                                       "plugin \"", manifest_.plugin().id(), "\""));
      UNIVAL_RETURN_IF_ERROR(CheckFeatures(features));
      rows.samples.push_back({{features.squeeze(0)}});
    }
    UNIVAL_ASSIGN_OR_RETURN(PaddedBatch padded, PadSamples(rows, 0));
    ModalityFeatures features;
    features.values = padded.values;
    if (padded.padding.any().item<bool>()) features.padding = padded.padding;
    features.positions = Positions(padded.values.size(0), padded.values.size(1));
    return features;
  }

 private:
  absl::StatusOr<at::Tensor> Read(const MediaSource& media) const {
    switch (manifest_.modality().input().kind()) {
      case DataOnlyInput::IMAGE:
        return ReadImage(media);
      case DataOnlyInput::AUDIO:
        return ReadAudio(media);
      case DataOnlyInput::TENSOR:
        return ReadTensor(media);
      default:
        return ReadSeries(media);
    }
  }

  absl::StatusOr<at::Tensor> ReadTensor(const MediaSource& media) const {
    UNIVAL_ASSIGN_OR_RETURN(const auto bytes, MediaBytes(media));
    const auto read = ParseRawTensor(*bytes, FormOf(manifest_.modality().input()));
    if (!read.ok()) return Refused(media, read.status().message());
    return at::tensor(read->values).view(read->shape);
  }

  absl::StatusOr<at::Tensor> ReadImage(const MediaSource& media) const {
    const DataOnlyInput& input = manifest_.modality().input();
    const PixelFormat format = input.channels() == 3 ? PixelFormat::kRgb8
                               : input.bits() == 16  ? PixelFormat::kGray16
                                                     : PixelFormat::kGray8;
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels, decoder_->DecodeImage(media, format));
    const at::Tensor image = pixels.permute({2, 0, 1}).to(at::kFloat).contiguous();
    if (image.size(1) == input.height() && image.size(2) == input.width()) return image;
    return at::upsample_bilinear2d(image.unsqueeze(0), {input.height(), input.width()}, false)
        .squeeze(0);
  }

  absl::StatusOr<at::Tensor> ReadAudio(const MediaSource& media) const {
    const DataOnlyInput& input = manifest_.modality().input();
    UNIVAL_ASSIGN_OR_RETURN(const AudioClip clip, decoder_->DecodeAudio(media));
    if (clip.sample_rate_hz != input.sample_rate_hz()) {
      return Refused(media, absl::StrCat("expected sample rate ", input.sample_rate_hz(),
                                         " Hz, got ", clip.sample_rate_hz, "; resample the file"));
    }
    at::Tensor samples = clip.samples;
    if (input.channels() == 1) samples = samples.mean(0, /*keepdim=*/true);
    if (samples.size(0) != input.channels()) {
      return Refused(
          media, absl::StrCat("expected ", input.channels(), " channels, got ", samples.size(0)));
    }
    if (input.max_steps() > 0 && samples.size(1) > input.max_steps())
      samples = samples.narrow(1, 0, input.max_steps());
    return samples.contiguous();
  }

  absl::StatusOr<at::Tensor> ReadSeries(const MediaSource& media) const {
    const DataOnlyInput& input = manifest_.modality().input();
    UNIVAL_ASSIGN_OR_RETURN(const auto text, MediaBytes(media));
    absl::StatusOr<std::vector<float>> values =
        ParseSeries(*text, input.channels(), input.max_steps());
    if (!values.ok()) return Refused(media, values.status().message());
    return at::tensor(*values).view({-1, input.channels()});
  }

  // Per channel: the first dimension of images, sound and tensors, the last of series.
  at::Tensor Normalized(const at::Tensor& input) const {
    const Normalization& normalization = manifest_.modality().normalization();
    const auto column = [&](const auto& values) {
      at::Tensor tensor = at::tensor(std::vector<float>(values.begin(), values.end()));
      if (manifest_.modality().input().kind() == DataOnlyInput::TIME_SERIES) return tensor;
      std::vector<int64_t> shape(input.dim(), 1);
      shape[0] = -1;
      return tensor.view(shape);
    };
    at::Tensor output = input;
    if (normalization.mean_size() > 0) output = output - column(normalization.mean());
    if (normalization.std_size() > 0) output = output / column(normalization.std());
    return output;
  }

  absl::Status CheckFeatures(const at::Tensor& features) const {
    if (features.dim() == 3 && features.size(0) == 1 && features.size(1) > 0 &&
        features.size(2) == info_.feature_dim && features.is_floating_point()) {
      return absl::OkStatus();
    }
    return absl::InternalError(absl::StrCat("modality \"", info_.id, "\": the program gave ",
                                            ShapeText(features), ", expected floating [1, N, ",
                                            info_.feature_dim, "] with N of 1 or more"));
  }

  at::Tensor Positions(int64_t rows, int64_t count) const {
    if (info_.position_kind == PositionKind::kNone) return at::Tensor();
    const at::Tensor index = at::arange(count, at::TensorOptions().dtype(at::kLong));
    if (info_.position_kind == PositionKind::kSequence)
      return index.unsqueeze(0).expand({rows, count});
    const int64_t columns = manifest_.modality().features().grid_columns();
    return at::stack({index.div(columns, "floor"), index.remainder(columns)}, -1)
        .unsqueeze(0)
        .expand({rows, count, 2});
  }

  const PluginManifest manifest_;
  const MediaDecoder* const decoder_;
  const std::unique_ptr<TorchScriptProgram> program_;
  ModalityInfo info_;
};

}  // namespace

RawTensorForm FormOf(const DataOnlyInput& input) {
  return {{input.shape().begin(), input.shape().end()}, input.dtype(), input.max_steps()};
}

std::unique_ptr<Modality> NewTorchScriptModality(const PluginManifest& manifest,
                                                 const std::string& id, const MediaDecoder* decoder,
                                                 std::unique_ptr<TorchScriptProgram> program) {
  return std::make_unique<ProgramModality>(manifest, id, decoder, std::move(program));
}

}  // namespace unival
