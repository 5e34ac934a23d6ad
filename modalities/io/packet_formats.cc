// Formats that need nothing but a signature and libavcodec's decoder, which takes the whole file as
// one packet.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "modalities/io/builtin_formats.h"
#include "modalities/io/one_packet.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// "P1" to "P6" and white space: bits, grey, colours, as text or as bytes.
bool IsAnymap(absl::string_view head) {
  return head.size() > 2 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' && IsSpace(head[2]);
}

const char* AnymapDecoder(char kind) {
  if (kind == '1' || kind == '4') return "pbm";
  return kind == '2' || kind == '5' ? "pgm" : "ppm";
}

// The next number of the head of an anymap, comments skipped; -1 for anything else.
int64_t NextNumber(absl::string_view& head) {
  while (!head.empty() && (IsSpace(head[0]) || head[0] == '#')) {
    const size_t line = head[0] == '#' ? head.find('\n') : 0;
    head.remove_prefix(line == absl::string_view::npos ? head.size() : line + 1);
  }
  size_t digits = 0;
  while (digits < head.size() && head[digits] >= '0' && head[digits] <= '9') ++digits;
  int64_t value = -1;
  if (!absl::SimpleAtoi(head.substr(0, digits), &value)) return -1;
  head.remove_prefix(digits);
  return value;
}

// The decoder takes a greatest value of 0 for 255 and shows something.
absl::StatusOr<at::Tensor> DecodeAnymap(const EncodedMedia& file, PixelFormat format) {
  constexpr int64_t kHead = 64 * 1024, kMost = 65535;
  const std::string text = file.reader.Text(0, kHead);
  absl::string_view head = text;
  head.remove_prefix(2);
  const bool is_bitmap = text[1] == '1' || text[1] == '4';
  const int64_t width = NextNumber(head), height = NextNumber(head);
  const int64_t most = is_bitmap ? 1 : NextNumber(head);
  if (width < 1 || height < 1 || most < 1 || most > kMost) {
    return UnexpectedMedia(
        file.reader.name(), kExpectedImage,
        absl::StrCat("an anymap of ", width, " x ", height, " with the greatest value ", most),
        "Sides are at least 1, the greatest value is 1 to 65535: write it again.");
  }
  return DecodeOnePacket(file, AnymapDecoder(text[1]), format);
}

// Whether run-length codes from `begin` on reach the end of a bitmap: its mark, or the last pixel.
// A code is a count and a value; behind a count of 0 comes 0: end of a row, 1: end of the bitmap,
// 2: columns and rows to step over, or a count of values that follow, filled up to whole words.
bool AreRunsWhole(const ByteReader& reader, int64_t begin, int64_t width, int64_t height,
                  bool is_half) {
  SequentialBytes bytes(reader, begin);
  uint8_t code[2], step[2];
  for (int64_t row = 0, column = 0; row < height;) {
    if (row == height - 1 && column >= width) return true;
    if (bytes.Read(code, 2) != 2) return false;
    if (code[0] > 0) {
      column += code[0];
    } else if (code[1] == 0) {
      column = 0;
      ++row;
    } else if (code[1] == 1) {
      return true;
    } else if (code[1] == 2) {
      if (bytes.Read(step, 2) != 2) return false;
      column += step[0];
      row += step[1];
    } else {
      const int64_t values = is_half ? (code[1] + 1) / 2 : code[1];
      bytes.Skip((values + 1) / 2 * 2);
      column += code[1];
    }
  }
  return true;
}

// The decoder says "damaged" of a depth that it does not know. `begin`: of the two bytes that state
// it.
absl::Status CheckBmpDepth(const ByteReader& reader, absl::string_view head, size_t begin) {
  const uint64_t bits = LittleEndian(head.substr(begin), 2);
  for (const uint64_t known : {1, 4, 8, 16, 24, 32}) {
    if (bits == known) return absl::OkStatus();
  }
  return UnexpectedMedia(reader.name(), kExpectedImage,
                         absl::StrCat("a BMP of ", bits, " bits per pixel"),
                         "1, 4, 8, 16, 24 and 32 bits are read: convert it to PNG.");
}

// The beginning of a BMP with the true length of the file, where it states none, or one that ends
// before its pixels: other programs do not look at it. Empty where the file's own will do.
std::string BmpBeginning(const ByteReader& reader, absl::string_view head) {
  const uint64_t stated = LittleEndian(head.substr(2), 4),
                 pixels = LittleEndian(head.substr(10), 4);
  if (stated > pixels) return "";
  return absl::StrCat("BM", LittleEndianBytes(static_cast<uint64_t>(reader.size()), 4));
}

// The decoder counts the bytes of plain pixels, and shows what there is of run-length codes.
absl::StatusOr<at::Tensor> DecodeBmp(const EncodedMedia& file, PixelFormat format) {
  constexpr size_t kHead = 34, kOldHead = 12, kShortHead = 40, kDepth = 28, kOldDepth = 24;
  constexpr uint64_t kRuns8 = 1, kRuns4 = 2;
  const std::string head = file.reader.Text(0, kHead);
  if (head.size() < kHead) return DecodeOnePacket(file, "bmp", format);
  const uint64_t header = LittleEndian(head.substr(14), 4);
  if (header == kOldHead || header >= kShortHead) {
    UNIVAL_RETURN_IF_ERROR(
        CheckBmpDepth(file.reader, head, header == kOldHead ? kOldDepth : kDepth));
  }
  if (header >= kShortHead) {
    const uint64_t kind = LittleEndian(head.substr(30), 4);
    const auto begin = static_cast<int64_t>(LittleEndian(head.substr(10), 4));
    const auto width = static_cast<int32_t>(LittleEndian(head.substr(18), 4));
    const auto height = static_cast<int32_t>(LittleEndian(head.substr(22), 4));
    if ((kind == kRuns8 || kind == kRuns4) &&
        !AreRunsWhole(file.reader, begin, width, height, kind == kRuns4)) {
      return TruncatedMedia(UnexpectedMedia(file.reader.name(), kExpectedImage, "a truncated BMP",
                                            "Write it again."));
    }
  }
  return DecodeOnePacket(file, "bmp", format, BmpBeginning(file.reader, head));
}

MediaFormat PacketFormat(const char* name, std::vector<std::string> extensions) {
  MediaFormat format{"image", name, "libavcodec", std::move(extensions)};
  format.available = [name] { return HasDecoder(name); };
  return format;
}

}  // namespace

std::vector<MediaFormat> PacketFormats() {
  MediaFormat anymap = PacketFormat("pgm", {"pgm", "ppm", "pbm", "pnm"});
  anymap.matches = &IsAnymap;
  anymap.decode_image = &DecodeAnymap;
  MediaFormat bmp = PacketFormat("bmp", {"bmp", "dib"});
  bmp.matches = [](absl::string_view head) { return absl::StartsWith(head, "BM"); };
  bmp.decode_image = &DecodeBmp;
  return {std::move(anymap), std::move(bmp)};
}

}  // namespace unival
