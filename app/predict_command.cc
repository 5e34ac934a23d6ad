// unival predict MODEL --task NAME --input column=value ...: one answer.

#include <iostream>
#include <nlohmann/json.hpp>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "app/command.h"
#include "backbone/generation/generate.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

struct PredictArguments {
  PipelineOptions pipeline;
  std::string task;
  std::vector<std::string> inputs;
  GenerationConfig generation;
  bool json = false;
};

nlohmann::json ToJson(const PredictArguments& arguments, const Prediction& answer) {
  nlohmann::json json = {{"task", arguments.task}, {"text", answer.text}, {"score", answer.score}};
  if (answer.box.has_value()) json["box"] = *answer.box;
  if (!answer.codes.empty()) json["codes"] = answer.codes;
  return json;
}

void Print(const PredictArguments& arguments, const Prediction& answer) {
  if (arguments.json) {
    std::cout << ToJson(arguments, answer).dump() << "\n";
  } else if (answer.box.has_value()) {
    const auto& box = *answer.box;
    std::cout << absl::StrFormat(
        "x0 %.3f  y0 %.3f  x1 %.3f  y1 %.3f   (fractions of width and height)\n", box[0], box[1],
        box[2], box[3]);
  } else {
    std::cout << answer.text << "\n";
  }
}

absl::Status Predict(PredictArguments& arguments) {
  arguments.pipeline.task = arguments.task;
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Pipeline::Create(arguments.pipeline));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task(arguments.task));
  UNIVAL_ASSIGN_OR_RETURN(TaskSample sample, SampleFromInputs(task->info(), arguments.inputs));
  UNIVAL_ASSIGN_OR_RETURN(Prediction answer,
                          pipeline->Predict(arguments.task, sample, arguments.generation));
  Print(arguments, answer);
  return absl::OkStatus();
}

}  // namespace

void AddPredictCommand(CLI::App& app, int* exit_code) {
  CLI::App* command = app.add_subcommand("predict", "Answer one record, given on the command line");
  auto arguments = std::make_shared<PredictArguments>();
  AddPipelineOptions(command, &arguments->pipeline);
  command->add_option("--task", arguments->task, "Task name; `unival inspect MODEL` lists them")
      ->required();
  command
      ->add_option("--input", arguments->inputs,
                   "column=value; a file for media columns, text otherwise")
      ->required();
  command
      ->add_option_function<int>(
          "--beam", [arguments](int beam) { arguments->generation.set_beam(beam); },
          "Beams (default: the task's)")
      ->check(CLI::Range(kMinBeam, kMaxBeam));
  command->add_flag("--json", arguments->json, "Print JSON");
  command->footer(
      "Example: unival predict models/nano --task image_caption --input image=photo.png");
  OnRun(
      command,
      [arguments] {
        const absl::Status status = Predict(*arguments);
        return status.ok() ? kDone : Fail(status);
      },
      exit_code);
}

}  // namespace unival
