// unival plan show PLAN: what a training plan will do and cost, before anything runs.

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/optional.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/shipped.h"
#include "sdk/base/json_text.h"
#include "sdk/base/progress.h"
#include "sdk/base/status_macros.h"
#include "training/plan_probe.h"
#include "training/run/plan_preview.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

struct PlanArguments {
  TrainOptions train;
  RuntimeOptions runtime;
  std::string dry_run;
  bool probe = false, json = false;
};

OrderedJson StageJson(const StagePreview& stage) {
  OrderedJson sources = OrderedJson::array(), parts = OrderedJson::array();
  for (const SourcePreview& source : stage.sources) {
    sources.push_back({{"name", source.name},
                       {"task", source.task},
                       {"path", source.path},
                       {"unlock_step", source.unlock_step},
                       {"unlock_after_plateau", source.unlock_after_plateau},
                       {"records", source.records},
                       {"micro_batches", source.micro_batches},
                       {"rows", source.rows},
                       {"epochs", source.epochs()},
                       {"augment", source.augment}});
  }
  for (const PartPreview& part : stage.parts) {
    parts.push_back({{"name", part.name}, {"trained", part.trained}, {"frozen", part.frozen}});
  }
  return {{"name", stage.name},
          {"steps", stage.steps},
          {"rows", stage.rows()},
          {"sources", sources},
          {"parts", parts},
          {"trained_tensors", stage.trained_tensors},
          {"trained_parameters", stage.trained()},
          {"frozen_parameters", stage.frozen()},
          {"checkpoint_bytes", stage.checkpoint_bytes},
          {"dropout", stage.dropout.values},
          {"attention_dropout", stage.dropout.attention},
          {"encoder_drop_path", stage.dropout.encoder_path},
          {"decoder_drop_path", stage.dropout.decoder_path},
          {"activation_checkpointing", stage.activation_checkpointing},
          {"mixed_loss_mean", stage.mixed_loss_mean},
          {"validations", stage.validations}};
}

OrderedJson ProbeJson(const PlanProbe& probe) {
  OrderedJson stages = OrderedJson::array();
  for (const StageProbe& stage : probe.stages) {
    stages.push_back({{"name", stage.name},
                      {"steps_measured", stage.steps},
                      {"seconds_per_step", stage.seconds_per_step},
                      {"part_seconds_per_step", stage.part_seconds},
                      {"encoder_seconds", stage.encoder_seconds},
                      {"seconds", stage.seconds}});
  }
  return {{"stages", stages},
          {"validation_seconds", probe.validation_seconds},
          {"evaluation_seconds", probe.evaluation_seconds},
          {"seconds", probe.seconds},
          {"peak_memory_mb", probe.peak_memory_mb}};
}

OrderedJson ToJson(const PlanPreview& preview, const absl::optional<PlanProbe>& probe) {
  OrderedJson json = {{"plan", preview.plan}, {"model_bytes", preview.model_bytes}};
  json["stages"] = OrderedJson::array();
  for (const StagePreview& stage : preview.stages) json["stages"].push_back(StageJson(stage));
  json["evaluations"] = OrderedJson::array();
  for (const EvaluationPreview& evaluation : preview.evaluations) {
    json["evaluations"].push_back({{"name", evaluation.name},
                                   {"task", evaluation.task},
                                   {"path", evaluation.path},
                                   {"records", evaluation.records}});
  }
  if (probe) json["probe"] = ProbeJson(*probe);
  return json;
}

std::string MebibytesText(int64_t bytes) {
  return absl::StrFormat("%.1f MiB", static_cast<double>(bytes) / (1 << 20));
}

// A line of what is dropped, or nothing.
std::string DropoutText(const DropoutRates& rates) {
  if (rates.values <= 0 && rates.attention <= 0 && rates.encoder_path <= 0 &&
      rates.decoder_path <= 0) {
    return "";
  }
  const std::string path = rates.encoder_path == rates.decoder_path
                               ? absl::StrFormat("%g", rates.encoder_path)
                               : absl::StrFormat("%g in the encoder, %g in the decoder",
                                                 rates.encoder_path, rates.decoder_path);
  return absl::StrFormat("  dropout %g, attention dropout %g, drop path %s\n", rates.values,
                         rates.attention, path);
}

// A line for each modality whose items vary.
std::string AugmentText(const StagePreview& stage) {
  std::string text;
  for (const SourcePreview& source : stage.sources) {
    for (const auto& [modality, augment] : source.augment) {
      absl::StrAppend(&text, "  source ", source.name, ": \"", modality, "\" varies",
                      augment.empty() ? "" : absl::StrCat(", augment ", augment), "\n");
    }
  }
  return text;
}

