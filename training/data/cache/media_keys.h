// unival: media_keys.h
//
// The keys under which a feature cache keeps media: a hash of an item's bytes and of how it is
// augmented. An item is read and hashed once in a run, not once in an epoch.
//
//   MediaKeys keys;                                              // one for the whole run
//   UNIVAL_ASSIGN_OR_RETURN(std::string key, keys.Key(media, place, augmentation));
//
// What is trusted in place of the bytes (docs/decisions/0004_feature_cache.md): of a file, that it
// is the same while its device, inode, size, and times of modification and change are; of bytes in
// memory, that the same place of a source always gives the same ones, as Source promises.
#ifndef UNIVAL_TRAINING_DATA_CACHE_MEDIA_KEYS_H_
#define UNIVAL_TRAINING_DATA_CACHE_MEDIA_KEYS_H_

#include <cstdint>
#include <string>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "sdk/native/media.h"

namespace unival {

// The key of one item, made from its bytes: 64 hex digits. `augmentation`: 0 for the plain item. A
// MediaError with the file system's code where the file cannot be read.
absl::StatusOr<std::string> MediaKey(const MediaSource& media, uint64_t augmentation);

// Gives the same keys, and remembers them. Thread-safe; takes about 200 bytes an item.
class MediaKeys {
 public:
  // `place` names where bytes in memory came from, unique within the run: source, record, input.
  // Files are known by their path, whatever the place; an empty place is not remembered.
  absl::StatusOr<std::string> Key(const MediaSource& media, absl::string_view place,
                                  uint64_t augmentation);
  // Items whose bytes were read and hashed so far.
  int64_t hashed() const;

 private:
  struct Known {
    std::string state;   // what the file system said when the bytes were hashed
    std::string digest;  // of the bytes
  };

  absl::StatusOr<std::string> Digest(const MediaSource& media, absl::string_view place);

  mutable absl::Mutex mutex_;
  std::unordered_map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
  int64_t hashed_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CACHE_MEDIA_KEYS_H_
