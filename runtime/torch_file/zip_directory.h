// unival: zip_directory.h
//
// Where the files inside a zip archive lie: those stored without compression, as torch.save writes
// them, so that tensors can be used in place over a mapping; and, where they are asked for, those
// that are compressed, as the texts in files of torch.jit.save are.
//
//   UNIVAL_ASSIGN_OR_RETURN(ZipDirectory entries, ParseZipDirectory(file->bytes()));
//   absl::string_view pickle = file->bytes().substr(entries.at(name).offset, …);
#ifndef UNIVAL_RUNTIME_TORCH_FILE_ZIP_DIRECTORY_H_
#define UNIVAL_RUNTIME_TORCH_FILE_ZIP_DIRECTORY_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// Bytes [offset, offset + size) of the archive.
struct ZipEntry {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t unpacked = 0;  // the same as `size` where it is stored
  bool is_deflated = false;
};
using ZipDirectory = std::map<std::string, ZipEntry>;

// `file` is the whole archive, zip64 included. Everything is checked: records outside the file,
// entries that overlap or are listed twice, and local headers that differ from the directory are
// refused. InvalidArgument names the entry; Unimplemented an encrypted one, and a compressed one
// unless those are asked for.
enum class ZipEntries { kStored, kStoredAndDeflated };
absl::StatusOr<ZipDirectory> ParseZipDirectory(absl::string_view file,
                                               ZipEntries entries = ZipEntries::kStored);

// The bytes of an entry. `file` as above; takes no more than `most` bytes, and no more than the
// entry says. InvalidArgument: more, less, or no deflated data.
absl::StatusOr<std::string> Unpack(absl::string_view file, const ZipEntry& entry, uint64_t most);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCH_FILE_ZIP_DIRECTORY_H_
