#include "app/merge_options.h"

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "app/command.h"
#include "sdk/base/progress.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/merging/merge_plan.h"

namespace unival {

void AddMergeOptions(Command& command, MergeArguments* arguments) {
  MergeOptions& merge = arguments->merge;
  command.AddOption(
      "--part", &arguments->parts,
      "PATTERN=LAMBDA: the lambda of some tensors, in the forms that `trainable` of a "
      "plan takes (\"connection:ID\", \"name:REGEX\"); may be given several times, "
      "the last that matches counts");
  command
      .AddOption("--statistics", &merge.statistics,
                 "Running mean and variance of normalisation: the average, or the first model's")
      .OneOf({"average", "first"})
      .ShowDefault();
  command
      .AddOption("--counters", &merge.counters,
                 "Counts of batches where models differ: the largest, or the first model's")
      .OneOf({"largest", "first"})
      .ShowDefault();
  command.AddOption("--reestimate", &arguments->reestimate,
                    "TASK=FILE: running mean and variance of normalisation, measured on the media "
                    "of these records by forward passes, in place of --statistics; may be given "
                    "several times");
  command.AddFlag("--allow_unrelated", &merge.allow_unrelated,
                  "Also models that do not name a common ancestor, or look as if they had none");
}

void AddMeasureOptions(Command& command, MergeArguments* arguments) {
  command.AddOption("--templates", &arguments->pipeline.templates,
                    "Task template file; may be given several times");
  command.AddDevice(&arguments->pipeline.load.device);
  command
      .AddOption("--batch", &arguments->batch,
                 "Records answered together, or media passed together by --reestimate")
      .Positive()
      .ShowDefault();
  AddRuntimeOptions(command, &arguments->pipeline.runtime);
}

absl::StatusOr<MergeOptions> MergeOptionsOf(const MergeArguments& arguments) {
  MergeOptions merge = arguments.merge;
  merge.models = arguments.models;
  for (const std::string& part : arguments.parts) {
    UNIVAL_ASSIGN_OR_RETURN(merge.parts.emplace_back(), ParsePartLambda(part));
  }
  for (const std::string& text : arguments.weights) {
    if (absl::SimpleAtod(text, &merge.weights.emplace_back())) continue;
    return FieldError("--weight", "a number", absl::StrCat("\"", text, "\""));
  }
  return merge;
}

absl::StatusOr<std::vector<ReestimationData>> ReestimationOf(const MergeArguments& arguments) {
  std::vector<ReestimationData> data;
  for (const std::string& text : arguments.reestimate) {
    UNIVAL_ASSIGN_OR_RETURN(data.emplace_back(), ParseReestimationData(text));
  }
  return data;
}

absl::StatusOr<std::unique_ptr<Measurer>> MakeMeasurer(
    const MergeArguments& arguments, const std::vector<MeasuredTask>& tasks,
    const std::vector<ReestimationData>& reestimate, const std::string& beside) {
  MeasureOptions options;
  options.pipeline = arguments.pipeline;
  options.tasks = tasks;
  options.reestimate = reestimate;
  options.batch = arguments.batch;
  options.written = arguments.written;
  std::error_code error;
  const std::string temporary = std::filesystem::temp_directory_path(error).string();
  options.scratch =
      absl::StrCat(beside.empty() ? temporary + "/unival_merge" : beside, ".candidates.", getpid());
  const auto line = std::make_shared<ProgressLine>();
  options.progress = [line](const std::string& what, int64_t done, int64_t total) {
    line->Count(what, done, total);
  };
  return Measurer::Create(std::move(options));
}

absl::StatusOr<std::pair<std::string, double>> ParseNumberOf(const std::string& option,
                                                             const std::string& text) {
  const size_t equals = text.rfind('=');
  double value = 0;
  if (equals == std::string::npos || !absl::SimpleAtod(text.substr(equals + 1), &value)) {
    return FieldError(option, "NAME=NUMBER", absl::StrCat("\"", text, "\""));
  }
  return std::make_pair(text.substr(0, equals), value);
}

}  // namespace unival
