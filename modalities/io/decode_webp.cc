// WebP through libwebp, whose interpolation of colours other decoders do not have. Of an animation,
// the first picture on its canvas.
#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "modalities/io/builtin_formats.h"
#include "modalities/io/limits.h"
#include "modalities/io/one_packet.h"
#include "modalities/io/picture_writer.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

constexpr int kRiffHeadBytes = 8;

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, DeleteDemuxer>;

absl::Status Damaged(const ByteReader& reader) {
  if (!reader.failure().ok()) return reader.failure();
  return UnexpectedMedia(reader.name(), kExpectedImage, "a damaged WebP", "Write it again.");
}

// What the head says belongs to the picture; bytes behind that are not read.
absl::StatusOr<std::string> ReadPicture(const EncodedMedia& file) {
  const ByteReader& reader = file.reader;
  const std::string head = reader.Text(0, kRiffHeadBytes);
  int64_t size = kRiffHeadBytes;
  if (head.size() == kRiffHeadBytes) size += static_cast<int64_t>(LittleEndian(head.substr(4), 4));
  if (size > reader.size()) {
    return TruncatedMedia(
        UnexpectedMedia(reader.name(), kExpectedImage,
                        absl::StrCat("a truncated WebP, ", reader.size(), " of ", size, " bytes"),
                        "Write it again."));
  }
  UNIVAL_RETURN_IF_ERROR(CheckMemory(reader.name(), file.options, size, "a WebP file"));
  std::string bytes = reader.Text(0, size);
  if (static_cast<int64_t>(bytes.size()) != size) return Damaged(reader);
  return bytes;
}

Orientation WebpOrientation(const WebPDemuxer* demuxer) {
  WebPChunkIterator chunk;
  Orientation orientation = Orientation::kUpright;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) != 0) {
    orientation =
        ExifOrientation({reinterpret_cast<const char*>(chunk.chunk.bytes), chunk.chunk.size});
    WebPDemuxReleaseChunkIterator(&chunk);
  }
  return orientation;
}

// Bytes that libwebp takes to decode `features` into 3 bytes a pixel.
int64_t DecoderBytes(const WebPBitstreamFeatures& features) {
  constexpr int kLossless = 2, kArgbBytes = 4, kAlphaBytes = 2;
  const int64_t pixels = int64_t{features.width} * features.height;
  if (features.format == kLossless) return pixels * kArgbBytes;
  return features.has_alpha != 0 ? pixels * kAlphaBytes : 0;
}

// Decodes one picture straight to its place in `out`, RGB with `stride` bytes a row.
bool DecodeInto(const uint8_t* data, size_t size, uint8_t* out, int64_t stride, int64_t bytes) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return false;
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = out;
  config.output.u.RGBA.stride = static_cast<int>(stride);
  config.output.u.RGBA.size = static_cast<size_t>(bytes);
  return WebPDecode(data, size, &config) == VP8_STATUS_OK;
}

// [H, W, 3] as stored; outside the first picture of an animation its canvas is black.
absl::StatusOr<at::Tensor> DecodeCanvas(const EncodedMedia& file, const WebPDemuxer* demuxer,
                                        int64_t file_bytes) {
  const ByteReader& reader = file.reader;
  const int64_t width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH);
  const int64_t height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
  WebPIterator first;
  if (WebPDemuxGetFrame(demuxer, 1, &first) == 0) return Damaged(reader);
  const std::unique_ptr<WebPIterator, void (*)(WebPIterator*)> release(&first,
                                                                       &WebPDemuxReleaseIterator);
  WebPBitstreamFeatures features;
  const WebPData& data = first.fragment;
  if (first.complete == 0 || WebPGetFeatures(data.bytes, data.size, &features) != VP8_STATUS_OK ||
      features.width != first.width || features.height != first.height) {
    return Damaged(reader);
  }
  UNIVAL_RETURN_IF_ERROR(CheckPixels(reader.name(), file.options, width, height));
  UNIVAL_RETURN_IF_ERROR(CheckMemory(reader.name(), file.options,
                                     file_bytes + 3 * width * height + DecoderBytes(features),
                                     absl::StrCat("a WebP of ", width, " x ", height)));
  UNIVAL_ASSIGN_OR_RETURN(
      PictureWriter writer,
      PictureWriter::Create(reader.name(), PixelFormat::kRgb8, file.options, {height, width}, ""));
  at::Tensor canvas = writer.Take();
  auto* out = canvas.data_ptr<uint8_t>();
  const int64_t stride = 3 * width, begin = first.y_offset * stride + 3 * first.x_offset;
  const int64_t bytes = (first.height - 1) * stride + 3 * first.width;
  if (first.width != width || first.height != height) std::memset(out, 0, canvas.nbytes());
  if (first.x_offset < 0 || first.y_offset < 0 || first.x_offset + first.width > width ||
      first.y_offset + first.height > height ||
      !DecodeInto(data.bytes, data.size, out + begin, stride, bytes)) {
    return Damaged(reader);
  }
  return canvas;
}

absl::StatusOr<at::Tensor> DecodeWebp(const EncodedMedia& file, PixelFormat format) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string bytes, ReadPicture(file));
  const WebPData data = {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
  const Demuxer demuxer(WebPDemux(&data));
  if (demuxer == nullptr) return Damaged(file.reader);
  const Orientation orientation = WebpOrientation(demuxer.get());
  UNIVAL_ASSIGN_OR_RETURN(at::Tensor canvas,
                          DecodeCanvas(file, demuxer.get(), static_cast<int64_t>(bytes.size())));
  if (format == PixelFormat::kRgb8 &&
      (orientation == Orientation::kUpright || !file.options.upright)) {
    return canvas;
  }
  const int64_t height = canvas.size(0), width = canvas.size(1);
  UNIVAL_RETURN_IF_ERROR(CheckMemory(file.reader.name(), file.options,
                                     static_cast<int64_t>(bytes.size()) + 6 * height * width,
                                     absl::StrCat("a turned WebP of ", width, " x ", height)));
  UNIVAL_ASSIGN_OR_RETURN(PictureWriter writer,
                          PictureWriter::Create(file.reader.name(), format, file.options,
                                                {height, width, orientation}, "a WebP of 8 bits"));
  const uint8_t* pixels = canvas.data_ptr<uint8_t>();
  for (int64_t row = 0; row < height; ++row) writer.PutRgb(row, pixels + row * width * 3);
  return writer.Take();
}

}  // namespace

MediaFormat WebpFormat() {
  MediaFormat format{"image", "webp", "libwebp", {"webp"}};
  format.matches = [](absl::string_view head) {
    return absl::StartsWith(head, "RIFF") && absl::ClippedSubstr(head, 8, 4) == "WEBP";
  };
  format.decode_image = &DecodeWebp;
  return format;
}

}  // namespace unival
