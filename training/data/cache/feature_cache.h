// unival: feature_cache.h
//
// Features of frozen encoders on disk, so that each media item is encoded once over all epochs and
// runs.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto cache, FeatureCache::Open("run/cache", "image", identity));
//   if (absl::optional<ModalityFeatures> hit = cache->Find(key)) return *hit;
//   UNIVAL_RETURN_IF_ERROR(cache->Add(key, features));
//
// One append-only file per (modality, identity); the identity covers everything that features
// depend on beside the media: id, type, schema, preprocessing, encoder weights. A record is a
// header and a payload, each with a checksum. Opening reads the headers and cuts off a torn tail; a
// payload is checked whenever it is read, and one that is damaged, or there no more, is treated as
// absent. Tensors found own their memory.
//
// With a limit, features that would make all caches of the folder together larger than the limit
// are not kept. Those that were kept first stay: where data is read epoch after epoch, no other
// choice saves more. Features that are not kept are computed again, to the same bits.
//
// Many runs may use one file at once: each sees what the others have added, and the lock on the
// file is held only while a record is appended or an end cut off.
#ifndef UNIVAL_TRAINING_DATA_CACHE_FEATURE_CACHE_H_
#define UNIVAL_TRAINING_DATA_CACHE_FEATURE_CACHE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "runtime/model.h"
#include "sdk/native/modality.h"

namespace unival {

constexpr char kFeatureCacheExtension[] = ".features";

// Thread-safe, and safe between processes.
class FeatureCache {
 public:
  // Creates folder and file as needed. `most_bytes`: of all caches of the folder together; none:
  // no limit. Runs that add to different files at the same moment may pass it by one record each,
  // and a folder that is larger already keeps what it has. FailedPrecondition when the file holds
  // something else, or a process keeps its lock for half a minute (also of Add); Internal for what
  // the system refuses.
  static absl::StatusOr<std::unique_ptr<FeatureCache>> Open(
      const std::string& directory, const std::string& modality, const std::string& identity,
      absl::optional<int64_t> most_bytes = {});
  ~FeatureCache();
  FeatureCache(const FeatureCache&) = delete;
  FeatureCache& operator=(const FeatureCache&) = delete;

  // B = 1 features as they were added, to the bit.
  absl::optional<ModalityFeatures> Find(const std::string& key);
  // `features`: B = 1, on the CPU. A second record of a key replaces the first, unless another run
  // has added it meanwhile: then that one stays.
  absl::Status Add(const std::string& key, const ModalityFeatures& features);

  int64_t size() const;
  const std::string& path() const { return path_; }

 private:
  FeatureCache() = default;
  absl::Status ReadIndex();       // with the lock: also makes the head, and cuts off a torn tail
  absl::Status ReadNewRecords();  // that others have added behind end_
  absl::Status Append(const std::string& key, const std::vector<char>& record);
  bool HasRoomFor(int64_t bytes) const;

  std::string path_;
  absl::optional<int64_t> most_bytes_;
  int file_ = -1;
  mutable absl::Mutex mutex_;
  int64_t end_ = 0;
  std::unordered_map<std::string, int64_t> entries_;  // key -> offset of the record
};

// Hash of all that the features of the modality `id` depend on beside the media and the
// augmentation. NotFound: the model does not have it.
absl::StatusOr<std::string> FeatureIdentity(const Model& model, const std::string& id);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CACHE_FEATURE_CACHE_H_
