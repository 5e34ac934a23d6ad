// unival merge front A B --task T --data F: what two models are worth together for every lambda.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/merge_options.h"
#include "runtime/files_read.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/task_scores.h"
#include "training/data/files/output_file.h"
#include "training/merging/merge_front.h"

namespace unival {

void AddMergeFrontCommand(Command& merge);

namespace {

struct FrontArguments : MergeArguments {
  std::string first, second;
  std::vector<std::string> tasks, data, metrics, floors;
  int64_t limit = 0;
  int grid = 11;
  std::string csv, plot;
  bool json = false;
};

absl::StatusOr<std::vector<MeasuredTask>> TasksOf(const FrontArguments& arguments) {
  if (arguments.tasks.size() != arguments.data.size()) {
    return FieldError("--data", absl::StrCat(arguments.tasks.size(), ", one for each --task"),
                      arguments.data.size(), "give each task its file, in order");
  }
  std::vector<MeasuredTask> tasks;
  for (size_t i = 0; i < arguments.tasks.size(); ++i) {
    MeasuredTask& task = tasks.emplace_back();
    task.task = arguments.tasks[i];
    task.data = arguments.data[i];
    task.limit = arguments.limit;
  }
  for (const std::string& text : arguments.metrics) {
    const size_t equals = text.find('=');
    bool found = false;
    for (MeasuredTask& task : tasks) {
      if (equals == std::string::npos || task.task != text.substr(0, equals)) continue;
      task.metric = text.substr(equals + 1);
      found = true;
    }
    if (found) continue;
    return FieldError("--metric", "TASK=METRIC of a task that is measured",
                      absl::StrCat("\"", text, "\""));
  }
  return tasks;
}

nlohmann::ordered_json ToJson(const MergeFront& front) {
  nlohmann::ordered_json json;
  for (const MeasuredTask& task : front.tasks) {
    json["tasks"].push_back({{"task", task.task},
                             {"data", task.data},
                             {"metric", task.metric},
                             {"less_is_better", task.less_is_better()}});
    const std::string remark = task.scores.Remark(task.metric);
    if (!remark.empty()) json["tasks"].back()["remark"] = remark;
  }
  for (const FrontPoint& point : front.points) {
    json["points"].push_back({{"lambda", point.lambda},
                              {"values", point.values},
                              {"pareto", point.is_pareto},
                              {"meets_floors", point.meets_floors}});
  }
  json["lambda"] = nullptr;
  if (front.chosen) json["lambda"] = front.points[*front.chosen].lambda;
  return json;
}

void PrintFront(const MergeFront& front) {
  std::cout << absl::StrFormat("%-8s", "lambda");
  for (const MeasuredTask& task : front.tasks) {
    std::cout << absl::StrFormat("  %-28s", LabelOf(task));
  }
  std::cout << "\n";
  for (size_t i = 0; i < front.points.size(); ++i) {
    const FrontPoint& point = front.points[i];
    std::cout << absl::StrFormat("%-8.4g", point.lambda);
    for (double value : point.values) std::cout << absl::StrFormat("  %-28.4f", value);
    std::cout << (point.is_pareto ? "  pareto" : "")
              << (point.meets_floors ? "" : "  misses a floor")
              << (front.chosen == i ? "  <- taken" : "") << "\n";
  }
}

absl::Status WriteFiles(const FrontArguments& arguments, const MergeFront& front) {
  if (!arguments.csv.empty()) {
    UNIVAL_RETURN_IF_ERROR(WriteOutputFile(arguments.csv, FrontCsv(front)));
  }
  if (arguments.plot.empty()) return absl::OkStatus();
  return WriteOutputFile(arguments.plot, FrontSvg(front));
}

absl::StatusOr<std::map<std::string, double>> FloorsOf(const FrontArguments& arguments) {
  std::map<std::string, double> floors;
  for (const std::string& text : arguments.floors) {
    UNIVAL_ASSIGN_OR_RETURN(const auto floor, ParseNumberOf("--floor", text));
    floors.insert(floor);
  }
  return floors;
}

absl::StatusOr<ExitCode> Front(FrontArguments arguments) {
  arguments.models = {arguments.first, arguments.second};
  UNIVAL_ASSIGN_OR_RETURN(MergeOptions merge, MergeOptionsOf(arguments));
  UNIVAL_ASSIGN_OR_RETURN(const auto tasks, TasksOf(arguments));
  UNIVAL_ASSIGN_OR_RETURN(const auto floors, FloorsOf(arguments));
  UNIVAL_ASSIGN_OR_RETURN(const auto reestimate, ReestimationOf(arguments));
  arguments.written = {arguments.csv, arguments.plot};
  for (const std::string& model : arguments.models) {
    UNIVAL_RETURN_IF_ERROR(CheckOutputFiles(arguments.written, FilesOfModel(model)));
  }
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles(arguments.written, FilesOfPipeline(arguments.pipeline)));
  UNIVAL_ASSIGN_OR_RETURN(const auto measurer,
                          MakeMeasurer(arguments, tasks, reestimate, arguments.merge.output));
  UNIVAL_ASSIGN_OR_RETURN(const MergeFront front,
                          MeasureFront(merge, arguments.grid, floors, *measurer));
  UNIVAL_RETURN_IF_ERROR(WriteFiles(arguments, front));
  if (arguments.json) {
    std::cout << JsonText(ToJson(front), 2) << "\n";
  } else {
    PrintFront(front);
  }
  if (!front.chosen) {
    std::cerr << "unival: no lambda of the grid meets every floor\n";
    return kDifferent;
  }
  if (merge.output.empty()) return kDone;
  merge.lambda = front.points[*front.chosen].lambda;
  UNIVAL_RETURN_IF_ERROR(measurer->Merge(merge).status());
  return kDone;
}

void AddFrontOptions(Command& command, const std::shared_ptr<FrontArguments>& arguments) {
  command.AddOption("--task", &arguments->tasks, "Task to measure; may be given several times")
      .Required();
  command.AddOption("--data", &arguments->data, "Its records, FILE.jsonl or FILE.tar; one a task")
      .Required();
  command.AddOption("--metric", &arguments->metrics,
                    "TASK=METRIC (default: accuracy, exact_match, iou or cider, what it has)");
  command.AddOption("--limit", &arguments->limit, "Only the first records (default: all)")
      .NotNegative();
  command.AddOption("--grid", &arguments->grid, "Values of lambda, 0 and 1 among them")
      .Between(2, 1001)
      .ShowDefault();
  command.AddOption("--floor", &arguments->floors,
                    "TASK=VALUE: take only a lambda with at least this, or at most this where less "
                    "is better (wer, chair); exit code 3 without one");
  command.AddOption("--csv", &arguments->csv, "Write the table as CSV to this file");
  command.AddOption("--plot", &arguments->plot, "Write the curves as SVG to this file");
}

}  // namespace

