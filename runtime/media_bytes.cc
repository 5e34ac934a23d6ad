#include "runtime/media_bytes.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace unival {

std::string MediaName(const MediaSource& media) { return media.name.empty() ? media.path : media.name; }

absl::StatusOr<std::shared_ptr<const std::string>> MediaBytes(const MediaSource& media) {
  std::shared_ptr<const std::string> bytes = media.bytes;
  if (bytes == nullptr) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(media.path, error)) {
      return absl::NotFoundError(absl::StrCat(MediaName(media), ": no such file"));
    }
    std::ifstream file(media.path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    bytes = std::make_shared<const std::string>(content.str());
  }
  if (bytes->empty()) return absl::InvalidArgumentError(absl::StrCat(MediaName(media), ": is empty or cannot be read"));
  return bytes;
}

}  // namespace unival
