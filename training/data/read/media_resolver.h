// unival: media_resolver.h - media paths of a JSONL file as media sources.
#ifndef UNIVAL_TRAINING_DATA_READ_MEDIA_RESOLVER_H_
#define UNIVAL_TRAINING_DATA_READ_MEDIA_RESOLVER_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "sdk/native/media.h"
#include "training/data/files/tar_index.h"

namespace unival {

// "a/b.jsonl" -> "a", "b.jsonl" -> ".".
std::string FolderOf(const std::string& path);
// The last part of a path.
std::string FileName(const std::string& path);

// Paths as they stand in `file`, relative to its folder: "images/7.png", or "images.tar:7.png" for
// a member of a tar, which is opened at first use and stays open. Where `roots` has a name,
// "coco:train2014/7.jpg" and "coco:images.tar:7.png" are relative to that folder instead.
// Thread-safe.
class MediaResolver {
 public:
  explicit MediaResolver(const std::string& file, std::map<std::string, std::string> roots = {},
                         IndexOptions index = {})
      : file_(file), roots_(std::move(roots)), index_(std::move(index)) {}

  // InvalidArgument for a path that leaves its folder, also through a link; NotFound for a missing
  // file, tar or member, and for a root that is not given.
  // Without `with_bytes` a member of a tar has none.
  absl::StatusOr<MediaSource> Resolve(const std::string& path, bool with_bytes = true) const;
  // A source for media that Resolve did not find. Decoding it gives the usual error with the path.
  MediaSource Missing(const std::string& path) const { return {path, FullPath(path), nullptr}; }
  // Where `path`, without a member of a tar, lies; errors as Resolve.
  absl::StatusOr<std::string> FindFile(const std::string& path) const;
  // The tar at `path`; errors as Resolve.
  absl::StatusOr<std::shared_ptr<const TarIndex>> Tar(const std::string& path) const;
  // Those that were opened so far.
  std::vector<std::shared_ptr<const TarIndex>> OpenedTars() const;

 private:
  struct Place {
    const std::string* root;  // null where it is the folder of the file
    std::string relative;
  };
  Place PlaceOf(const std::string& path) const;
  std::string FullPath(const std::string& path) const;
  absl::StatusOr<MediaSource> Member(const std::string& tar, const std::string& member,
                                     bool with_bytes) const;

  const std::string file_;
  const std::map<std::string, std::string> roots_;
  const IndexOptions index_;
  mutable absl::Mutex mutex_;
  mutable absl::flat_hash_map<std::string, std::shared_ptr<const TarIndex>> tars_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_MEDIA_RESOLVER_H_
