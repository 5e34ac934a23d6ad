// unival train PLAN --output DIR: runs a training plan. Ctrl-C lets the current step end, writes a
// checkpoint and stops; --resume goes on from there. A second one, a second later, stops at once.

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "absl/types/optional.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/shipped.h"
#include "sdk/base/json_text.h"
#include "sdk/base/signal_watch.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/stop_requests.h"
#include "training/distributed/world.h"
#include "training/trainer.h"

namespace unival {
namespace {

std::atomic<bool> stop_requested{false};
StopRequests stop_requests;

// A second request ends the program at once, as the signal does by default.
void RequestStop(int signal, siginfo_t*, void*) {
  stop_requested = true;
  if (stop_requests.Add() == 1) return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

struct TrainArguments {
  TrainOptions train;
  RuntimeOptions runtime;
  bool json = false;
};

nlohmann::ordered_json ToJson(const TrainArguments& arguments, const TrainResult& result) {
  nlohmann::ordered_json json = {{"output", arguments.train.output},
                                 {"finished", result.finished},
                                 {"steps", result.steps},
                                 {"loss", result.final_loss},
                                 {"skipped_batches", result.skipped_batches},
                                 {"seconds", result.seconds},
                                 {"steps_per_second", result.steps_per_second},
                                 {"peak_memory_mb", result.peak_memory_mb},
                                 {"trainable_parameters", result.trainable_scalars},
                                 {"frozen_tensors_changed", result.frozen_changed}};
  for (const auto& [name, evaluation] : result.evaluations)
    json["evaluations"][name] = evaluation.metrics;
  return json;
}

void PrintTable(const TrainArguments& arguments, const TrainResult& result) {
  std::cout << absl::StrFormat("%-24s %s\n", "output", arguments.train.output)
            << absl::StrFormat("%-24s %d%s\n", "steps", result.steps,
                               result.finished ? "" : " (stopped; go on with --resume)")
            << absl::StrFormat("%-24s %.4f\n", "loss", result.final_loss)
            << absl::StrFormat("%-24s %.1f (%.2f steps/s)\n", "seconds", result.seconds,
                               result.steps_per_second)
            << absl::StrFormat("%-24s %.0f\n", "peak memory, MiB", result.peak_memory_mb)
            << absl::StrFormat("%-24s %d\n", "trainable parameters", result.trainable_scalars);
  if (result.skipped_batches > 0)
    std::cout << absl::StrFormat("%-24s %d\n", "batches left out", result.skipped_batches);
  if (!result.finished) return;
  std::cout << absl::StrFormat("%-24s %d\n", "frozen tensors changed", result.frozen_changed);
  for (const auto& [name, evaluation] : result.evaluations) {
    for (const auto& [metric, value] : evaluation.metrics) {
      std::cout << absl::StrFormat("%-24s %-24s %.4f%s\n", name, metric, value,
                                   BesideConstant(evaluation, metric));
    }
  }
}

absl::optional<std::string> Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? absl::nullopt : absl::optional<std::string>(value);
}

absl::StatusOr<ExitCode> RunTrain(TrainArguments arguments) {
  // Before anything else: a run that is stopped while it still connects or loads says so as well.
  // Never destroyed: exit() would end a static watch before EndProcess (startup.cc) runs, and a
  // request in between must not change how the program ends.
  static const auto* const kWatch =
      new SignalWatch({SIGINT, SIGTERM}, RequestStop, IgnoredSignals::kAreWatched);
  (void)kWatch;
  UNIVAL_ASSIGN_OR_RETURN(const WorldConfig config, ReadWorldConfig(&Variable));
  std::unique_ptr<World> world;
  if (config.size > 1) {
    UNIVAL_ASSIGN_OR_RETURN(world, World::Connect(config));
    arguments.train.world = world.get();
  }
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(arguments.runtime));
  arguments.train.stop = &stop_requested;
  UNIVAL_ASSIGN_OR_RETURN(const TrainResult result, Train(arguments.train, *runtime));
  if (config.rank > 0) return result.finished ? kDone : kFailed;
  if (arguments.json) {
    std::cout << JsonText(ToJson(arguments, result), 2) << "\n";
  } else {
    PrintTable(arguments, result);
  }
  return result.finished ? kDone : kFailed;
}

void AddOptions(Command& command, const std::shared_ptr<TrainArguments>& arguments) {
  TrainOptions& train = arguments->train;
  command.AddPositional("plan", &train.plan_file, "Training plan (textproto)");
  command.AddOption("--output,-o", &train.output, "Folder of the run; new or empty unless --resume")
      .Required();
  command.AddOption("--data_root", &train.data_root,
                    "Folder that the plan's data paths are relative to (default: the plan's own)");
  command.AddFlag("--resume", &train.resume, "Go on from the last checkpoint in the output folder");
  command.AddFlag("--verify_data", &train.verify_data,
                  "Read all records and tars and compare them with what the run recorded, instead "
                  "of believing their indexes");
  AddIndexOption(command, &train.index);
  command.AddOption("--seed", &train.overrides.seed, "Seed instead of the plan's");
  command.AddOption("--steps", &train.overrides.steps, "Steps of every stage instead of the plan's")
      .Positive();
  command.AddDevice(&train.device);
  command.AddOption("--cache", &train.cache_dir,
                    "Folder of encoder features, shared by runs (default: OUTPUT/cache)");
  command
      .AddOption("--cache_limit", &train.cache_limit_mb,
                 "Megabytes that the caches of that folder may have together (default: no limit); "
                 "the weights do not depend on it")
      .NotNegative();
  command.AddFlag("--quiet", &train.quiet, "No progress on standard error; warnings stay");
  command.AddFlag("--json", &arguments->json, "Print JSON");
  AddRuntimeOptions(command, &arguments->runtime);
}

}  // namespace

void AddTrainCommand(Command& program) {
  Command& command = AddShippedCommand(program, "train");
  auto arguments = std::make_shared<TrainArguments>();
  AddOptions(command, arguments);
  command.SetFooter(
      "OUTPUT receives model/, receipt.json, results.json, log.jsonl and a checkpoint.\n"
      "Example: unival train recipes/fsdd_adapter.textproto --data_root data --output runs/fsdd");
  command.OnRun([arguments] { return RunTrain(*arguments); });
}

}  // namespace unival
