// unival eval MODEL --task NAME --data FILE: answers every record of a file and measures the
// answers.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "app/command.h"
#include "app/commands.h"
#include "sdk/base/json_text.h"
#include "sdk/base/progress.h"
#include "sdk/base/status_macros.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/task_source.h"

namespace unival {
namespace {

struct EvalArguments {
  PipelineOptions pipeline;
  std::string task, data, metrics_file;
  std::vector<std::string> columns, at_least;
  int64_t limit = 0;
  EvaluationOptions evaluation;
  bool json = false;
};

absl::StatusOr<std::map<std::string, std::string>> ParseColumns(
    const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> columns;
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("--column ", pair, ": expected task_column=record_column"));
    }
    if (!columns.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second) {
      return absl::InvalidArgumentError(absl::StrCat("--column ", pair, ": the column \"",
                                                     pair.substr(0, equals), "\" is given twice"));
    }
  }
  return columns;
}

// "metric=value" pairs; read before anything runs, so that a typing error costs nothing.
absl::StatusOr<std::map<std::string, double>> ParseBounds(const std::vector<std::string>& pairs) {
  std::map<std::string, double> bounds;
  for (const std::string& pair : pairs) {
    // The last "=" is the separator: a metric's own name may hold one, as "exact_match/kind=count".
    const size_t equals = pair.rfind('=');
    double value = 0;
    if (equals == std::string::npos || !absl::SimpleAtod(pair.substr(equals + 1), &value) ||
        !std::isfinite(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--at_least ", pair, ": expected metric=number, such as exact_match=0.9"));
    }
    if (!bounds.emplace(pair.substr(0, equals), value).second) {
      return absl::InvalidArgumentError(absl::StrCat("--at_least ", pair, ": the metric \"",
                                                     pair.substr(0, equals), "\" is given twice"));
    }
  }
  return bounds;
}

absl::Status NoSuchMetric(const std::string& name, const std::string& task,
                          const std::map<std::string, double>& metrics) {
  const std::string known = absl::StrJoin(metrics, ", ", [](std::string* out, const auto& metric) {
    absl::StrAppend(out, metric.first);
  });
  return absl::InvalidArgumentError(absl::StrCat("--at_least ", name, ": task \"", task,
                                                 "\" has no such metric; it gives: ", known));
}

// Before anything is answered. Which kinds there are, as in "exact_match/kind=count", the records
// alone say; a task's metrics name the rest when nothing was added to them.
absl::Status CheckMetricNames(const std::map<std::string, double>& bounds, const Task& task) {
  const std::map<std::string, double> metrics = task.NewMetric()->Result();
  for (const auto& named : bounds) {
    if (metrics.count(named.first.substr(0, named.first.find('/'))) > 0) continue;
    return NoSuchMetric(named.first, task.info().name, metrics);
  }
  return absl::OkStatus();
}

absl::StatusOr<EvaluationResult> Measure(EvalArguments arguments,
                                         const std::map<std::string, double>& bounds) {
  UNIVAL_ASSIGN_OR_RETURN(auto columns, ParseColumns(arguments.columns));
  for (const std::string& file : {arguments.metrics_file, arguments.evaluation.results_file}) {
    if (!file.empty()) UNIVAL_RETURN_IF_ERROR(CheckOutputFile(file, arguments.data));
  }
  arguments.pipeline.task = arguments.task;
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Pipeline::Create(arguments.pipeline));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task(arguments.task));
  UNIVAL_RETURN_IF_ERROR(CheckMetricNames(bounds, *task));
  UNIVAL_ASSIGN_OR_RETURN(const auto source,
                          OpenFittingSource(*task, pipeline->model().known_modalities(),
                                            {arguments.data, columns, arguments.limit}));
  arguments.evaluation.progress = CountOn("evaluating");
  return Evaluate(*pipeline, arguments.task, *source, arguments.evaluation);
}

nlohmann::ordered_json ToJson(const EvalArguments& arguments, const EvaluationResult& result) {
  nlohmann::ordered_json json = {
      {"model", arguments.pipeline.model}, {"task", result.task},       {"data", arguments.data},
      {"samples", result.samples},         {"seconds", result.seconds}, {"metrics", result.metrics},
      {"failures", result.failures}};
  if (result.constant) {
    json["constant"] = {{"answer", result.constant->text}, {"metrics", result.constant->metrics}};
  }
  return json;
}

void PrintTable(const EvaluationResult& result) {
  for (const auto& [name, value] : result.metrics)
    std::cout << absl::StrFormat("%-32s %.4f%s\n", name, value, BesideConstant(result, name));
  for (const std::string& failure : result.failures) std::cout << "failed  " << failure << "\n";
}

// kDifferent when a bound is missed; kFailed when it names no metric.
absl::StatusOr<ExitCode> Check(const std::map<std::string, double>& bounds,
                               const EvaluationResult& result) {
  ExitCode code = kDone;
  for (const auto& [name, bound] : bounds) {
    const auto found = result.metrics.find(name);
    if (found == result.metrics.end()) return NoSuchMetric(name, result.task, result.metrics);
    if (found->second >= bound) continue;
    std::cerr << absl::StrFormat("unival: %s: expected at least %g, got %.4f\n", name, bound,
                                 found->second);
    code = kDifferent;
  }
  return code;
}

absl::StatusOr<ExitCode> Eval(const EvalArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const auto bounds, ParseBounds(arguments.at_least));
  UNIVAL_ASSIGN_OR_RETURN(const EvaluationResult result, Measure(arguments, bounds));
  const std::string json = JsonText(ToJson(arguments, result), 2) + "\n";
  if (!arguments.metrics_file.empty()) {
    UNIVAL_RETURN_IF_ERROR(WriteOutputFile(arguments.metrics_file, json));
  }
  if (arguments.json) {
    std::cout << json;
  } else {
    PrintTable(result);
  }
  UNIVAL_RETURN_IF_ERROR(CheckReadable(result));
  return Check(bounds, result);
}

}  // namespace

void AddEvalCommand(Command& program) {
  Command& command = program.AddCommand("eval", "Measure a model on the records of a file");
  auto arguments = std::make_shared<EvalArguments>();
  AddPipelineOptions(command, &arguments->pipeline);
  command.AddOption("--task", &arguments->task, "Task name; `unival inspect MODEL` lists them")
      .Required();
  command.AddOption("--data", &arguments->data, "Records: FILE.jsonl or FILE.tar").Required();
  command.AddOption("--column", &arguments->columns,
                    "task_column=record_column where names differ; may be given several times");
  command.AddOption("--limit", &arguments->limit, "Only the first records (default: all)")
      .NotNegative();
  command.AddOption("--batch", &arguments->evaluation.batch, "Records answered together")
      .Positive()
      .ShowDefault();
  command.AddOption("--metrics", &arguments->metrics_file,
                    "Write the metrics as JSON to this file");
  command.AddOption("--predictions", &arguments->evaluation.results_file,
                    "Write every answer as JSONL to this file");
  command.AddOption(
      "--at_least", &arguments->at_least,
      "metric=value: exit code 3 when the metric is lower; may be given several times");
  command.AddFlag("--json", &arguments->json, "Print JSON");
  command.SetFooter(
      "Example: unival eval models/nano --task image_caption --data world/image/eval/caption.jsonl "
      "\\\n"
      "             --at_least exact_match=0.9");
  command.OnRun([arguments] { return Eval(*arguments); });
}

}  // namespace unival
