// unival: media_resolver.h - media paths of a JSONL file as media sources.
#ifndef UNIVAL_TRAINING_DATA_MEDIA_RESOLVER_H_
#define UNIVAL_TRAINING_DATA_MEDIA_RESOLVER_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "sdk/native/media.h"
#include "training/data/tar_index.h"

namespace unival {

// "a/b.jsonl" -> "a", "b.jsonl" -> ".".
std::string FolderOf(const std::string& path);
// The last part of a path.
std::string FileName(const std::string& path);

// Paths as they stand in `file`, relative to its folder: "images/7.png", or "images.tar:7.png" for
// a member of a tar, which is opened at first use and stays open. Thread-safe.
class MediaResolver {
 public:
  explicit MediaResolver(const std::string& file) : file_(file), folder_(FolderOf(file)) {}

  // InvalidArgument for a path that leaves the folder, also through a link; NotFound for a missing
  // file, tar or member.
  absl::StatusOr<MediaSource> Resolve(const std::string& path) const;
  // The source of media that Resolve did not find: any decoder says so, with the path.
  MediaSource Missing(const std::string& path) const { return {path, FullPath(path), nullptr}; }
  std::string FullPath(absl::string_view relative) const;

 private:
  absl::StatusOr<std::shared_ptr<const TarIndex>> Tar(const std::string& relative) const;
  absl::StatusOr<MediaSource> Member(const std::string& tar, const std::string& member) const;

  const std::string file_, folder_;
  mutable absl::Mutex mutex_;
  mutable absl::flat_hash_map<std::string, std::shared_ptr<const TarIndex>> tars_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_MEDIA_RESOLVER_H_
