#include "modalities/io/decode_audio.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "modalities/io/media_container.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

template <typename Sample>
void Append(const AVFrame& frame, int channel, bool planar, float offset, float scale,
            std::vector<float>& out) {
  const int channels = frame.ch_layout.nb_channels;
  const auto* in = reinterpret_cast<const Sample*>(frame.extended_data[planar ? channel : 0]);
  const int step = planar ? 1 : channels;
  if (!planar) in += channel;
  for (int i = 0; i < frame.nb_samples; ++i, in += step) {
    out.push_back((static_cast<float>(*in) - offset) * scale);
  }
}

// False for a sample format that has no rule.
bool AppendChannel(const AVFrame& frame, int channel, std::vector<float>* out) {
  const auto format = static_cast<AVSampleFormat>(frame.format);
  const bool planar = av_sample_fmt_is_planar(format) == 1;
  switch (av_get_packed_sample_fmt(format)) {
    case AV_SAMPLE_FMT_U8:
      Append<uint8_t>(frame, channel, planar, 128, 1.0f / 128, *out);
      return true;
    case AV_SAMPLE_FMT_S16:
      Append<int16_t>(frame, channel, planar, 0, 1.0f / 32768, *out);
      return true;
    case AV_SAMPLE_FMT_S32:
      Append<int32_t>(frame, channel, planar, 0, 1.0f / 2147483648.0f, *out);
      return true;
    case AV_SAMPLE_FMT_FLT:
      Append<float>(frame, channel, planar, 0, 1, *out);
      return true;
    case AV_SAMPLE_FMT_DBL:
      Append<double>(frame, channel, planar, 0, 1, *out);
      return true;
    default:
      return false;
  }
}

// Samples that the head promises, 0 when it does not. Where the container has a check of its own,
// that has seen what is promised: durations are rounded, and those of fragments are wrong.
int64_t PromisedSamples(const MediaContainer& input, const AVStream& stream, int rate) {
  if (input.kind().check != nullptr || input.is_streamed()) return 0;
  if (stream.duration == AV_NOPTS_VALUE || stream.duration <= 0) return 0;
  return av_rescale_q(stream.duration, stream.time_base, AVRational{1, rate});
}

// Tools that trim a FLAC without decoding it do not correct the number of samples in its head. So a
// file whose last frame is whole is taken for trimmed, not for truncated.
bool IsTrimmed(const MediaContainer& input) {
  return absl::string_view(input.kind().name) == "flac" && input.ends_whole();
}

struct Samples {
  std::vector<std::vector<float>> channels;
  int rate = 0;
};

absl::Status AppendFrame(const MediaContainer& input, const DecoderOptions& options,
                         const AVFrame& frame, Samples& samples) {
  const size_t channels = frame.ch_layout.nb_channels;
  if (samples.channels.empty()) {
    samples.channels.resize(channels);
    samples.rate = frame.sample_rate;
  }
  if (channels == 0 || channels != samples.channels.size() || frame.sample_rate != samples.rate ||
      frame.sample_rate <= 0) {
    return input.Unexpected("a change of channels or sample rate within the clip",
                            "Convert it to WAV.");
  }
  const int64_t length = static_cast<int64_t>(samples.channels[0].size()) + frame.nb_samples;
  const int64_t bytes = length * static_cast<int64_t>(channels * sizeof(float));
  if (length > options.max_seconds * samples.rate || bytes > options.max_decoded_bytes) {
    return AudioTooLong(input.name(), options);
  }
  for (size_t channel = 0; channel < channels; ++channel) {
    if (!AppendChannel(frame, static_cast<int>(channel), &samples.channels[channel])) {
      return input.Unexpected(absl::StrCat("sample format ", frame.format), "Convert it to WAV.");
    }
  }
  return absl::OkStatus();
}

// `count` samples of each channel.
AudioClip ClipOf(const Samples& samples, int64_t count) {
  AudioClip clip;
  clip.sample_rate_hz = samples.rate;
  clip.samples = at::empty({static_cast<int64_t>(samples.channels.size()), count}, at::kFloat);
  float* out = clip.samples.data_ptr<float>();
  for (const std::vector<float>& channel : samples.channels) {
    out = std::copy(channel.begin(), channel.end(), out);
  }
  return clip;
}

}  // namespace

absl::Status AudioTooLong(const std::string& name, const DecoderOptions& options) {
  return UnexpectedMedia(name, kExpectedAudio,
                         absl::StrCat("more than ", options.max_seconds, " seconds or ",
                                      options.max_decoded_bytes, " bytes of samples"),
                         "Cut the clip or raise max_seconds.");
}

absl::Status CheckFinite(const std::string& name, const at::Tensor& samples) {
  const float* values = samples.data_ptr<float>();
  const int64_t count = samples.size(1), total = samples.numel();
  for (int64_t i = 0; i < total; ++i) {
    if (std::isfinite(values[i])) continue;
    return UnexpectedMedia(
        name, "finite samples",
        absl::StrCat(values[i], " as sample ", i % count, " of channel ", i / count),
        "Write the file again.");
  }
  return absl::OkStatus();
}

absl::StatusOr<AudioClip> DecodeSound(const EncodedMedia& file) {
  const DecoderOptions& options = file.options;
  UNIVAL_ASSIGN_OR_RETURN(auto input, MediaContainer::Open(file, kExpectedAudio));
  UNIVAL_ASSIGN_OR_RETURN(AVStream * stream, input->FindStream(AVMEDIA_TYPE_AUDIO));
  UNIVAL_ASSIGN_OR_RETURN(auto decoder, input->NewDecoder(stream));
  decoder->context()->pkt_timebase = stream->time_base;
  Samples samples;
  const absl::Status decoded =
      DecodeStream(*input, stream, *decoder, [&](const AVFrame& frame) -> absl::StatusOr<bool> {
        UNIVAL_RETURN_IF_ERROR(AppendFrame(*input, options, frame, samples));
        return true;
      });
  const int64_t count =
      samples.channels.empty() ? 0 : static_cast<int64_t>(samples.channels[0].size());
  if (count == 0) {
    UNIVAL_RETURN_IF_ERROR(decoded);
    return input->Unexpected("no samples", "The clip is empty or damaged: write it again.");
  }
  const int64_t promised = PromisedSamples(*input, *stream, samples.rate);
  // A FLAC says how many samples it has: what stands behind them, as tags do, does not matter.
  const bool is_complete = absl::string_view(input->kind().name) == "flac" && count == promised;
  if (!is_complete || !IsMediaError(decoded)) UNIVAL_RETURN_IF_ERROR(decoded);
  if (count < promised && !IsTrimmed(*input)) {
    return TruncatedMedia(input->Unexpected(
        absl::StrCat(count, " of the ", promised, " samples that its header promises"),
        "The file is truncated: write it again."));
  }
  const AudioClip clip = ClipOf(samples, count);
  UNIVAL_RETURN_IF_ERROR(CheckFinite(input->name(), clip.samples));
  return clip;
}

}  // namespace unival
