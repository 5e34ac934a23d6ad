// unival probe MODEL --task NAME --train FILE --test FILE: a linear classifier on an encoder's
// features.

#include <iostream>
#include <nlohmann/json.hpp>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "app/command.h"
#include "training/evaluation/task_source.h"
#include "sdk/base/status_macros.h"
#include "training/evaluation/linear_probe.h"

namespace unival {
namespace {

struct ProbeArguments {
  PipelineOptions pipeline;
  std::string task, train, test;
  int64_t limit = 0;
  ProbeOptions probe;
  bool json = false;
};

absl::StatusOr<ProbeResult> Measure(ProbeArguments& arguments) {
  arguments.pipeline.task = arguments.task;
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Pipeline::Create(arguments.pipeline));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task(arguments.task));
  const auto open = [&](const std::string& path) {
    return OpenFittingSource(*task, pipeline->model().known_modalities(), {path, {}, arguments.limit});
  };
  UNIVAL_ASSIGN_OR_RETURN(const auto train, open(arguments.train));
  UNIVAL_ASSIGN_OR_RETURN(const auto test, open(arguments.test));
  arguments.probe.progress = ProgressLine(" encoded");
  return LinearProbe(*pipeline, arguments.task, *train, *test, arguments.probe);
}

nlohmann::ordered_json ToJson(const ProbeScore& score) {
  return {{"accuracy", score.accuracy}, {"features", score.features}};
}

void PrintJson(const ProbeResult& result) {
  nlohmann::ordered_json json = {{"classes", result.classes},
                                 {"train_records", result.train_records},
                                 {"test_records", result.test_records},
                                 {"pooled", ToJson(result.pooled)}};
  if (result.joined) json["joined"] = ToJson(*result.joined);
  std::cout << json.dump(2) << "\n";
}

void PrintTable(const ProbeResult& result) {
  std::cout << absl::StrFormat("%d classes, %d training records, %d test records\n", result.classes,
                               result.train_records, result.test_records);
  const auto line = [](const char* name, const ProbeScore& score) {
    std::cout << absl::StrFormat("%-28s %.4f  (%d features)\n", name, score.accuracy,
                                 score.features);
  };
  line("mean over positions", result.pooled);
  if (result.joined) line("all positions", *result.joined);
}

}  // namespace

void AddProbeCommand(CLI::App& app, int* exit_code) {
  CLI::App* command = app.add_subcommand(
      "probe", "Measure what a linear classifier makes of an encoder's features");
  auto arguments = std::make_shared<ProbeArguments>();
  AddPipelineOptions(command, &arguments->pipeline);
  command
      ->add_option("--task", arguments->task, "Task with one media item; its target is the class")
      ->required();
  command->add_option("--train", arguments->train, "Records to fit on: FILE.jsonl or FILE.tar")
      ->required();
  command->add_option("--test", arguments->test, "Records to measure on")->required();
  command->add_option("--limit", arguments->limit, "Only the first records of each (default: all)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--l2", arguments->probe.l2, "Weight decay of the classifier")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Print JSON");
  command->footer(
      "Example: unival probe runs/fsdd/model --task spoken_digit --train data/fsdd/train.tar "
      "--test "
      "data/fsdd/dev.tar");
  OnRun(
      command,
      [arguments] {
        const absl::StatusOr<ProbeResult> result = Measure(*arguments);
        if (!result.ok()) return Fail(result.status());
        arguments->json ? PrintJson(*result) : PrintTable(*result);
        return static_cast<int>(kDone);
      },
      exit_code);
}

}  // namespace unival
