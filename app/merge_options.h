// unival: merge_options.h - what `unival merge` and `unival merge front` take alike.
#ifndef UNIVAL_APP_MERGE_OPTIONS_H_
#define UNIVAL_APP_MERGE_OPTIONS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "app/options.h"
#include "backbone/merging/merge.h"
#include "runtime/pipeline.h"
#include "training/merging/measure.h"

namespace unival {

// A merge as the command line asks for it.
struct MergeArguments {
  std::vector<std::string> models;
  MergeOptions merge;
  std::vector<std::string> parts, weights, reestimate;
  PipelineOptions pipeline;  // what measures merged models
  // Files that the command writes beside models: none of those that records are read from.
  std::vector<std::string> written;
  int batch = 64;
};

// --part, --statistics, --counters, --reestimate, --allow_unrelated.
void AddMergeOptions(Command& command, MergeArguments* arguments);
// --templates, --device, --batch and the runtime's.
void AddMeasureOptions(Command& command, MergeArguments* arguments);

// Translates the options; parses the parts and the weights.
absl::StatusOr<MergeOptions> MergeOptionsOf(const MergeArguments& arguments);

absl::StatusOr<std::vector<ReestimationData>> ReestimationOf(const MergeArguments& arguments);

// A measurer of `tasks` that re-estimates running statistics on `reestimate`. Candidates are
// written to a temporary folder beside the path `beside`, or below the system's folder of temporary
// files where `beside` is empty.
absl::StatusOr<std::unique_ptr<Measurer>> MakeMeasurer(
    const MergeArguments& arguments, const std::vector<MeasuredTask>& tasks,
    const std::vector<ReestimationData>& reestimate, const std::string& beside);

// "NAME=NUMBER", the last "=" counts. `option` is named in messages.
absl::StatusOr<std::pair<std::string, double>> ParseNumberOf(const std::string& option,
                                                             const std::string& text);

}  // namespace unival

#endif  // UNIVAL_APP_MERGE_OPTIONS_H_
