// unival score FILE: the field's scores of answers that come from anywhere.

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/score_table.h"
#include "app/shipped.h"
#include "runtime/files_read.h"
#include "runtime/runtime.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/scored_metric.h"
#include "training/data/files/output_file.h"
#include "training/evaluation/scoring.h"

namespace unival {
namespace {

constexpr double kExpectedTolerance = 1e-6;

struct ScoreArguments {
  RuntimeOptions runtime;
  std::string file, references, compare, per_sample;
  std::string words = "ptb";
  std::vector<std::string> metrics;
  ScoringOptions scoring;
  bool json = false;
};

// Of every answer, in their order.
std::vector<nlohmann::ordered_json> SampleScores(const ScoredInput& scored) {
  const SampleValues values = scored.metric->PerSample();
  std::vector<nlohmann::ordered_json> all(scored.input.samples.size(),
                                          nlohmann::ordered_json::object());
  for (size_t i = 0; i < all.size(); ++i) {
    for (const auto& [name, list] : values) {
      if (!std::isnan(list[i])) all[i][name] = list[i];
    }
  }
  return all;
}

// The same by key; of answers with one key, the last. Looks for no key among those that are there,
// as adding them by name would.
nlohmann::ordered_json ScoresByKey(const ScoredInput& scored) {
  std::unordered_map<std::string, size_t> last;
  for (size_t i = 0; i < scored.input.samples.size(); ++i) last[scored.input.samples[i].key] = i;
  std::vector<nlohmann::ordered_json> scores = SampleScores(scored);
  nlohmann::ordered_json::object_t all;
  all.reserve(scores.size());
  for (size_t i = 0; i < scores.size(); ++i) {
    const std::string& key = scored.input.samples[i].key;
    if (last.at(key) == i) all.emplace_back(key, std::move(scores[i]));
  }
  return all;
}

nlohmann::ordered_json ScoresAsJson(const ScoreArguments& arguments, const ScoredInput& scored,
                                    const ExpectedCheck& check) {
  nlohmann::ordered_json json = {{"file", arguments.file},
                                 {"layout", scored.input.layout},
                                 {"words", arguments.words},
                                 {"samples", scored.input.samples.size()}};
  AddScores(scored.scores, arguments.scoring.bootstrap, &json);
  if (!scored.input.note.empty()) json["note"] = scored.input.note;
  if (check.compared > 0) {
    json["expected"] = {{"compared", check.compared},
                        {"largest_difference", check.largest_difference},
                        {"at", check.at},
                        {"equal", check.largest_difference <= kExpectedTolerance}};
  }
  json["per_sample"] = ScoresByKey(scored);
  return json;
}

std::string SampleLines(const ScoredInput& scored) {
  std::string lines;
  const std::vector<nlohmann::ordered_json> all = SampleScores(scored);
  for (size_t i = 0; i < all.size(); ++i) {
    const nlohmann::ordered_json line = {{"key", scored.input.samples[i].key}, {"scores", all[i]}};
    lines += JsonText(line) + "\n";
  }
  return lines;
}

void PrintScores(const ScoreArguments& arguments, const ScoredInput& scored,
                 const ExpectedCheck& check) {
  std::cout << absl::StrFormat("%d answers, layout \"%s\"\n", scored.input.samples.size(),
                               scored.input.layout);
  PrintScoreTable(scored.scores, arguments.scoring.bootstrap);
  if (!scored.input.note.empty()) std::cout << "note  " << scored.input.note << "\n";
  if (check.compared == 0) return;
  std::cout << absl::StrFormat(
      "%d numbers of the file itself compared: largest difference %.2g%s\n", check.compared,
      check.largest_difference, check.at.empty() ? "" : absl::StrCat(" (", check.at, ")"));
}

absl::Status Prepare(ScoreArguments* arguments) {
  arguments->scoring.words =
      arguments->words == "ptb" ? CaptionWords::kPennTreebank : CaptionWords::kAsGiven;
  for (const std::string& list : arguments->metrics) {
    for (const auto& name : std::vector<std::string>(absl::StrSplit(list, ',', absl::SkipEmpty())))
      arguments->scoring.metrics.push_back(name);
  }
  std::vector<std::string> read = FilesOfRuntime(arguments->runtime);
  for (const std::string& file : {arguments->file, arguments->references, arguments->compare}) {
    read.push_back(file);
  }
  return CheckOutputFiles({arguments->per_sample}, read);
}

absl::StatusOr<ExitCode> CompareFiles(const ScoreArguments& arguments, const Registry& registry,
                                      const ScoreInput& input) {
  UNIVAL_ASSIGN_OR_RETURN(const ScoreInput other,
                          ReadScoreInput(arguments.compare, arguments.references));
  UNIVAL_ASSIGN_OR_RETURN(const auto differences,
                          CompareAnswers(input, other, registry, arguments.scoring));
  PrintComparison({arguments.file, arguments.compare, differences, arguments.scoring.bootstrap,
                   arguments.json});
  return kDone;
}

absl::StatusOr<ExitCode> Score(ScoreArguments arguments) {
  UNIVAL_RETURN_IF_ERROR(Prepare(&arguments));
  UNIVAL_ASSIGN_OR_RETURN(auto runtime, Runtime::Create(arguments.runtime));
  UNIVAL_ASSIGN_OR_RETURN(ScoreInput input, ReadScoreInput(arguments.file, arguments.references));
  const Registry& registry = runtime->registry();
  if (!arguments.compare.empty()) return CompareFiles(arguments, registry, input);
  UNIVAL_ASSIGN_OR_RETURN(
      const ScoredInput scored,
      Annotate(ScoreAnswers(std::move(input), registry, arguments.scoring), arguments.file));
  UNIVAL_RETURN_IF_ERROR(Annotate(CheckExpectedNames(scored, arguments.scoring), arguments.file));
  const ExpectedCheck check = CompareWithExpected(scored);
  if (!arguments.per_sample.empty())
    UNIVAL_RETURN_IF_ERROR(WriteOutputFile(arguments.per_sample, SampleLines(scored)));
  if (arguments.json) {
    std::cout << JsonText(ScoresAsJson(arguments, scored, check), 2) << "\n";
  } else {
    PrintScores(arguments, scored, check);
  }
  return check.largest_difference > kExpectedTolerance ? kDifferent : kDone;
}

}  // namespace

// What the command takes, in one piece.
void AddScoreCommand(Command& program) {
  Command& command = AddShippedCommand(program, "score");
  auto arguments = std::make_shared<ScoreArguments>();
  command.AddPositional("file", &arguments->file,
                        "Answers: {\"references\", \"candidates\"}, COCO caption results, VQA "
                        "results, or the lines of `unival eval --predictions`");
  command.AddOption("--references", &arguments->references,
                    "Right answers, where FILE holds none: an annotations file of COCO captions or "
                    "VQA, or {id: [text, ...]}");
  command.AddOption("--metrics", &arguments->metrics,
                    "Metrics, with commas between, instead of those usual for the layout; "
                    "an unknown one lists them");
  command
      .AddOption("--words", &arguments->words,
                 "How captions become words: ptb, as the COCO caption evaluation makes them, or "
                 "given, at blanks")
      .OneOf({"ptb", "given"})
      .ShowDefault();
  command
      .AddOption("--resamples", &arguments->scoring.bootstrap.resamples,
                 "Bootstrap resamples for 95 % intervals and paired tests; 0: none")
      .Between(0, kMaxResamples)
      .ShowDefault();
  command.AddOption("--seed", &arguments->scoring.bootstrap.seed, "Seed of the resamples")
      .ShowDefault();
  command.AddOption("--compare", &arguments->compare,
                    "A second file with answers to the same records: differences, paired");
  command.AddOption("--per_sample", &arguments->per_sample,
                    "Write the scores of every answer as JSONL to this file");
  command.AddFlag("--json", &arguments->json, "Print JSON, with the scores of every answer");
  AddRuntimeOptions(command, &arguments->runtime);
  command.SetFooter(
      "`cider` is what the COCO caption evaluation prints and papers quote as CIDEr, computed as\n"
      "CIDEr-D; `cider_d` is the same under its own name, `cider_plain` CIDEr as first defined.\n"
      "`meteor` uses the modules exact and stem alone. docs/metrics.md has the formulas.\n"
      "Exit code 3: the file states scores of its own (\"expected\") that differ by over 1e-6.\n"
      "Example: unival score results.json --references captions_val2014.json --metrics "
      "bleu,cider_d");
  command.OnRun([arguments] { return Score(*arguments); });
}

}  // namespace unival