void AddMergeFrontCommand(Command& merge) {
  Command& command = merge.AddCommand(
      "front", "Measure two models merged for a grid of lambdas, and take the best lambda");
  auto arguments = std::make_shared<FrontArguments>();
  arguments->merge.method = "interpolate";
  command.AddPositional("first", &arguments->first, "Model directory, alone at lambda 1");
  command.AddPositional("second", &arguments->second, "Model directory, alone at lambda 0");
  AddFrontOptions(command, arguments);
  command.AddOption("--method", &arguments->merge.method, "How they are merged")
      .OneOf({"interpolate", "slerp"})
      .ShowDefault();
  command.AddOption("--output,-o", &arguments->merge.output,
                    "Write the merge that was taken to this model directory");
  command.AddFlag("--overwrite", &arguments->merge.overwrite, "Replace a model that is there");
  AddMergeOptions(command, arguments.get());
  AddMeasureOptions(command, arguments.get());
  command.AddFlag("--json", &arguments->json, "Print JSON");
  command.SetFooter(
      "Example: unival merge front runs/captions/model runs/answers/model --grid 5 \\\n"
      "             --task image_caption --data data/image/eval/caption.jsonl \\\n"
      "             --task vqa --data data/image/eval/vqa.jsonl --floor vqa=0.8");
  command.OnRun([arguments] { return Front(*arguments); });
}

}  // namespace unival
