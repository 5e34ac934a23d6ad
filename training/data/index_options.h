// unival: index_options.h - where the indexes of big data files are kept (docs/formats/data.md).
#ifndef UNIVAL_TRAINING_DATA_INDEX_OPTIONS_H_
#define UNIVAL_TRAINING_DATA_INDEX_OPTIONS_H_

#include <cstdint>
#include <string>

namespace unival {

struct IndexOptions {
  bool enabled = true;   // false: none is read and none is written
  bool is_read = true;   // false: what is kept is not believed; the file is read, and kept anew
  std::string folder;    // of all indexes; empty: each is beside its data, ".FILE.index"
  std::string fallback;  // a folder for those that cannot be written beside; empty: none
  // Bytes that a file has at least: a smaller one is read as quickly as an index of it.
  int64_t smallest = int64_t{4} << 20;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_INDEX_OPTIONS_H_
