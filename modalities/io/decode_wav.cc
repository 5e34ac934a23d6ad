#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "modalities/io/builtin_formats.h"
#include "modalities/io/decode_audio.h"
#include "modalities/io/wav.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

// Frames are read a block at a time: the file is never in memory beside its samples.
absl::Status ReadSamples(const ByteReader& reader, const WavLayout& layout, int64_t count,
                         float* out) {
  constexpr int64_t kBlockFrames = 16384;
  const int64_t frame_bytes = int64_t{layout.channels} * layout.bytes;
  std::vector<uint8_t> block(kBlockFrames * frame_bytes);
  for (int64_t begin = 0; begin < count; begin += kBlockFrames) {
    const int64_t frames = std::min(kBlockFrames, count - begin);
    const int64_t bytes = frames * frame_bytes;
    if (reader.ReadAt(layout.data_begin + begin * frame_bytes, block.data(), bytes) != bytes) {
      if (!reader.failure().ok()) return reader.failure();
      return UnexpectedMedia(reader.name(), kExpectedAudio, "a file that became shorter",
                             "Write it again.");
    }
    for (int channel = 0; channel < layout.channels; ++channel) {
      ConvertWav(layout, block.data(), frames, channel, out + channel * count + begin);
    }
  }
  return absl::OkStatus();
}

// Of a codec, which FFmpeg reads.
absl::StatusOr<AudioClip> DecodeOther(const EncodedMedia& file, const WavLayout& layout) {
  if (layout.unreadable.empty()) return DecodeSound(file);
  return UnexpectedMedia(file.reader.name(), kExpectedAudio, layout.unreadable, "Write it again.");
}

absl::StatusOr<AudioClip> DecodeWav(const EncodedMedia& file) {
  const ByteReader& reader = file.reader;
  const DecoderOptions& options = file.options;
  WavLayout layout;
  const auto text = [&](int64_t offset, int64_t count) { return reader.Text(offset, count); };
  const WavKind kind = ParseWav(reader.size(), text, &layout);
  if (kind == WavKind::kOther) return DecodeOther(file, layout);
  if (kind == WavKind::kEmpty || layout.data_bytes == 0) {
    return UnexpectedMedia(reader.name(), kExpectedAudio, "no samples",
                           "The clip is empty: leave it out.");
  }
  const int64_t count = layout.data_bytes / (int64_t{layout.channels} * layout.bytes);
  const int64_t present = reader.size() - layout.data_begin;
  if (present < layout.data_bytes || count == 0) {
    return TruncatedMedia(
        UnexpectedMedia(reader.name(), kExpectedAudio,
                        absl::StrCat(present, " of the ", layout.data_bytes,
                                     " bytes of samples that its header promises"),
                        "The file is truncated: write it again."));
  }
  if (count > options.max_seconds * layout.sample_rate_hz ||
      count > options.max_decoded_bytes / (layout.channels * int64_t{sizeof(float)})) {
    return AudioTooLong(reader.name(), options);
  }
  AudioClip clip;
  clip.sample_rate_hz = layout.sample_rate_hz;
  clip.samples = at::empty({layout.channels, count}, at::kFloat);
  UNIVAL_RETURN_IF_ERROR(ReadSamples(reader, layout, count, clip.samples.data_ptr<float>()));
  if (layout.is_float) UNIVAL_RETURN_IF_ERROR(CheckFinite(reader.name(), clip.samples));
  return clip;
}

}  // namespace

MediaFormat WavFormat() {
  MediaFormat format{"audio", "wav", "pcm", {"wav", "wave"}};
  format.matches = [](absl::string_view head) {
    return (absl::StartsWith(head, "RIFF") || absl::StartsWith(head, "RF64") ||
            absl::StartsWith(head, "BW64")) &&
           absl::ClippedSubstr(head, 8, 4) == "WAVE";
  };
  format.decode_audio = &DecodeWav;
  return format;
}

}  // namespace unival