void PrintStage(const StagePreview& stage) {
  std::cout << absl::StrFormat("\nstage %s: %d steps, %d rows\n", stage.name, stage.steps,
                               stage.rows())
            << absl::StrFormat("  %-20s %-20s %10s %10s %10s %8s %8s\n", "source", "task",
                               "records", "batches", "rows", "epochs", "from");
  for (const SourcePreview& source : stage.sources) {
    const bool waits = source.unlock_after_plateau > 0;
    std::cout << absl::StrFormat("  %-20s %-20s %10d %10d %10d %8.2f %8s\n", source.name,
                                 source.task, source.records, source.micro_batches, source.rows,
                                 source.epochs(),
                                 waits ? "plateau" : absl::StrCat(source.unlock_step));
  }
  std::cout << absl::StrFormat("  %-41s %10s %10s\n", "parameters", "trained", "frozen");
  for (const PartPreview& part : stage.parts) {
    std::cout << absl::StrFormat("  %-41s %10d %10d\n", part.name, part.trained, part.frozen);
  }
  std::cout << absl::StrFormat("  %-41s %10d %10d\n", "all", stage.trained(), stage.frozen())
            << absl::StrFormat("  checkpoint %s", MebibytesText(stage.checkpoint_bytes));
  if (stage.validations > 0) std::cout << absl::StrFormat(", %d validations", stage.validations);
  std::cout << "\n" << AugmentText(stage) << DropoutText(stage.dropout);
  if (!stage.mixed_loss_mean.empty()) {
    std::cout << "  micro-batches have rows of several sources; the loss is a mean per "
              << stage.mixed_loss_mean << "\n";
  }
  if (stage.activation_checkpointing) {
    std::cout << "  activation checkpointing: layers are computed again for backward\n";
  }
}

void PrintProbe(const PlanProbe& probe) {
  std::cout << "\nmeasured on a few steps\n";
  for (const StageProbe& stage : probe.stages) {
    std::cout << absl::StrFormat("  %-20s %s in all, %.4f s a step:", stage.name,
                                 DurationText(stage.seconds), stage.seconds_per_step);
    for (const auto& [part, seconds] : stage.part_seconds)
      std::cout << absl::StrFormat(" %s %.4f", part, seconds);
    std::cout << "\n";
  }
  std::cout << absl::StrFormat("  %-20s %s\n", "validations",
                               DurationText(probe.validation_seconds))
            << absl::StrFormat("  %-20s %s\n", "evaluations",
                               DurationText(probe.evaluation_seconds))
            << absl::StrFormat("  %-20s %s\n", "time in all", DurationText(probe.seconds))
            << absl::StrFormat("  %-20s %.0f MiB\n", "peak memory", probe.peak_memory_mb);
}

absl::Status ShowPlan(PlanArguments arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(arguments.runtime));
  arguments.train.quiet = true;
  UNIVAL_ASSIGN_OR_RETURN(const PlanPreview preview,
                          PreviewPlan(arguments.train, *runtime, arguments.dry_run));
  absl::optional<PlanProbe> probe;
  if (arguments.probe) {
    std::error_code error;
    const fs::path folder = fs::temp_directory_path(error);
    arguments.train.output = (folder / absl::StrCat("unival-probe-", getpid())).string();
    UNIVAL_ASSIGN_OR_RETURN(probe, ProbePlan(arguments.train, preview, *runtime));
  }
  if (arguments.json) {
    std::cout << JsonText(ToJson(preview, probe), 2) << "\n";
    return absl::OkStatus();
  }
  std::cout << absl::StrFormat("plan %s, model %s\n", preview.plan,
                               MebibytesText(preview.model_bytes));
  for (const StagePreview& stage : preview.stages) PrintStage(stage);
  for (const EvaluationPreview& evaluation : preview.evaluations) {
    std::cout << absl::StrFormat("\nevaluation %s: %s over %d records\n", evaluation.name,
                                 evaluation.task, evaluation.records);
  }
  if (probe) PrintProbe(*probe);
  return absl::OkStatus();
}

}  // namespace

void AddPlanCommand(Command& program) {
  Command& plan = AddShippedCommand(program, "plan");
  Command& command = plan.AddCommand(
      "show", "Count what a plan will do: rows of every source, parameters, checkpoints");
  auto arguments = std::make_shared<PlanArguments>();
  TrainOptions& train = arguments->train;
  command.AddPositional("plan", &train.plan_file, "Training plan (textproto)");
  command.AddOption("--data_root", &train.data_root,
                    "Folder that the plan's data paths are relative to (default: the plan's own)");
  AddIndexOption(command, &train.index);
  command.AddOption("--seed", &train.overrides.seed, "Seed instead of the plan's");
  command.AddOption("--steps", &train.overrides.steps, "Steps of every stage instead of the plan's")
      .Positive();
  command.AddFlag("--probe", &arguments->probe,
                  "Train twenty steps of every stage, to say time and memory");
  command.AddOption("--dry_run", &arguments->dry_run,
                    "Write the order of the records to this file, a JSON object a row");
  command.AddDevice(&train.device);
  command.AddFlag("--json", &arguments->json, "Print JSON");
  AddRuntimeOptions(command, &arguments->runtime);
  command.SetFooter(
      "Example: unival plan show recipes/fsdd_adapter.textproto --data_root data --probe");
  command.OnRun([arguments] { return ShowPlan(*arguments); });
}

}  // namespace unival
