// unival predict MODEL --task NAME --input column=value ...: one answer.

#include <algorithm>
#include <array>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
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
  std::string set_hash;  // of the set that words the task
  // Of the picture that was asked about; nothing where the answer holds no box.
  absl::optional<std::array<double, 2>> picture;
};

// X0, y0, x1, y1 in pixels, x to the right and y down.
std::array<double, 4> InPixels(const std::array<double, 4>& box,
                               const std::array<double, 2>& picture) {
  return {box[0] * picture[0], box[1] * picture[1], box[2] * picture[0], box[3] * picture[1]};
}

nlohmann::json ToJson(const PredictArguments& arguments, const Prediction& answer) {
  nlohmann::json json = {{"task", arguments.task}};
  if (!arguments.set_hash.empty()) json["template_set_hash"] = arguments.set_hash;
  AddPrediction(answer, &json);
  if (answer.box.has_value() && arguments.picture.has_value())
    json["box_pixels"] = InPixels(*answer.box, *arguments.picture);
  return json;
}

bool IsInPixels(const FieldValue& value) {
  const auto* box = std::get_if<std::vector<double>>(&value);
  return box != nullptr && box->size() == 4 &&
         std::any_of(box->begin(), box->end(), [](double corner) { return corner > 1; });
}

// Width and height of the first picture that the record holds; nothing where it holds none.
absl::optional<std::array<double, 2>> PictureSize(const TaskInfo& task,
                                                  const HostServices& services,
                                                  const TaskSample& sample) {
  for (const std::string& column : MediaColumns(task)) {
    const auto found = sample.fields.find(column);
    if (found == sample.fields.end()) continue;
    const auto* media = std::get_if<MediaSource>(&found->second);
    if (media == nullptr) continue;
    const auto pixels = services.media->DecodeImage(*media, PixelFormat::kRgb8);
    if (!pixels.ok()) return absl::nullopt;  // no picture, or the modality says it better
    return std::array<double, 2>{static_cast<double>(pixels->size(1)),
                                 static_cast<double>(pixels->size(0))};
  }
  return absl::nullopt;
}

// A box in pixels lies in the picture that is given with it, unless the size is given too.
void AddPictureSize(const TaskInfo& task, const HostServices& services, TaskSample* sample) {
  const bool has_box =
      absl::StrContains(task.prompt, ":box}") || absl::StrContains(task.target, ":box}");
  const bool is_sized = sample->fields.count("width") + sample->fields.count("height") > 0;
  const bool in_pixels = std::any_of(sample->fields.begin(), sample->fields.end(),
                                     [](const auto& field) { return IsInPixels(field.second); });
  if (!has_box || is_sized || !in_pixels) return;
  const auto size = PictureSize(task, services, *sample);
  if (!size.has_value()) return;
  sample->fields["width"] = (*size)[0];
  sample->fields["height"] = (*size)[1];
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
    if (!arguments.picture.has_value()) return;
    const auto pixels = InPixels(box, *arguments.picture);
    std::cout << absl::StrFormat("x0 %.1f  y0 %.1f  x1 %.1f  y1 %.1f   (pixels)\n", pixels[0],
                                 pixels[1], pixels[2], pixels[3]);
  } else {
    std::cout << answer.text << "\n";
  }
}

absl::Status Predict(PredictArguments arguments) {
  arguments.pipeline.task = arguments.task;
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Pipeline::Create(arguments.pipeline));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task(arguments.task));
  UNIVAL_ASSIGN_OR_RETURN(TaskSample sample, SampleFromInputs(task->info(), arguments.inputs));
  AddPictureSize(task->info(), pipeline->model().runtime().services(), &sample);
  WarnOfWording(*pipeline, arguments.task);
  if (const TaskWording* wording = pipeline->wording(arguments.task); wording != nullptr) {
    arguments.set_hash = wording->set_hash;
  }
  GenerationConfig generation;
  if (arguments.beam.has_value()) generation.set_beam(*arguments.beam);
  UNIVAL_ASSIGN_OR_RETURN(Prediction answer, pipeline->Predict(arguments.task, sample, generation));
  if (answer.box.has_value()) {
    arguments.picture = PictureSize(task->info(), pipeline->model().runtime().services(), sample);
  }
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
      .AddOption(
          "--input", &arguments->inputs,
          "column=value; a file for media columns, numbers for boxes and codes (box=10,20,30,40), "
          "a list as JSON ([\"a\", \"b\"]), text otherwise; may be given several times")
      .Required();
  command.AddOption("--beam", &arguments->beam, "Beams (default: the task's)")
      .Between(kMinBeam, kMaxBeam);
  command.AddFlag("--json", &arguments->json, "Print JSON");
  command.SetFooter(
      "Example: unival predict models/nano --task image_caption --input image=photo.png");
  command.OnRun([arguments] { return Predict(*arguments); });
}

}  // namespace unival
