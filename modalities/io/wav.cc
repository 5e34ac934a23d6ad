#include "modalities/io/wav.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "modalities/io/containers.h"
#include "sdk/base/byte_order.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

constexpr uint32_t kPcm = 1, kFloat = 3, kExtensible = 0xfffe;

// Whether a codec's number stands at the beginning of the GUID of the extended form: what follows
// it says so (KSDATAFORMAT_SUBTYPE_*, and those of Ambisonics, which are the same samples). Others
// may stand for anything.
bool NamesCodec(absl::string_view guid) {
  constexpr absl::string_view kUsual("\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71", 14),
      kAmbisonic("\0\0\x21\x07\xd3\x11\x86\x44\xc8\xc1\xca\0\0\0", 14);
  return guid.size() < 16 || guid.substr(2) == kUsual || guid.substr(2) == kAmbisonic;
}

// The chunk "fmt ": codec, channels, rate, bytes a second, bytes of all channels together, bits.
// What the bits say beyond the bytes does not matter. The extended form names the codec further on.
bool ReadFormat(absl::string_view chunk, WavLayout* layout) {
  constexpr int kMaxChannels = 64, kMaxRate = 10000000;
  layout->unreadable.clear();
  if (chunk.size() < 16) return false;
  uint64_t codec = LittleEndian(chunk, 2);
  if (codec == kExtensible && chunk.size() >= 26) {
    const absl::string_view guid = chunk.substr(24, 16);
    if (!NamesCodec(guid)) {
      layout->unreadable =
          absl::StrCat("samples of a kind of their own, GUID ", absl::BytesToHexString(guid));
      return false;
    }
    codec = LittleEndian(guid, 2);
  }
  const uint64_t channels = LittleEndian(chunk.substr(2), 2),
                 rate = LittleEndian(chunk.substr(4), 4);
  const uint64_t bits = LittleEndian(chunk.substr(14), 2);
  uint64_t together = LittleEndian(chunk.substr(12), 2);
  if (together == 0) together = channels * ((bits + 7) / 8);  // some programs leave it out
  layout->is_float = codec == kFloat;
  if (codec == kPcm || codec == kFloat) {
    layout->unreadable = absl::StrCat(layout->is_float ? "floating-point" : "whole-number",
                                      " samples of ", bits, " bits in ", channels, " channels of ",
                                      together, " bytes together, ", rate, " Hz");
  }
  if (channels < 1 || channels > kMaxChannels || rate < 1 || rate > kMaxRate) return false;
  if (together % channels != 0) return false;
  layout->channels = static_cast<int>(channels);
  layout->sample_rate_hz = static_cast<int>(rate);
  layout->bytes = static_cast<int>(together / channels);
  if (bits > 8 * together / channels) return false;
  const bool is_plain = layout->is_float
                            ? layout->bytes == 4 || layout->bytes == 8
                            : codec == kPcm && layout->bytes >= 1 && layout->bytes <= 4;
  if (is_plain) layout->unreadable.clear();
  return is_plain;
}

using Text = std::function<std::string(int64_t, int64_t)>;

// Whether whole chunks, and nothing else, reach from `at` to the end of the file. Samples do not
// look like that.
bool AreChunks(int64_t size, const Text& text, int64_t at) {
  constexpr int kMaxChunks = 1000;
  for (int i = 0; i < kMaxChunks && at + 8 <= size; ++i) {
    const std::string head = text(at, 8);
    for (const char letter : absl::ClippedSubstr(head, 0, 4)) {
      if (!absl::ascii_isprint(static_cast<unsigned char>(letter))) return false;
    }
    const auto bytes = static_cast<int64_t>(LittleEndian(absl::ClippedSubstr(head, 4), 4));
    at += 8 + bytes;
    if (at == size) return true;
    at += bytes % 2;
    if (at == size) return true;
  }
  return false;
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

WavLayout LayoutOf(const ContainerFile& file) {
  WavLayout layout;
  ParseWav(
      file.end - file.begin,
      [&](int64_t at, int64_t count) { return file.reader.Text(file.begin + at, count); }, &layout);
  return layout;
}

}  // namespace

WavKind ParseWav(int64_t size, const Text& text, WavLayout* layout) {
  constexpr int kMaxChunks = 10000, kMaxFormat = 64;
  bool has_format = false, is_plain = false, is_empty = false;
  const bool has_long_form = text(0, 4) != "RIFF";
  uint64_t long_bytes = 0;
  int64_t long_at = 0, at = 12;
  for (int i = 0; i < kMaxChunks && at + 8 <= size; ++i) {
    const std::string head = text(at, 8);
    const std::string name = head.substr(0, 4);
    const uint64_t bytes = LittleEndian(absl::ClippedSubstr(head, 4), 4);
    at += 8;
    if (name == "fmt ") {
      is_plain = ReadFormat(text(at, std::min<int64_t>(bytes, kMaxFormat)), layout);
      has_format = true;
    }
    if (name == "ds64") {
      long_bytes = LittleEndian(absl::ClippedSubstr(text(at, 24), 8), 8);
      long_at = at + 8;
    }
    if (name == "data" && bytes == 0 && AreChunks(size, text, at)) {
      is_empty = true;
    } else if (name == "data") {
      if (!has_format) break;
      const bool is_long = has_long_form && long_at > 0;
      const bool is_elsewhere = is_long && (bytes == UINT32_MAX || bytes == 0);
      const uint64_t promised = is_elsewhere && long_bytes > 0 ? long_bytes : bytes;
      const auto present = static_cast<uint64_t>(size - at);
      layout->is_streamed = promised == 0 || (promised > present && IsUnknownLength(promised));
      layout->length_at = is_long ? long_at : at - 4;
      layout->length_bytes = is_long ? 8 : 4;
      layout->data_begin = at;
      layout->data_bytes = static_cast<int64_t>(
          std::min<uint64_t>(layout->is_streamed ? present : promised, INT64_MAX));
      return is_plain ? WavKind::kPlain : WavKind::kOther;
    }
    at += static_cast<int64_t>(bytes + bytes % 2);
  }
  return is_empty ? WavKind::kEmpty : WavKind::kOther;
}

absl::Status CheckWav(const ContainerFile& file) {
  const WavLayout layout = LayoutOf(file);
  const int64_t present = file.end - file.begin - layout.data_begin;
  if (layout.data_bytes <= present) return absl::OkStatus();
  return TruncatedMedia(Unexpected(file,
                                   absl::StrCat(present, " of the ", layout.data_bytes,
                                                " bytes of samples that its header promises"),
                                   kTruncatedRemedy));
}

Correction CorrectWav(const ContainerFile& file) {
  const WavLayout layout = LayoutOf(file);
  if (!layout.is_streamed) return {};
  std::string length = LittleEndianBytes(layout.data_bytes, layout.length_bytes);
  // The number of samples stands behind a long length, and is as little known: 0 says so.
  if (layout.length_bytes == 8) length += LittleEndianBytes(0, 8);
  return {file.begin + layout.length_at, std::move(length)};
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
