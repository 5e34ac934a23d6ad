// unival: csv_rows.h - the rows of a CSV file. Fields may be quoted; a quoted field may hold
// commas, line ends, and quotes, which are doubled in it.
#ifndef UNIVAL_TRAINING_DATA_IMPORT_CSV_ROWS_H_
#define UNIVAL_TRAINING_DATA_IMPORT_CSV_ROWS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival {

// Column -> text.
using CsvRow = std::map<std::string, std::string>;

// Hands over the rows below the head of a file, which must name all of `columns`. InvalidArgument
// names file and line of a row with more or fewer fields than the head, or a quote that does not
// end.
absl::Status ForEachCsvRow(const std::string& file, const std::vector<std::string>& columns,
                           const std::function<absl::Status(const CsvRow&)>& take);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_CSV_ROWS_H_
