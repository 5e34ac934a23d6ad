#include <ATen/ops/empty.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "modalities/io/builtin_formats.h"
#include "modalities/io/decode_audio.h"
#include "modalities/io/media_container.h"
#include "modalities/io/one_packet.h"
#include "modalities/io/wav.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

absl::StatusOr<WavLayout> ReadLayout(const ByteReader& reader) {
  char head[kFormatHeadBytes];
  const int64_t got = reader.ReadAt(0, reinterpret_cast<uint8_t*>(head), sizeof(head));
  WavLayout layout;
  if (got > 0 && ParseWavHeader({head, static_cast<size_t>(got)}, &layout)) return layout;
  return UnexpectedMedia(reader.name(), kExpectedAudio, "an unreadable file", "Check the disk.");
}

absl::StatusOr<AudioClip> DecodeWav(const EncodedMedia& file) {
  const ByteReader& reader = file.reader;
  const DecoderOptions& options = file.options;
  UNIVAL_ASSIGN_OR_RETURN(const WavLayout layout, ReadLayout(reader));
  const int64_t count = layout.data_bytes / (layout.channels * layout.bits / 8);
  const int64_t present = reader.size() - layout.data_begin;
  if (present < layout.data_bytes || count == 0) {
    return UnexpectedMedia(reader.name(), kExpectedAudio,
                           absl::StrCat(present, " of the ", layout.data_bytes,
                                        " bytes of samples that its header promises"),
                           "The file is truncated: write it again.");
  }
  const int64_t bytes = count * layout.channels * static_cast<int64_t>(sizeof(float));
  if (count > options.max_seconds * layout.sample_rate_hz || bytes > options.max_decoded_bytes) {
    return AudioTooLong(reader.name(), options);
  }
  std::vector<uint8_t> data(layout.data_bytes);
  if (reader.ReadAt(layout.data_begin, data.data(), layout.data_bytes) != layout.data_bytes) {
    return UnexpectedMedia(reader.name(), kExpectedAudio, "an unreadable file", "Check the disk.");
  }
  AudioClip clip;
  clip.sample_rate_hz = layout.sample_rate_hz;
  clip.samples = at::empty({layout.channels, count}, at::kFloat);
  for (int channel = 0; channel < layout.channels; ++channel) {
    ConvertWav(layout, data.data(), count, channel,
               clip.samples.data_ptr<float>() + channel * count);
  }
  return clip;
}

}  // namespace

MediaFormat WavFormat() {
  MediaFormat format{"audio", "wav", "pcm_s16le"};
  format.available = [] {
    return av_find_input_format("wav") != nullptr && HasDecoder("pcm_s16le");
  };
  format.matches = [](absl::string_view head) {
    WavLayout layout;
    return ParseWavHeader(head, &layout);
  };
  format.decode_audio = &DecodeWav;
  return format;
}

}  // namespace unival
