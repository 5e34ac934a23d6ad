// unival: output_check.h - whether results would be written over the data that they are about.
#ifndef UNIVAL_TRAINING_DATA_READ_OUTPUT_CHECK_H_
#define UNIVAL_TRAINING_DATA_READ_OUTPUT_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "training/data/read/source.h"

namespace unival {

// Does for the data of `source` what CheckOutputFiles does for files that are known by name: its
// files of records, the tars with its media, and single media files. Where one of `files` is there
// already, every record is looked at once, without the bytes of its media; otherwise none is. A
// record that cannot be read is passed over.
absl::Status CheckOutputFiles(const std::vector<std::string>& files, const Source& source);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_OUTPUT_CHECK_H_
