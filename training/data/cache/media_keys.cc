#include "training/data/cache/media_keys.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/file_state.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/media_file_error.h"

namespace unival {
namespace {

absl::StatusOr<std::string> HashBytes(const MediaSource& media) {
  if (media.bytes != nullptr) return Sha256Hex(*media.bytes);
  absl::StatusOr<std::string> digest = Sha256HexOfFile(media.path);
  if (!digest.ok()) return MediaFileError(digest.status());
  return digest;
}

std::string KeyOf(const std::string& digest, uint64_t augmentation) {
  Sha256 hash;
  hash.UpdateInteger(augmentation);
  hash.UpdateField(digest);
  return hash.HexDigest();
}

}  // namespace

absl::StatusOr<std::string> MediaKey(const MediaSource& media, uint64_t augmentation) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string digest, HashBytes(media));
  return KeyOf(digest, augmentation);
}

absl::StatusOr<std::string> MediaKeys::Key(const MediaSource& media, absl::string_view place,
                                           uint64_t augmentation) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string digest, Digest(media, place));
  return KeyOf(digest, augmentation);
}

absl::StatusOr<std::string> MediaKeys::Digest(const MediaSource& media, absl::string_view place) {
  const bool is_file = media.bytes == nullptr;
  const std::string name = is_file ? absl::StrCat("file ", media.path) : std::string(place);
  const std::string before = is_file ? FileState(media.path) : "in memory";
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = known_.find(name);
    if (found != known_.end() && found->second.state == before) return found->second.digest;
  }
  UNIVAL_ASSIGN_OR_RETURN(std::string digest, HashBytes(media));
  // A file that changed while it was read is hashed again the next time.
  const bool is_steady = !is_file || (!before.empty() && FileState(media.path) == before);
  const absl::MutexLock lock(&mutex_);
  ++hashed_;
  if (is_steady && !name.empty()) known_[name] = {before, digest};
  return digest;
}

int64_t MediaKeys::hashed() const {
  const absl::MutexLock lock(&mutex_);
  return hashed_;
}

}  // namespace unival
