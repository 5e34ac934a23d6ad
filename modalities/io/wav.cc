#include "modalities/io/wav.h"

#include <algorithm>
#include <cstring>

#include "sdk/base/byte_order.h"

namespace unival {
namespace {

constexpr uint32_t kPcm = 1, kFloat = 3, kExtensible = 0xfffe;

// The chunk "fmt ": codec, channels, rate, bytes a second, bytes of all channels together, bits.
// What the bits say beyond the bytes does not matter. The extended form names the codec further on.
bool ReadFormat(absl::string_view chunk, WavLayout* layout) {
  constexpr int kMaxChannels = 64, kMaxRate = 10000000;
  if (chunk.size() < 16) return false;
  uint64_t codec = LittleEndian(chunk, 2);
  if (codec == kExtensible && chunk.size() >= 26) codec = LittleEndian(chunk.substr(24), 2);
  const uint64_t channels = LittleEndian(chunk.substr(2), 2),
                 rate = LittleEndian(chunk.substr(4), 4);
  const uint64_t together = LittleEndian(chunk.substr(12), 2);
  layout->is_float = codec == kFloat;
  if (channels < 1 || channels > kMaxChannels || rate < 1 || rate > kMaxRate) return false;
  if (together % channels != 0) return false;
  layout->channels = static_cast<int>(channels);
  layout->sample_rate_hz = static_cast<int>(rate);
  layout->bytes = static_cast<int>(together / channels);
  if (LittleEndian(chunk.substr(14), 2) > 8 * together / channels) return false;
  if (codec == kFloat) return layout->bytes == 4 || layout->bytes == 8;
  return codec == kPcm && layout->bytes >= 1 && layout->bytes <= 4;
}

// Lengths that stand for "not known": nothing, and what programs write that mean as much as fits.
bool IsPlaceholder(uint64_t bytes) {
  constexpr uint64_t kSlack = uint64_t{1} << 16, kHalf = uint64_t{1} << 31,
                     kAll = uint64_t{1} << 32;
  return bytes == 0 || (bytes + kSlack >= kHalf && bytes <= kHalf + kSlack) ||
         (bytes + kSlack >= kAll && bytes < kAll);
}

int32_t Signed24(const uint8_t* in) {
  return static_cast<int32_t>(static_cast<uint32_t>(in[0]) << 8 |
                              static_cast<uint32_t>(in[1]) << 16 |
                              static_cast<uint32_t>(in[2]) << 24);
}

template <typename Sample>
Sample Load(const uint8_t* in) {
  Sample value;
  std::memcpy(&value, in, sizeof(value));
  return value;
}

template <typename Read>
void Convert(const WavLayout& layout, const uint8_t* data, int64_t count, int channel, float* out,
             Read read) {
  const int bytes = layout.bytes, step = bytes * layout.channels;
  const uint8_t* in = data + channel * bytes;
  for (int64_t i = 0; i < count; ++i, in += step) out[i] = read(in);
}

}  // namespace

WavKind ParseWav(int64_t size, const std::function<std::string(int64_t, int64_t)>& text,
                 WavLayout* layout) {
  constexpr int kMaxChunks = 10000, kMaxFormat = 64;
  bool has_format = false;
  uint64_t long_bytes = 0;
  int64_t at = 12;
  for (int i = 0; i < kMaxChunks && at + 8 <= size; ++i) {
    const std::string head = text(at, 8);
    const std::string name = head.substr(0, 4);
    const uint64_t bytes = LittleEndian(absl::ClippedSubstr(head, 4), 4);
    at += 8;
    if (name == "fmt ") {
      if (!ReadFormat(text(at, std::min<int64_t>(bytes, kMaxFormat)), layout)) break;
      has_format = true;
    }
    if (name == "ds64") long_bytes = LittleEndian(absl::ClippedSubstr(text(at, 24), 8), 8);
    if (name == "data") {
      if (!has_format) break;
      const uint64_t promised = bytes == UINT32_MAX && long_bytes > 0 ? long_bytes : bytes;
      const auto present = static_cast<uint64_t>(size - at);
      const bool streamed = promised == 0 || (promised > present && IsPlaceholder(promised));
      layout->data_begin = at;
      layout->data_bytes =
          static_cast<int64_t>(std::min<uint64_t>(streamed ? present : promised, INT64_MAX));
      return WavKind::kPlain;
    }
    at += static_cast<int64_t>(bytes + bytes % 2);
  }
  return WavKind::kOther;
}

void ConvertWav(const WavLayout& layout, const uint8_t* data, int64_t count, int channel,
                float* out) {
  constexpr float kFull = 2147483648.0f;
  if (layout.is_float && layout.bytes == 4) {
    Convert(layout, data, count, channel, out, [](const uint8_t* in) { return Load<float>(in); });
  } else if (layout.is_float) {
    Convert(layout, data, count, channel, out,
            [](const uint8_t* in) { return static_cast<float>(Load<double>(in)); });
  } else if (layout.bytes == 1) {
    Convert(layout, data, count, channel, out,
            [](const uint8_t* in) { return (static_cast<float>(*in) - 128) / 128; });
  } else if (layout.bytes == 2) {
    Convert(layout, data, count, channel, out,
            [](const uint8_t* in) { return static_cast<float>(Load<int16_t>(in)) / 32768; });
  } else if (layout.bytes == 3) {
    Convert(layout, data, count, channel, out,
            [](const uint8_t* in) { return static_cast<float>(Signed24(in)) / kFull; });
  } else {
    Convert(layout, data, count, channel, out,
            [](const uint8_t* in) { return static_cast<float>(Load<int32_t>(in)) / kFull; });
  }
}

}  // namespace unival
