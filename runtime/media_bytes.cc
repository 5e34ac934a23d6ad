#include "runtime/media_bytes.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"

namespace unival {

std::string MediaName(const MediaSource& media) {
  return media.name.empty() ? media.path : media.name;
}

absl::StatusOr<std::shared_ptr<const std::string>> MediaBytes(const MediaSource& media) {
  std::shared_ptr<const std::string> bytes = media.bytes;
  if (bytes == nullptr) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(media.path, error)) {
      return MediaError(absl::NotFoundError(absl::StrCat(MediaName(media), ": no such file")));
    }
    absl::StatusOr<std::string> content = ReadWholeFile(media.path);
    bytes = std::make_shared<const std::string>(std::move(content).value_or(""));
  }
  if (bytes->empty()) {
    return MediaError(
        absl::InvalidArgumentError(absl::StrCat(MediaName(media), ": is empty or cannot be read")));
  }
  return bytes;
}

}  // namespace unival
