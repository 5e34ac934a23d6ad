// unival merge PLAN | A B ...: one model of several that were trained from one.

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/optional.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/merge_options.h"
#include "app/shipped.h"
#include "backbone/merging/tensor_merge.h"
#include "sdk/base/json_text.h"
#include "sdk/base/progress.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/merging/greedy_soup.h"
#include "training/merging/merge_front.h"
#include "training/merging/merge_plan.h"

namespace unival {

void AddMergeFrontCommand(Command& merge);  // merge_front_command.cc

namespace {

struct MergeCommandArguments : MergeArguments {
  std::string data_root;
  absl::optional<uint64_t> seed;
  absl::optional<double> lambda, density;
  bool json = false;
};

bool IsPlan(const MergeCommandArguments& arguments) {
  std::error_code error;
  return arguments.models.size() == 1 &&
         std::filesystem::is_regular_file(arguments.models[0], error);
}

// What a plan says, with what the command line says instead.
absl::StatusOr<LoadedMergePlan> PlanOf(const MergeCommandArguments& arguments) {
  LoadedMergePlan plan;
  UNIVAL_ASSIGN_OR_RETURN(const MergeOptions given, MergeOptionsOf(arguments));
  plan.merge = given;
  if (IsPlan(arguments)) {
    UNIVAL_ASSIGN_OR_RETURN(plan, LoadMergePlan(arguments.models[0], arguments.data_root));
    if (!given.parts.empty()) plan.merge.parts = given.parts;
    if (!given.weights.empty()) plan.merge.weights = given.weights;
    if (!given.method.empty()) plan.merge.method = given.method;
    if (!given.base.empty()) plan.merge.base = given.base;
    plan.merge.output = given.output;
    plan.merge.overwrite = given.overwrite;
    plan.merge.allow_unrelated = given.allow_unrelated;
  } else if (plan.merge.method.empty()) {
    plan.merge.method = given.base.empty() ? "average" : "task_arithmetic";
    const bool weighed = arguments.lambda.has_value() || !given.parts.empty();
    if (given.base.empty() && weighed) plan.merge.method = "interpolate";
  }
  UNIVAL_ASSIGN_OR_RETURN(const auto reestimate, ReestimationOf(arguments));
  if (!reestimate.empty()) plan.reestimate = reestimate;
  if (arguments.seed) plan.merge.seed = *arguments.seed;
  if (arguments.lambda) plan.merge.lambda = arguments.lambda;
  if (arguments.density) plan.merge.density = *arguments.density;
  return plan;
}

nlohmann::ordered_json ToJson(const MergeReport& report, const MergeOptions& merge) {
  return {{"output", report.output},
          {"method", merge.method},
          {"ancestor_backbone_sha256", report.ancestor_sha256},
          {"tensors_mixed", report.mixed},
          {"tensors_same", report.same},
          {"tensors_carried", report.carried},
          {"tensors_measured", report.measured},
          {"notes", report.notes}};
}

nlohmann::ordered_json ToJson(const GreedySoup& soup, const MergeOptions& merge,
                              const MeasuredTask& task) {
  nlohmann::ordered_json json = {{"metric", MetricName(task)}, {"value", soup.value}};
  for (const SoupStep& step : soup.steps) {
    json["steps"].push_back({{"model", merge.models[step.model]},
                             {"alone", step.alone},
                             {"together", step.together},
                             {"taken", step.taken}});
  }
  return json;
}

void PrintSoup(const GreedySoup& soup, const MergeOptions& merge, const MeasuredTask& task) {
  std::cout << MetricName(task) << "\n";
  for (const SoupStep& step : soup.steps) {
    std::cout << absl::StrFormat("  %-40s alone %.4f  together %.4f  %s\n",
                                 merge.models[step.model], step.alone, step.together,
                                 step.taken ? "taken" : "left out");
  }
}

void PrintReport(const MergeReport& report, const MergeOptions& merge) {
  for (const std::string& note : report.notes) std::cerr << "unival: note: " << note << "\n";
  std::cout << absl::StrFormat("%-24s %s\n", "output", report.output)
            << absl::StrFormat("%-24s %s of %d models\n", "method", merge.method,
                               merge.models.size())
            << absl::StrFormat("%-24s %s\n", "common ancestor",
                               report.ancestor_sha256.empty() ? "unknown" : report.ancestor_sha256)
            << absl::StrFormat("%-24s %d mixed, %d the same or copied, %d carried\n", "tensors",
                               report.mixed, report.same, report.carried);
  if (report.measured == 0) return;
  std::cout << absl::StrFormat("%-24s %d tensors, measured on data\n", "running statistics",
                               report.measured);
}

absl::Status CheckWords(const MergeCommandArguments& arguments) {
  if (arguments.models.empty()) {
    return UsageError("expected model directories, or a plan, got nothing");
  }
  std::error_code error;
  if (arguments.models.size() == 1 && std::filesystem::is_directory(arguments.models[0], error)) {
    return UsageError(absl::StrCat(arguments.models[0],
                                   ": expected two or more model directories, or a plan, got this "
                                   "one alone"));
  }
  if (arguments.merge.output.empty()) {
    return UsageError("--output: expected the model directory to write, got nothing; say -o DIR");
  }
  return absl::OkStatus();
}

absl::Status Merge(const MergeCommandArguments& arguments) {
  UNIVAL_RETURN_IF_ERROR(CheckWords(arguments));
  UNIVAL_ASSIGN_OR_RETURN(LoadedMergePlan plan, PlanOf(arguments));
  nlohmann::ordered_json soup_json;
  std::unique_ptr<Measurer> measurer;
  if (plan.measure || !plan.reestimate.empty()) {
    std::vector<MeasuredTask> tasks;
    if (plan.measure) tasks.push_back(*plan.measure);
    UNIVAL_ASSIGN_OR_RETURN(measurer,
                            MakeMeasurer(arguments, tasks, plan.reestimate, plan.merge.output));
  }
  if (plan.measure) {
    UNIVAL_ASSIGN_OR_RETURN(const GreedySoup soup, FindGreedySoup(plan.merge, *measurer));
    soup_json = ToJson(soup, plan.merge, measurer->tasks()[0]);
    if (!arguments.json) PrintSoup(soup, plan.merge, measurer->tasks()[0]);
    plan.merge = SoupMerge(plan.merge, soup.ingredients);
  }
  plan.merge.progress = CountOn("merging");
  UNIVAL_ASSIGN_OR_RETURN(const MergeReport report, measurer != nullptr
                                                        ? measurer->Merge(plan.merge)
                                                        : MergeModels(plan.merge));
  if (!arguments.json) {
    PrintReport(report, plan.merge);
    return absl::OkStatus();
  }
  nlohmann::ordered_json json = ToJson(report, plan.merge);
  if (!soup_json.is_null()) json["greedy_soup"] = soup_json;
  std::cout << JsonText(json, 2) << "\n";
  return absl::OkStatus();
}

void AddMethodOptions(Command& command, const std::shared_ptr<MergeCommandArguments>& arguments) {
  MergeOptions& merge = arguments->merge;
  merge.method = "";  // as what else is said implies
  command
      .AddOption("--method", &merge.method,
                 "How (default: interpolate where a lambda is given, task_arithmetic where a "
                 "base is, else average)")
      .OneOf(MergeMethodNames());
  command.AddOption("--lambda", &arguments->lambda,
                    "Weight of the first of two models, the second has 1 - LAMBDA (default: 0.5); "
                    "factor of the differences from the base, from -10 to 10 (default: 1)");
  command.AddOption("--weight", &arguments->weights,
                    "One for each model, in order: shares of the average, factors of differences");
  command.AddOption("--base", &merge.base,
                    "Model directory that all come from, for task_arithmetic, ties and dare");
  command
      .AddOption("--density", &arguments->density,
                 "Share of each difference that ties and dare keep (default: 0.2)")
      .Within(0, 1);
  command.AddOption("--seed", &arguments->seed, "Seed of dare (default: 0)");
}

std::string MethodLines() {
  std::string lines = "Methods:\n";
  for (const std::string& name : MergeMethodNames()) {
    absl::StrAppendFormat(&lines, "  %-16s %s\n", name, FindMergeMethod(name)->summary);
  }
  return lines;
}

}  // namespace

void AddMergeCommand(Command& program) {
  Command& command = AddShippedCommand(program, "merge");
  auto arguments = std::make_shared<MergeCommandArguments>();
  AddMergeFrontCommand(command);
  command.RunsAlone();
  command
      .AddPositional("models", &arguments->models,
                     "Model directories, the first one first; or one plan (textproto)")
      .Optional();
  command.AddOption("--output,-o", &arguments->merge.output, "Model directory to write");
  command.AddFlag("--overwrite", &arguments->merge.overwrite, "Replace a model that is there");
  AddMethodOptions(command, arguments);
  AddMergeOptions(command, arguments.get());
  command.AddOption("--data_root", &arguments->data_root,
                    "Folder that the plan's data paths are relative to (default: the plan's own)");
  AddMeasureOptions(command, arguments.get());
  command.AddFlag("--json", &arguments->json, "Print JSON");
  command.SetFooter(MethodLines() +
                    "Example: unival merge runs/captions/model runs/answers/model --lambda 0.3 -o "
                    "models/both");
  command.OnRun([arguments] { return Merge(*arguments); });
}

}  // namespace unival
