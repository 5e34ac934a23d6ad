// unival predict MODEL --task NAME ...: answers to one record or to many.

#include <iostream>

#include "app/command.h"
#include "app/commands.h"
#include "app/predict_answers.h"
#include "app/shipped.h"
#include "backbone/generation/generate.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

absl::Status CheckTogether(const PredictArguments& arguments) {
  UNIVAL_RETURN_IF_ERROR(CheckShare(arguments.max_unreadable));
  if (arguments.stream && arguments.json) {
    return InvalidArgument(
        "--stream: expected text, got --json too, which is a whole answer; "
        "leave one of them out");
  }
  if (arguments.stream && arguments.n_best.value_or(1) > 1) {
    return InvalidArgument("--stream: expected one answer, got --n_best ", *arguments.n_best,
                           "; leave one of them out");
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Predict(PredictArguments arguments) {
  if (arguments.inputs.empty()) {
    std::cerr << "unival: nothing to answer: expected --input, --image, --video, --audio, --text, "
                 "FILES or -; see unival predict --help\n";
    return kUsage;
  }
  UNIVAL_RETURN_IF_ERROR(CheckTogether(arguments));
  arguments.pipeline.task = arguments.task;
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Pipeline::Create(arguments.pipeline));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task(arguments.task));
  UNIVAL_RETURN_IF_ERROR(AnswerRecords(arguments, *pipeline, *task));
  return kDone;
}

}  // namespace

// What the command takes, in one piece.
void AddPredictCommand(Command& program) {
  Command& command = AddShippedCommand(program, "predict");
  auto arguments = std::make_shared<PredictArguments>();
  AddPipelineOptions(command, &arguments->pipeline);
  AddInputOptions(command, &arguments->inputs);
  command.AddOption("--task", &arguments->task, "Task name; `unival inspect MODEL` lists them")
      .Required();
  command.AddOption("--beam", &arguments->beam, "Beams (default: the task's)")
      .Between(kMinBeam, kMaxBeam);
  command
      .AddOption(
          "--n_best", &arguments->n_best,
          "Answers of each record, best first, with their scores; as many beams are searched "
          "unless --beam says otherwise")
      .Between(1, kMaxBeam);
  command.AddOption("--batch", &arguments->batch, "Records answered together")
      .Positive()
      .ShowDefault();
  command
      .AddOption("--max_unreadable", &arguments->max_unreadable,
                 "Share of records that may have no answer before the run is an error")
      .ShowDefault();
  command.AddOption("--draw", &arguments->draw,
                    "Draw the boxes onto the picture: OUT.png, or a folder for several records");
  command.AddOption(
      "--save", &arguments->save,
      "Write the image codes of the answer: OUT.npy, or a folder for several records");
  command.AddFlag("--stream", &arguments->stream,
                  "Print the text as it comes about; with several beams, what all of them share");
  command.AddFlag("--json", &arguments->json, "Print JSON, one object a line for each record");
  command.SetFooter(
      "Examples: unival predict models/nano --task image_caption --image photo.png\n"
      "          unival predict models/nano --task vqa --image photos/ --text \"how many?\" "
      "--json\n"
      "          producer | unival predict models/nano --task vqa -");
  command.OnRun([arguments] { return Predict(*arguments); });
}

}  // namespace unival
