// unival: series.h - numbers in CSV as a time series.
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_SERIES_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_SERIES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// One step per line, `channels` numbers between commas, row by row; spaces around numbers, empty
// lines and one heading without numbers are allowed. At most `max_steps` lines (0: no bound).
// InvalidArgument names the line: another number of columns, text that is no finite number; or that
// there is no step at all.
absl::StatusOr<std::vector<float>> ParseSeries(absl::string_view csv, int channels,
                                               int64_t max_steps);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_SERIES_H_
