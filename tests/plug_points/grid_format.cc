#include "tests/plug_points/grid_format.h"

#include <ATen/ops/empty.h>

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace unival {
namespace {

constexpr int64_t kHeaderBytes = 6;

absl::StatusOr<at::Tensor> DecodeGrid(const EncodedMedia& file, PixelFormat format) {
  const ByteReader& reader = file.reader;
  std::vector<uint8_t> bytes(reader.size());
  if (reader.ReadAt(0, bytes.data(), reader.size()) < kHeaderBytes) {
    return UnexpectedMedia(reader.name(), "a grid", "no header", "Write it again.");
  }
  const int64_t width = bytes[4], height = bytes[5];
  if (width * height > file.options.max_pixels) {
    return UnexpectedMedia(reader.name(),
                           absl::StrCat("at most ", file.options.max_pixels, " pixels"),
                           absl::StrCat(width, " x ", height), "Raise max_pixels.");
  }
  if (reader.size() != kHeaderBytes + width * height) {
    return UnexpectedMedia(reader.name(), "a grid", "a truncated file", "Write it again.");
  }
  const int64_t channels = format == PixelFormat::kRgb8 ? 3 : 1;
  at::Tensor pixels = at::empty({height, width, channels}, at::kByte);
  for (int64_t i = 0; i < pixels.numel(); ++i) {
    pixels.data_ptr<uint8_t>()[i] = bytes[kHeaderBytes + i / channels];
  }
  return pixels;
}

}  // namespace

MediaFormat GridFormat() {
  MediaFormat format{"image", "grid", "grid", {"grid"}};
  format.matches = [](absl::string_view head) { return absl::StartsWith(head, "GRID"); };
  format.decode_image = &DecodeGrid;
  return format;
}

}  // namespace unival
