#include "modalities/io/decode_jpeg.h"

#include <ATen/ops/empty.h>
#include <turbojpeg.h>

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "modalities/io/builtin_formats.h"
#include "modalities/io/media_container.h"
#include "modalities/io/one_packet.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

struct DestroyHandle {
  void operator()(void* handle) const { tjDestroy(handle); }
};

absl::Status Damaged(const std::string& name, tjhandle handle) {
  return UnexpectedMedia(name, kExpectedImage,
                         absl::StrCat("a JPEG (", tjGetErrorStr2(handle), ")"), "Write it again.");
}

// Superfluous bytes between segments lose nothing; every other warning means lost pixels.
bool IsHarmless(tjhandle handle) {
  return tjGetErrorCode(handle) == TJERR_WARNING &&
         absl::StrContains(tjGetErrorStr2(handle), "extraneous bytes");
}

// Decoders fill the missing part of a cut JPEG with grey and report no error; the missing end
// marker is the only sign.
bool IsCut(const AVPacket& packet) {
  const absl::string_view bytes(reinterpret_cast<const char*>(packet.data), packet.size);
  const size_t scan = bytes.rfind("\xff\xda");
  const size_t end = bytes.rfind("\xff\xd9");
  return scan != absl::string_view::npos && (end == absl::string_view::npos || end < scan);
}

absl::StatusOr<at::Tensor> DecodeJpegFile(const EncodedMedia& file, PixelFormat format) {
  UNIVAL_ASSIGN_OR_RETURN(const auto packet, ReadWholePacket(file));
  const std::string& name = file.reader.name();
  if (IsCut(*packet)) {
    return UnexpectedMedia(name, kExpectedImage, "a truncated file", "Write it again.");
  }
  absl::StatusOr<at::Tensor> pixels = DecodeJpeg(
      name, {packet->data, static_cast<size_t>(packet->size)}, format, file.options.max_pixels);
  if (!absl::IsUnimplemented(pixels.status())) return pixels;
  return DecodePacket(file, AV_CODEC_ID_MJPEG, *packet, format);
}

}  // namespace

MediaFormat JpegFormat() {
  MediaFormat format{"image", "jpeg", "mjpeg"};
  format.available = [] { return HasDecoder("mjpeg"); };
  format.matches = [](absl::string_view head) { return absl::StartsWith(head, "\xff\xd8\xff"); };
  format.decode_image = &DecodeJpegFile;
  return format;
}

absl::StatusOr<at::Tensor> DecodeJpeg(const std::string& name, absl::Span<const uint8_t> bytes,
                                      PixelFormat format, int64_t max_pixels) {
  const std::unique_ptr<void, DestroyHandle> handle(tjInitDecompress());
  if (handle == nullptr) return absl::ResourceExhaustedError("libjpeg-turbo: no memory");
  int width = 0, height = 0, subsampling = 0, space = 0;
  const int read = tjDecompressHeader3(handle.get(), bytes.data(), bytes.size(), &width, &height,
                                       &subsampling, &space);
  // FFmpeg reads these kinds of JPEG, and has better messages for what is no JPEG.
  if (read != 0 || space == TJCS_CMYK || space == TJCS_YCCK || format == PixelFormat::kGray16) {
    return absl::UnimplementedError("left to FFmpeg");
  }
  if (height > max_pixels / width) {
    return UnexpectedMedia(name, absl::StrCat("at most ", max_pixels, " pixels"),
                           absl::StrCat(width, " x ", height),
                           "Scale it down or raise max_pixels.");
  }
  const bool grey = format == PixelFormat::kGray8;
  at::Tensor pixels = at::empty({height, width, grey ? 1 : 3}, at::kByte);
  const auto decode = [&](int flags) {
    return tjDecompress2(
        handle.get(), bytes.data(), bytes.size(), pixels.data_ptr<uint8_t>(), width,
        /*pitch=*/0, height, grey ? TJPF_GRAY : TJPF_RGB, TJFLAG_ACCURATEDCT | flags);
  };
  if (decode(TJFLAG_STOPONWARNING) == 0) return pixels;
  if (!IsHarmless(handle.get())) return Damaged(name, handle.get());
  if (decode(0) == 0 || IsHarmless(handle.get())) return pixels;
  return Damaged(name, handle.get());
}

}  // namespace unival
