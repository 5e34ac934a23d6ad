#include "modalities/io/limits.h"

#include "absl/strings/str_cat.h"
#include "modalities/io/byte_reader.h"

namespace unival {

int64_t DecodingMemory(const DecoderOptions& options) {
  constexpr int64_t kBase = int64_t{64} << 20, kMost = int64_t{1} << 50;
  return kBase + 4 * (options.max_pixels < kMost ? options.max_pixels : kMost);
}

absl::Status CheckPixels(const std::string& name, const DecoderOptions& options, int64_t width,
                         int64_t height) {
  if (width > 0 && height > 0 && height <= options.max_pixels / width) return absl::OkStatus();
  return UnexpectedMedia(
      name, absl::StrCat("at most ", options.max_pixels, " pixels"),
      absl::StrCat(width, " x ", height),
      width > 0 && height > 0 ? "Scale it down or raise max_pixels." : "Write it again.");
}

absl::Status CheckMemory(const std::string& name, const DecoderOptions& options, int64_t bytes,
                         const std::string& what) {
  const int64_t most = DecodingMemory(options);
  if (bytes <= most) return absl::OkStatus();
  return UnexpectedMedia(name, absl::StrCat("what can be decoded within ", most, " bytes"),
                         absl::StrCat(what, ", which needs ", bytes),
                         "Scale it down, store it as baseline JPEG or PNG, or raise max_pixels.");
}

}  // namespace unival
