// unival: test_columns.h - whether a source can be read to its end, for tests of damaged data.
#ifndef UNIVAL_TRAINING_DATA_READ_TEST_COLUMNS_H_
#define UNIVAL_TRAINING_DATA_READ_TEST_COLUMNS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "training/data/read/source.h"

namespace unival {

// Names of the fields of all records, sorted. Reads every record: the first error is returned.
inline absl::StatusOr<std::vector<std::string>> AllColumns(const Source& source) {
  std::set<std::string> columns;
  for (int64_t i = 0; i < source.size(); ++i) {
    const absl::StatusOr<TaskSample> sample = source.Read(i);
    if (!sample.ok()) return sample.status();
    for (const auto& field : sample->fields) columns.insert(field.first);
  }
  return std::vector<std::string>(columns.begin(), columns.end());
}

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_TEST_COLUMNS_H_
