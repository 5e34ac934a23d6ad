#include "sdk/native/media_bytes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/native/media_file_error.h"

namespace unival {

std::string MediaName(const MediaSource& media) {
  if (!media.name.empty()) return media.name;
  return media.path.empty() ? "media in memory" : media.path;
}

absl::StatusOr<std::shared_ptr<const std::string>> MediaBytes(const MediaSource& media) {
  std::shared_ptr<const std::string> bytes = media.bytes;
  if (bytes == nullptr) {
    const absl::StatusOr<Descriptor> file = OpenRegularFile(media.path);
    if (!file.ok()) return MediaFileError(file.status());
    absl::StatusOr<std::string> content = ReadToEnd(file->get(), media.path);
    if (!content.ok()) return MediaFileError(content.status());
    bytes = std::make_shared<const std::string>(*std::move(content));
  }
  if (bytes->empty()) {
    return MediaError(absl::InvalidArgumentError(absl::StrCat(MediaName(media), ": is empty")));
  }
  return bytes;
}

}  // namespace unival
