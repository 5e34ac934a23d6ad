// unival watch RUN: where a training run stands, as text, as a page, or for TensorBoard.

#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "app/command.h"
#include "app/commands.h"
#include "app/shipped.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/output_file.h"
#include "training/report/event_file.h"
#include "training/report/run_history.h"
#include "training/report/run_report.h"
#include "training/run/run_folder.h"

namespace unival {
namespace {

using OrderedJson = nlohmann::ordered_json;

struct WatchArguments {
  std::string run, report, tensorboard;
  int samples = 8, every = 5;
  bool follow = false, json = false;
};

OrderedJson ToJson(const RunHistory& history) {
  OrderedJson json = {{"plan", history.plan},
                      {"step", history.last_step()},
                      {"planned_steps", history.planned_steps},
                      {"finished", history.finished},
                      {"decode_failures", history.decode_failures}};
  json["steps"] = OrderedJson::array();
  for (const StepPoint& point : history.steps) {
    json["steps"].push_back(
        {{"stage", point.stage}, {"values", point.values}, {"part_seconds", point.part_seconds}});
  }
  json["validations"] = OrderedJson::array();
  for (const ValidationPoint& point : history.validations) {
    json["validations"].push_back({{"stage", point.stage},
                                   {"step", point.step},
                                   {"evaluation", point.evaluation},
                                   {"metrics", point.metrics},
                                   {"less_is_better", point.less_is_better},
                                   {"remarks", point.remarks},
                                   {"judged_by", point.judged_by},
                                   {"is_best", point.is_best}});
  }
  json["skipped"] = OrderedJson::array();
  for (const SkippedBatch& batch : history.skipped) {
    json["skipped"].push_back(
        {{"step", batch.step}, {"what", batch.what}, {"records", batch.records}});
  }
  json["results"] = history.results;
  return json;
}

absl::Status WriteFiles(const WatchArguments& arguments, const RunHistory& history) {
  if (!arguments.tensorboard.empty())
    UNIVAL_RETURN_IF_ERROR(WriteEventFile(history, arguments.tensorboard));
  if (arguments.report.empty()) return absl::OkStatus();
  RunSamples samples;
  for (const ValidationPoint& point : history.validations) {
    if (samples.count(point.evaluation) > 0) continue;
    UNIVAL_ASSIGN_OR_RETURN(
        samples[point.evaluation],
        ReadValidationAnswers(arguments.run, point.evaluation, arguments.samples));
  }
  return WriteOutputFile(arguments.report, RenderRun(history, samples));
}

// Prints where the run stands; true when it is at its end.
absl::StatusOr<bool> WatchOnce(const WatchArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const RunHistory history, ReadRunHistory(arguments.run));
  UNIVAL_RETURN_IF_ERROR(WriteFiles(arguments, history));
  if (arguments.json) {
    std::cout << JsonText(ToJson(history), 2) << "\n";
  } else {
    std::cout << RunText(history);
  }
  std::cout << std::flush;
  return history.finished;
}

absl::Status Watch(const WatchArguments& arguments) {
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({arguments.report}, FilesOfRun(arguments.run)));
  UNIVAL_ASSIGN_OR_RETURN(bool finished, WatchOnce(arguments));
  while (arguments.follow && !finished) {
    std::this_thread::sleep_for(std::chrono::seconds(arguments.every));
    if (!arguments.json) std::cout << "\n";
    UNIVAL_ASSIGN_OR_RETURN(finished, WatchOnce(arguments));
  }
  return absl::OkStatus();
}

}  // namespace

void AddWatchCommand(Command& program) {
  Command& command = AddShippedCommand(program, "watch");
  auto arguments = std::make_shared<WatchArguments>();
  command.AddPositional("run", &arguments->run, "Output folder of a training run");
  command.AddFlag("--follow", &arguments->follow,
                  "Show it again and again, until the run is finished");
  command.AddOption("--every", &arguments->every, "Seconds between, with --follow")
      .Between(1, 3600)
      .ShowDefault();
  command.AddOption("--report", &arguments->report,
                    "Write one HTML page: curves, rates, answers over time");
  command.AddOption("--samples", &arguments->samples, "Records of each validation in the page")
      .Between(0, 1000)
      .ShowDefault();
  command.AddOption("--tensorboard", &arguments->tensorboard,
                    "Write the numbers as an event file into this folder");
  command.AddFlag("--json", &arguments->json, "Print JSON");
  command.SetFooter("Example: unival watch runs/depth --report depth.html");
  command.OnRun([arguments] { return Watch(*arguments); });
}

}  // namespace unival
