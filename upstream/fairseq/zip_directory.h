// unival: zip_directory.h
//
// Where the files inside a zip archive lie, for archives whose entries are stored without
// compression, as torch.save writes them; so that tensors can be used in place over a mapping.
//
//   UNIVAL_ASSIGN_OR_RETURN(ZipDirectory entries, ParseZipDirectory(file->bytes()));
//   absl::string_view pickle = file->bytes().substr(entries.at(name).offset, …);
#ifndef UNIVAL_UPSTREAM_FAIRSEQ_ZIP_DIRECTORY_H_
#define UNIVAL_UPSTREAM_FAIRSEQ_ZIP_DIRECTORY_H_

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
};
using ZipDirectory = std::map<std::string, ZipEntry>;

// `file` is the whole archive, zip64 included. Everything is checked: records outside the file,
// entries that overlap or are listed twice, and local headers that differ from the directory are
// refused. InvalidArgument names the entry; Unimplemented a compressed or encrypted one.
absl::StatusOr<ZipDirectory> ParseZipDirectory(absl::string_view file);

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_FAIRSEQ_ZIP_DIRECTORY_H_
