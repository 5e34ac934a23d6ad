// unival: index_options.h - where the indexes of big data files are kept (docs/formats/data.md).
#ifndef UNIVAL_TRAINING_DATA_FILES_INDEX_OPTIONS_H_
#define UNIVAL_TRAINING_DATA_FILES_INDEX_OPTIONS_H_

#include <cstdint>
#include <string>

namespace unival {

struct IndexOptions {
  bool enabled = true;   // false: indexes are neither read nor written
  bool is_read = true;   // false: indexes are not trusted; files are read, indexes written anew
  std::string folder;    // for all indexes; empty: each is beside its data, ".FILE.index"
  std::string fallback;  // for those that cannot be written beside their data; empty: none
  // Least size in bytes of a file that gets an index: a smaller file is read as quickly as its
  // index.
  int64_t smallest = int64_t{4} << 20;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FILES_INDEX_OPTIONS_H_
