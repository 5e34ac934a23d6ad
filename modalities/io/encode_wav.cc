#include "absl/strings/str_cat.h"
#include "modalities/io/encode.h"
#include "modalities/io/pcm16.h"
#include "sdk/base/byte_order.h"

namespace unival {

absl::StatusOr<std::string> EncodeWav(absl::Span<const float> samples, int sample_rate_hz,
                                      int channels) {
  if (sample_rate_hz <= 0 || channels <= 0 || samples.size() % channels != 0 ||
      samples.size() > (size_t{1} << 30)) {
    return absl::InvalidArgumentError(absl::StrCat("EncodeWav: ", samples.size(), " samples, ",
                                                   channels, " channels, ", sample_rate_hz,
                                                   " Hz; all must be positive and divide"));
  }
  const auto data_bytes = static_cast<uint32_t>(samples.size() * 2);
  std::string wav = "RIFF";
  wav += LittleEndianBytes(36 + data_bytes, 4);
  wav += "WAVEfmt ";
  wav += LittleEndianBytes(16, 4);
  wav += LittleEndianBytes(1, 2);  // PCM
  wav += LittleEndianBytes(channels, 2);
  wav += LittleEndianBytes(sample_rate_hz, 4);
  wav += LittleEndianBytes(sample_rate_hz * channels * 2, 4);
  wav += LittleEndianBytes(channels * 2, 2);
  wav += LittleEndianBytes(16, 2);
  wav += "data";
  wav += LittleEndianBytes(data_bytes, 4);
  wav.reserve(wav.size() + data_bytes);
  for (float sample : samples) wav += LittleEndianBytes(static_cast<uint16_t>(ToPcm16(sample)), 2);
  return wav;
}

}  // namespace unival
