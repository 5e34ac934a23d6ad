#include "examples/quickstart/own_sensor.h"

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "examples/quickstart/child.h"
#include "examples/quickstart/plan_variants.h"
#include "examples/sensor/fake_sensor.h"
#include "runtime/model.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/evaluation/speaking.h"

namespace unival::quickstart {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kSet[] = "yours";
constexpr int64_t kTrainSignals = 100, kEvalSignals = 10;  // of each sentence
constexpr double kFastSteps = 0.25;                        // share of the recipe's

std::string DataFolder(const Workspace& workspace) {
  return absl::StrCat(workspace.data, "/sensor");
}

absl::Status WriteSignals(const QuickstartOptions& options, const Workspace& workspace) {
  sensor::FakeSensorOptions fake;
  fake.labels_file = absl::StrCat(workspace.data, "/sentences.json");
  UNIVAL_RETURN_IF_ERROR(
      WriteFileAtomically(fake.labels_file, {JsonText(Json{{kSet, options.say}}, 1)}));
  fake.output_dir = DataFolder(workspace);
  fake.kinds = {"changing"};
  fake.train_count = kTrainSignals;
  fake.eval_count = kEvalSignals;
  fake.seed = options.seed;
  return sensor::GenerateFakeSensor(fake);
}

// The first signals of the evaluation are one of each sentence.
absl::StatusOr<std::vector<report::SaidSentence>> ReadAnswers(const QuickstartOptions& options,
                                                              const std::string& file) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file));
  std::stringstream lines(text);
  std::vector<report::SaidSentence> said;
  for (const std::string& sentence : options.say) {
    std::string line;
    std::getline(lines, line);
    UNIVAL_ASSIGN_OR_RETURN(const Json answer, Annotate(ParseJson<Json>(line), file));
    if (!answer.is_object() || !answer.contains("text") || !answer["text"].is_string()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": expected an answer for each sentence, got \"", line, "\""));
    }
    said.push_back({sentence, answer["text"].get<std::string>()});
  }
  return said;
}

}  // namespace

absl::Status WarnOfSentences(const QuickstartOptions& options, const Runtime& runtime) {
  ModelLoadOptions load;
  load.all_modalities = false;
  UNIVAL_ASSIGN_OR_RETURN(const auto model, Model::Load(options.base, runtime, load));
  std::vector<std::string> texts;
  for (const std::string& sentence : options.say) texts.push_back(absl::StrCat(" ", sentence));
  UNIVAL_ASSIGN_OR_RETURN(const SpeakingReport report, CheckSpeaking(*model, texts, {}));
  const std::string warning = SpeakingWarning(report, /*most_words=*/12);
  std::cout << "      "
            << (warning.empty() ? absl::StrCat(options.base, " can say all of them")
                                : absl::StrCat("warning: ", warning))
            << "\n";
  return absl::OkStatus();
}

absl::StatusOr<std::vector<report::SaidSentence>> TeachSentences(const QuickstartOptions& options,
                                                                 const Workspace& workspace) {
  UNIVAL_RETURN_IF_ERROR(WriteSignals(options, workspace));
  const PlanOptions plans = {workspace.plans, options.base, "", "",
                             options.fast ? kFastSteps : 1.0};
  UNIVAL_ASSIGN_OR_RETURN(const PlanVariant plan, LoadSensorPlan(workspace.say_recipe, plans));
  UNIVAL_ASSIGN_OR_RETURN(const std::string file, WritePlan(plan, plans));
  const std::string data = absl::StrCat(DataFolder(workspace), "/", kSet, "/changing");
  const std::string run = workspace.RunFolder(kSensor);
  const ChildRun child = {plan.title,
                          {"train", file, "--data_root", data, "--output", run, "--plugin",
                           workspace.series_plugin, "--seed", absl::StrCat(options.seed),
                           "--threads", "1", "--device", options.device, "--json"},
                          workspace.SummaryFile(kSensor)};
  UNIVAL_RETURN_IF_ERROR(RunChildren(options.program, {child}, /*at_once=*/1));
  return ReadAnswers(options, run + "/results/say.jsonl");
}

}  // namespace unival::quickstart
