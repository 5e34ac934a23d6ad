// unival predict MODEL --task NAME --input column=value ...: one answer.

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "absl/types/optional.h"
#include "app/command.h"
#include "app/commands.h"
#include "backbone/generation/generate.h"
#include "runtime/prediction_json.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

struct PredictArguments {
  PipelineOptions pipeline;
  std::string task;
  std::vector<std::string> inputs;
  absl::optional<int> beam;
  bool json = false;
};

nlohmann::json ToJson(const PredictArguments& arguments, const Prediction& answer) {
  nlohmann::json json = {{"task", arguments.task}};
  AddPrediction(answer, &json);
  return json;
}

void Print(const PredictArguments& arguments, const Prediction& answer) {
  if (arguments.json) {
    // Tokens of a text need not end at a character: bytes that are no UTF-8 are replaced.
    std::cout << JsonText(ToJson(arguments, answer)) << "\n";
  } else if (answer.box.has_value()) {
    const auto& box = *answer.box;
    std::cout << absl::StrFormat(
        "x0 %.3f  y0 %.3f  x1 %.3f  y1 %.3f   (fractions of width and height)\n", box[0], box[1],
        box[2], box[3]);
  } else {
    std::cout << answer.text << "\n";
  }
}

absl::Status Predict(PredictArguments arguments) {
  arguments.pipeline.task = arguments.task;
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Pipeline::Create(arguments.pipeline));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task(arguments.task));
  UNIVAL_ASSIGN_OR_RETURN(TaskSample sample, SampleFromInputs(task->info(), arguments.inputs));
  GenerationConfig generation;
  if (arguments.beam.has_value()) generation.set_beam(*arguments.beam);
  UNIVAL_ASSIGN_OR_RETURN(Prediction answer, pipeline->Predict(arguments.task, sample, generation));
  Print(arguments, answer);
  return absl::OkStatus();
}

}  // namespace

void AddPredictCommand(Command& program) {
  Command& command = program.AddCommand("predict", "Answer one record, given on the command line");
  auto arguments = std::make_shared<PredictArguments>();
  AddPipelineOptions(command, &arguments->pipeline);
  command.AddOption("--task", &arguments->task, "Task name; `unival inspect MODEL` lists them")
      .Required();
  command
      .AddOption("--input", &arguments->inputs,
                 "column=value; a file for media columns, text otherwise")
      .Required();
  command.AddOption("--beam", &arguments->beam, "Beams (default: the task's)")
      .Between(kMinBeam, kMaxBeam);
  command.AddFlag("--json", &arguments->json, "Print JSON");
  command.SetFooter(
      "Example: unival predict models/nano --task image_caption --input image=photo.png");
  command.OnRun([arguments] { return Predict(*arguments); });
}

}  // namespace unival
