// unival: run_results.h - what `unival train --json` printed and log.jsonl holds, as a row of the
// report.
#ifndef UNIVAL_EXAMPLES_QUICKSTART_RUN_RESULTS_H_
#define UNIVAL_EXAMPLES_QUICKSTART_RUN_RESULTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "examples/report/quickstart_report.h"

namespace unival::quickstart {

// NotFound or InvalidArgument names the file and what is wrong with it.
absl::StatusOr<report::RunSummary> ReadRun(const std::string& summary_file,
                                           const std::string& log_file);

}  // namespace unival::quickstart

#endif  // UNIVAL_EXAMPLES_QUICKSTART_RUN_RESULTS_H_
