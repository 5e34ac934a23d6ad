#include "modalities/io/wav.h"

#include <cstring>

namespace unival {
namespace {

constexpr uint32_t kPcm = 1, kFloat = 3;

uint32_t Little(absl::string_view bytes, size_t at, int count) {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) {
    value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  }
  return value;
}

bool ReadFormat(absl::string_view chunk, WavLayout* layout) {
  if (chunk.size() < 16) return false;
  const uint32_t codec = Little(chunk, 0, 2);
  layout->channels = static_cast<int>(Little(chunk, 2, 2));
  layout->sample_rate_hz = static_cast<int>(Little(chunk, 4, 4));
  layout->bits = static_cast<int>(Little(chunk, 14, 2));
  layout->is_float = codec == kFloat;
  const bool known = (codec == kPcm && (layout->bits == 8 || layout->bits == 16 ||
                                        layout->bits == 24 || layout->bits == 32)) ||
                     (codec == kFloat && layout->bits == 32);
  return known && layout->channels > 0 && layout->channels <= 64 && layout->sample_rate_hz > 0 &&
         static_cast<int>(Little(chunk, 12, 2)) == layout->channels * layout->bits / 8;
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
  const int bytes = layout.bits / 8, step = bytes * layout.channels;
  const uint8_t* in = data + channel * bytes;
  for (int64_t i = 0; i < count; ++i, in += step) out[i] = read(in);
}

}  // namespace

bool ParseWavHeader(absl::string_view head, WavLayout* layout) {
  if (head.size() < 12 || head.substr(0, 4) != "RIFF" || head.substr(8, 4) != "WAVE") return false;
  bool has_format = false;
  size_t at = 12;
  while (at + 8 <= head.size()) {
    const absl::string_view name = head.substr(at, 4);
    const uint32_t size = Little(head, at + 4, 4);
    at += 8;
    if (name == "data") {
      layout->data_begin = static_cast<int64_t>(at);
      layout->data_bytes = size;
      return has_format && size > 0 && size < 0xfffffff0u;
    }
    if (size > head.size() - at) return false;
    if (name == "fmt ") {
      if (!ReadFormat(head.substr(at, size), layout)) return false;
      has_format = true;
    }
    at += size + size % 2;
  }
  return false;
}

void ConvertWav(const WavLayout& layout, const uint8_t* data, int64_t count, int channel,
                float* out) {
  if (layout.is_float) {
    Convert(layout, data, count, channel, out, [](const uint8_t* in) { return Load<float>(in); });
  } else if (layout.bits == 8) {
    Convert(layout, data, count, channel, out,
            [](const uint8_t* in) { return (static_cast<float>(*in) - 128) / 128; });
  } else if (layout.bits == 16) {
    Convert(layout, data, count, channel, out,
            [](const uint8_t* in) { return static_cast<float>(Load<int16_t>(in)) / 32768; });
  } else if (layout.bits == 24) {
    Convert(layout, data, count, channel, out,
            [](const uint8_t* in) { return static_cast<float>(Signed24(in)) / 2147483648.0f; });
  } else {
    Convert(layout, data, count, channel, out, [](const uint8_t* in) {
      return static_cast<float>(Load<int32_t>(in)) / 2147483648.0f;
    });
  }
}

}  // namespace unival
