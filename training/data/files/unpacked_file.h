// unival: unpacked_file.h - a data file's bytes in memory, unpacked where it is packed.
//
//   UNIVAL_ASSIGN_OR_RETURN(const auto file, OpenUnpacked("captions.jsonl.zst"));
//   Parse(file->bytes());
#ifndef UNIVAL_TRAINING_DATA_FILES_UNPACKED_FILE_H_
#define UNIVAL_TRAINING_DATA_FILES_UNPACKED_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sdk/base/mapped_file.h"

namespace unival {

// How much a packed file of `packed` bytes may hold. Far more than text or media ever do, and far
// less than a file that is made to fill a disk.
constexpr int64_t MostUnpacked(int64_t packed) {
  constexpr int64_t kAlways = int64_t{256} << 20, kRatio = 100;
  return packed * kRatio > kAlways ? packed * kRatio : kAlways;
}

// The file mapped as it is; or, where its first bytes say gzip or zstd, mapped as it was before it
// was packed; "-" is standard input up to its end, packed or not. What is unpacked or comes from
// standard input lies in a file without a name beside `path` (or where that cannot be written, in
// /var/tmp or in memory), which is gone when the last user lets go of it. InvalidArgument or
// DataLoss "PATH: ..." for a packed file that is damaged or cut; ResourceExhausted for one that
// holds more than MostUnpacked, or where there is no room. Errors else as MappedFile::Open.
absl::StatusOr<std::shared_ptr<const MappedFile>> OpenUnpacked(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FILES_UNPACKED_FILE_H_
