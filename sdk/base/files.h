// unival: files.h
//
// Files that are either wholly there or not at all, and read-only views of large ones.
//
//   UNIVAL_RETURN_IF_ERROR(WriteFileAtomically("model/manifest.textproto", {text}));
//   UNIVAL_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file,
//                           MappedFile::Open("model/backbone.safetensors"));
#ifndef UNIVAL_SDK_BASE_FILES_H_
#define UNIVAL_SDK_BASE_FILES_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// A file's bytes in memory, loaded by the system as they are touched. Writing to them changes this
// process's copy only, never the file. Thread-safe as far as plain memory is. The file must not be
// truncated while mapped; files written by WriteFileAtomically are replaced, not changed.
class MappedFile {
 public:
  // NotFound, or Internal with the system's reason.
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  absl::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  MappedFile(void* data, size_t size) : data_(data), size_(size) {}
  void* const data_;
  const size_t size_;
};

// Writes the pieces one after the other to a temporary file beside `path`, syncs it, renames it,
// and syncs the directory. On any error `path` is as it was and the temporary file is gone.
absl::Status WriteFileAtomically(const std::string& path,
                                 const std::vector<absl::string_view>& pieces);

// Makes the names in a directory durable.
absl::Status SyncDirectory(const std::string& path);

// NotFound names the file.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

// `path`: the error in words, with the system's reason for `error` (an errno). NotFound for ENOENT.
absl::Status SystemError(const std::string& path, absl::string_view what, int error);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_FILES_H_
