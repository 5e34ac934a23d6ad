// unival checkpoint list|export RUN: what a training run has saved so far, and a model of it.

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/shipped.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/run/export.h"

namespace unival {
namespace {

struct CheckpointArguments {
  ExportOptions exported;
  RuntimeOptions runtime;
  bool json = false;
};

absl::Status ListOf(const CheckpointArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const CheckpointList list, ListCheckpoints(arguments.exported.run));
  if (arguments.json) {
    nlohmann::ordered_json json = {{"run", arguments.exported.run}, {"steps", list.steps}};
    json["best"] = nullptr;
    if (list.best) json["best"] = *list.best;
    std::cout << JsonText(json, 2) << "\n";
    return absl::OkStatus();
  }
  for (const int64_t step : list.steps) {
    std::cout << step << (list.best == step ? "  best" : "") << "\n";
  }
  const bool is_listed =
      list.best && std::find(list.steps.begin(), list.steps.end(), *list.best) != list.steps.end();
  if (list.best && !is_listed) std::cout << *list.best << "  best\n";
  return absl::OkStatus();
}

absl::Status ExportOf(const CheckpointArguments& arguments) {
  if (arguments.exported.best && arguments.exported.step) {
    return FieldError("--step", "nothing beside --best", *arguments.exported.step, "name one");
  }
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(arguments.runtime));
  UNIVAL_ASSIGN_OR_RETURN(const ExportResult result,
                          ExportCheckpoint(arguments.exported, *runtime));
  if (arguments.json) {
    const nlohmann::ordered_json json = {{"model", arguments.exported.output},
                                         {"step", result.step},
                                         {"planned_steps", result.planned_steps},
                                         {"finished", result.finished},
                                         {"receipt", result.receipt_file},
                                         {"trainable_parameters", result.trainable_scalars}};
    std::cout << JsonText(json, 2) << "\n";
    return absl::OkStatus();
  }
  std::cout << absl::StrFormat("%-24s %s\n", "model", arguments.exported.output)
            << absl::StrFormat(
                   "%-24s %d%s\n", "step", result.step,
                   result.finished ? "" : absl::StrFormat(" of %d planned", result.planned_steps))
            << absl::StrFormat("%-24s %s\n", "receipt", result.receipt_file);
  return absl::OkStatus();
}

void AddCheckpointListCommand(Command& checkpoint) {
  Command& command = checkpoint.AddCommand("list", "Show the checkpoints of a run, by their steps");
  auto arguments = std::make_shared<CheckpointArguments>();
  command.AddPositional("run", &arguments->exported.run, "Output folder of a training run");
  command.AddFlag("--json", &arguments->json, "Print JSON");
  command.SetFooter("Example: unival checkpoint list runs/depth");
  command.OnRun([arguments] { return ListOf(*arguments); });
}

void AddCheckpointExportCommand(Command& checkpoint) {
  Command& command = checkpoint.AddCommand(
      "export", "Make a model directory of a checkpoint, of a run that goes on, stopped or ended");
  auto arguments = std::make_shared<CheckpointArguments>();
  ExportOptions& options = arguments->exported;
  command.AddPositional("run", &options.run, "Output folder of a training run");
  command.AddOption("--output,-o", &options.output, "Model directory to make").Required();
  command.AddOption("--step", &options.step, "Of this step of all stages (default: the newest)");
  command.AddFlag("--best", &options.best, "Of the best validation (plan: validation.keep_best)");
  command.AddOption("--plan", &options.plan_file,
                    "Where the plan is now, if the run was moved away from it");
  command.AddFlag("--json", &arguments->json, "Print JSON");
  AddRuntimeOptions(command, &arguments->runtime);
  command.SetFooter(
      "RUN/receipts/STEP/receipt.json says what training had changed by then.\n"
      "Example: unival checkpoint export runs/depth --best -o models/depth_best");
  command.OnRun([arguments] { return ExportOf(*arguments); });
}

}  // namespace

void AddCheckpointCommand(Command& program) {
  Command& command = AddShippedCommand(program, "checkpoint");
  AddCheckpointListCommand(command);
  AddCheckpointExportCommand(command);
}

}  // namespace unival
