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
#include "sdk/base/status_macros.h"

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

absl::StatusOr<at::Tensor> DecodeBmp(const EncodedMedia& file, PixelFormat format) {
  return DecodeOnePacket(file, "bmp", format);
}

MediaFormat PacketFormat(const char* name) {
  MediaFormat format{"image", name, "libavcodec"};
  format.available = [name] { return HasDecoder(name); };
  return format;
}

}  // namespace

std::vector<MediaFormat> PacketFormats() {
  MediaFormat anymap = PacketFormat("pgm");
  anymap.matches = &IsAnymap;
  anymap.decode_image = &DecodeAnymap;
  MediaFormat bmp = PacketFormat("bmp");
  bmp.matches = [](absl::string_view head) { return absl::StartsWith(head, "BM"); };
  bmp.decode_image = &DecodeBmp;
  return {std::move(anymap), std::move(bmp)};
}

}  // namespace unival
