// unival prompts check SET --data FILE --model MODEL, unival prompts add MODEL SET --output OUT.

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "app/column_pairs.h"
#include "app/command.h"
#include "app/prompts_commands.h"
#include "sdk/base/json_text.h"
#include "sdk/base/progress.h"
#include "sdk/base/status_macros.h"
#include "training/data/check/prompt_add.h"
#include "training/data/check/prompt_check.h"

namespace unival {
namespace {

struct PromptCheckArguments {
  PromptCheckOptions check;
  RuntimeOptions runtime;
  std::string model, output;
  std::vector<std::string> columns;
  bool json = false;
};

// Null without a model. No modality is loaded: texts alone are looked at.
absl::StatusOr<std::unique_ptr<Model>> LanguageModel(const std::string& directory,
                                                     const Runtime& runtime) {
  if (directory.empty()) return std::unique_ptr<Model>();
  ModelLoadOptions load;
  load.all_modalities = false;
  return Model::Load(directory, runtime, load);
}

void PrintPromptReport(const PromptCheckArguments& arguments, const PromptReport& report) {
  if (arguments.json) {
    const nlohmann::ordered_json json = {{"set", arguments.check.set},
                                         {"tasks", report.tasks},
                                         {"records", report.records},
                                         {"problems", ProblemsJson(report.problems)}};
    std::cout << JsonText(json, 2) << "\n";
    return;
  }
  std::cout << ProblemText(report.problems);
  std::cout << arguments.check.set << ": " << report.tasks.size() << " tasks, " << report.records
            << " records\n";
}

absl::StatusOr<ExitCode> CheckSet(PromptCheckArguments arguments) {
  UNIVAL_ASSIGN_OR_RETURN(arguments.check.columns, ParseColumnPairs(arguments.columns));
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(arguments.runtime));
  UNIVAL_ASSIGN_OR_RETURN(const auto model, LanguageModel(arguments.model, *runtime));
  arguments.check.progress = CountOn("checking");
  UNIVAL_ASSIGN_OR_RETURN(const PromptReport report,
                          CheckPrompts(arguments.check, *runtime, model.get()));
  PrintPromptReport(arguments, report);
  return report.problems.empty() ? kDone : kDifferent;
}

absl::StatusOr<ExitCode> AddSet(const PromptCheckArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(arguments.runtime));
  UNIVAL_ASSIGN_OR_RETURN(const auto model, LanguageModel(arguments.model, *runtime));
  UNIVAL_ASSIGN_OR_RETURN(const PromptReport report,
                          CheckPrompts(arguments.check, *runtime, model.get()));
  if (!report.problems.empty()) {
    std::cout << ProblemText(report.problems);
    return kDifferent;
  }
  UNIVAL_RETURN_IF_ERROR(AddPromptSet(arguments.model, arguments.check.set, arguments.output,
                                      runtime->template_types()));
  std::cout << (arguments.output.empty() ? arguments.model : arguments.output) << ": "
            << report.tasks.size() << " tasks added: " << absl::StrJoin(report.tasks, ", ") << "\n";
  return kDone;
}

}  // namespace

void AddPromptsCheck(Command& prompts) {
  Command& command = prompts.AddCommand(
      "check", "Hold a template set against records and a model, and list every problem");
  auto arguments = std::make_shared<PromptCheckArguments>();
  command.AddPositional("set", &arguments->check.set, "Task template file");
  command.AddOption("--data", &arguments->check.data, "Records: FILE.jsonl or FILE.tar");
  command.AddOption("--model", &arguments->model,
                    "Model directory; without it nothing is said of modalities and lengths");
  command.AddOption("--task", &arguments->check.tasks,
                    "Only this task; may be given several times (default: all of the set)");
  command.AddOption("--column", &arguments->columns,
                    "task_column=record_column where names differ; may be given several times");
  command.AddOption("--limit", &arguments->check.limit, "Only the first records (default: all)")
      .NotNegative();
  command.AddFlag("--json", &arguments->json, "Print JSON");
  AddRuntimeOptions(command, &arguments->runtime);
  command.SetFooter(
      "Exit code 3 when there are problems.\n"
      "Example: unival prompts check mine.textproto --data train.jsonl --model models/base");
  command.OnRun([arguments] { return CheckSet(*arguments); });
}

void AddPromptsAdd(Command& prompts) {
  Command& command =
      prompts.AddCommand("add", "Store a template set with a model, so that it knows its tasks");
  auto arguments = std::make_shared<PromptCheckArguments>();
  command.AddPositional("model", &arguments->model, "Model directory");
  command.AddPositional("set", &arguments->check.set, "Task template file");
  command.AddOption("--output,-o", &arguments->output,
                    "Model directory to write (default: MODEL itself, in one step)");
  AddRuntimeOptions(command, &arguments->runtime);
  command.SetFooter(
      "Refused when the model has a task of the same name; exit code 3 when the set does not fit "
      "the model.\n"
      "Example: unival prompts add models/base mine.textproto --output models/mine");
  command.OnRun([arguments] { return AddSet(*arguments); });
}

}  // namespace unival
