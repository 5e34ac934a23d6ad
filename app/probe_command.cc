// unival probe MODEL --task NAME --train FILE --test FILE: a linear classifier on an encoder's
// features.

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/shipped.h"
#include "sdk/base/json_text.h"
#include "sdk/base/progress.h"
#include "sdk/base/status_macros.h"
#include "training/evaluation/linear_probe.h"
#include "training/evaluation/task_source.h"
#include "training/evaluation/unseen_answers.h"

namespace unival {
namespace {

constexpr double kMostDecay = 1e6;  // beyond it no weight is left

struct ProbeArguments {
  PipelineOptions pipeline;
  std::string task, train, test;
  int64_t limit = 0;
  IndexOptions index;
  ProbeOptions probe;
  bool json = false;
};

struct ProbeReport {
  UnseenAnswers unseen;
  ProbeResult probe;
};

absl::StatusOr<ProbeReport> Measure(ProbeArguments arguments) {
  arguments.pipeline.task = arguments.task;
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Pipeline::Create(arguments.pipeline));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task(arguments.task));
  const auto open = [&](const std::string& path) {
    return OpenFittingSource(*task, pipeline->model().known_modalities(),
                             {path, {}, arguments.limit, {}, arguments.index});
  };
  UNIVAL_ASSIGN_OR_RETURN(const auto train, open(arguments.train));
  UNIVAL_ASSIGN_OR_RETURN(const auto test, open(arguments.test));
  ProbeReport measured;
  UNIVAL_ASSIGN_OR_RETURN(measured.unseen, CountUnseenAnswers(*task, *train, *test, train->size()));
  arguments.probe.progress = CountOn("encoding");
  UNIVAL_ASSIGN_OR_RETURN(measured.probe,
                          LinearProbe(*pipeline, arguments.task, *train, *test, arguments.probe));
  return measured;
}

nlohmann::ordered_json ToJson(const ProbeScore& score) {
  return {{"accuracy", score.accuracy}, {"features", score.features}};
}

void PrintResult(const ProbeReport& measured) {
  const ProbeResult& result = measured.probe;
  nlohmann::ordered_json json = {{"classes", result.classes},
                                 {"train_records", result.train_records},
                                 {"test_records", result.test_records},
                                 {"unseen_test_answers", measured.unseen.records},
                                 {"pooled", ToJson(result.pooled)}};
  if (result.joined) json["joined"] = ToJson(*result.joined);
  std::cout << JsonText(json, 2) << "\n";
}

void PrintTable(const ProbeReport& measured) {
  const ProbeResult& result = measured.probe;
  if (measured.unseen.records > 0) {
    std::cout << UnseenText(measured.unseen) << ": a classifier cannot give them\n";
  }
  std::cout << absl::StrFormat("%d classes, %d training records, %d test records\n", result.classes,
                               result.train_records, result.test_records);
  const auto line = [](const char* name, const ProbeScore& score) {
    std::cout << absl::StrFormat("%-28s %.4f  (%d features)\n", name, score.accuracy,
                                 score.features);
  };
  line("mean over positions", result.pooled);
  if (result.joined) line("all positions", *result.joined);
}

absl::Status Probe(const ProbeArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const ProbeReport result, Measure(arguments));
  arguments.json ? PrintResult(result) : PrintTable(result);
  return absl::OkStatus();
}

}  // namespace

void AddProbeCommand(Command& program) {
  Command& command = AddShippedCommand(program, "probe");
  auto arguments = std::make_shared<ProbeArguments>();
  AddPipelineOptions(command, &arguments->pipeline);
  command.AddOption("--task", &arguments->task, "Task with one media item; its target is the class")
      .Required();
  command.AddOption("--train", &arguments->train, "Records to fit on: FILE.jsonl or FILE.tar")
      .Required();
  command.AddOption("--test", &arguments->test, "Records to measure on").Required();
  command.AddOption("--limit", &arguments->limit, "Only the first records of each (default: all)")
      .NotNegative();
  AddIndexOption(command, &arguments->index);
  command.AddOption("--l2", &arguments->probe.l2, "Weight decay of the classifier")
      .Within(0, kMostDecay)
      .ShowDefault();
  command.AddFlag("--json", &arguments->json, "Print JSON");
  command.SetFooter(
      "Example: unival probe runs/fsdd/model --task spoken_digit --train data/fsdd/train.tar "
      "--test "
      "data/fsdd/dev.tar");
  command.OnRun([arguments] { return Probe(*arguments); });
}

}  // namespace unival
