// unival predict MODEL --task NAME ...: answers to one record or to many.

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
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
    return UsageError(
        "--stream: expected text, got --json too, which is a whole answer; "
        "leave one of them out");
  }
  if (arguments.stream && arguments.n_best.value_or(1) > 1) {
    return UsageError(absl::StrCat("--stream: expected one answer, got --n_best ",
                                   *arguments.n_best, "; leave one of them out"));
  }
  return absl::OkStatus();
}

// Errors of the search name a field of the template, "generation.beam"; here it is the option
// --beam.
absl::Status CheckValues(const GenerationConfig& asked) {
  const absl::Status status = CheckGenerationConfig(asked);
  if (status.ok()) return status;
  return InvalidArgument(absl::StrReplaceAll(status.message(), {{"generation.", "--"}}));
}

// An option of sampling turns sampling on for every task; the task's other settings stay.
absl::Status ReadSampling(PredictArguments* arguments) {
  GenerationConfig& asked = arguments->generation;
  if (arguments->top_k.has_value()) asked.set_top_k(*arguments->top_k);
  if (arguments->top_p.has_value()) asked.set_top_p(static_cast<float>(*arguments->top_p));
  if (arguments->seed.has_value()) asked.set_seed(*arguments->seed);
  if (arguments->temperature.has_value())
    asked.set_temperature(static_cast<float>(*arguments->temperature));
  UNIVAL_RETURN_IF_ERROR(CheckValues(asked));
  const bool is_asked = arguments->top_k.has_value() || arguments->top_p.has_value() ||
                        arguments->seed.has_value() || arguments->temperature.has_value();
  if (!is_asked) return absl::OkStatus();
  if (arguments->beam.has_value()) {
    return InvalidArgument("--beam ", *arguments->beam,
                           ": expected either beams or sampling, got --temperature, --top_k, "
                           "--top_p or --seed, too; leave one of them out (--n_best K draws K "
                           "answers)");
  }
  const bool is_likeliest = asked.has_temperature() && asked.temperature() == 0;
  asked.set_sample(!is_likeliest);
  asked.set_score_candidates(false);
  asked.set_beam(1);
  if (is_likeliest && arguments->n_best.value_or(1) > 1) {
    return InvalidArgument("--n_best ", *arguments->n_best,
                           ": expected 1, as --temperature 0 gives one answer; leave one of them "
                           "out");
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Predict(PredictArguments arguments) {
  if (arguments.inputs.empty()) {
    return UsageError(
        "nothing to answer: expected --input, --image, --video, --audio, --text, FILES or -");
  }
  UNIVAL_RETURN_IF_ERROR(CheckTogether(arguments));
  if (const absl::Status sampling = ReadSampling(&arguments); !sampling.ok()) {
    return UsageError(std::string(sampling.message()));
  }
  arguments.pipeline.task = arguments.task;
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Pipeline::Create(arguments.pipeline));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task(arguments.task));
  UNIVAL_RETURN_IF_ERROR(AnswerRecords(arguments, *pipeline, *task));
  return kDone;
}

void AddSamplingOptions(Command& command, PredictArguments* arguments) {
  command.AddOption("--temperature", &arguments->temperature,
                    "Draw tokens, after dividing their logits by this: 0.001 to 1000; 0 takes the "
                    "likeliest at each step (default: the task's)");
  command
      .AddOption("--top_k", &arguments->top_k,
                 "Draw among this many of the likeliest tokens; 0: among all")
      .NotNegative();
  command.AddOption("--top_p", &arguments->top_p,
                    "Draw among the fewest likeliest tokens whose probability reaches this share, "
                    "0 to 1; 0: among all");
  command.AddOption("--seed", &arguments->seed,
                    "Draw by this seed: the same record gets the same answer, whatever is asked "
                    "beside it (default: 0)");
}

}  // namespace

// What the command takes, in one piece.
void AddPredictCommand(Command& program) {
  Command& command = AddShippedCommand(program, "predict");
  auto arguments = std::make_shared<PredictArguments>();
  AddPipelineOptions(command, &arguments->pipeline);
  AddInputOptions(command, &arguments->inputs);
  command.SetOptionAdvice([arguments](const std::string& option) {
    return MediumAdvice(arguments->pipeline.model, option);
  });
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
  AddSamplingOptions(command, arguments.get());
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
