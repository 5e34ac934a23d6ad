// unival prompts list MODEL|SET, unival prompts show TASK: the tasks there are, and what one of
// them makes of a record.

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "app/column_pairs.h"
#include "app/command.h"
#include "app/prompts_commands.h"
#include "runtime/opened_model.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status_macros.h"
#include "tasks/templates/template_task.h"
#include "training/data/check/rendered_record.h"
#include "training/evaluation/evaluate.h"

namespace unival {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson DescribeSet(const LoadedTemplateSet& set, const std::string& file) {
  OrderedJson tasks = OrderedJson::array();
  const std::string hash = TemplateSetHash(set);
  for (const LoadedTemplate& task : set.tasks) {
    OrderedJson columns = OrderedJson::array();
    for (const TaskInput& input : task.proto.input()) columns.push_back(input.name());
    tasks.push_back({{"name", task.proto.name()},
                     {"set", file},
                     {"line", task.line},
                     {"modalities", TemplateModalities(task.proto)},
                     {"media_columns", columns},
                     {"prompt", task.proto.prompt()},
                     {"paraphrases", task.proto.paraphrase_size()},
                     {"target", task.proto.target()},
                     {"template_set_hash", hash},
                     {"summary", task.proto.summary()}});
  }
  return tasks;
}

absl::StatusOr<OrderedJson> DescribeTasks(const std::string& path, const TemplateTypes& types) {
  OrderedJson tasks = OrderedJson::array();
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    UNIVAL_ASSIGN_OR_RETURN(const LoadedTemplateSet set, LoadTemplateSet(path, types));
    return DescribeSet(set, path);
  }
  UNIVAL_ASSIGN_OR_RETURN(const OpenedModel opened, OpenedModel::Open(path, types));
  for (const auto& [file, stored] : opened.templates()) {
    UNIVAL_RETURN_IF_ERROR(stored.set.status());
    for (OrderedJson& task : DescribeSet(**stored.set, file)) tasks.push_back(std::move(task));
  }
  return tasks;
}

absl::Status List(const std::string& path, const RuntimeOptions& options, bool json) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const OrderedJson tasks, DescribeTasks(path, runtime->template_types()));
  if (json) {
    std::cout << JsonText(tasks, 2) << "\n";
    return absl::OkStatus();
  }
  std::cout << absl::StrFormat("%-28s %-16s %-24s %s\n", "task", "modalities", "set", "prompt");
  for (const OrderedJson& task : tasks) {
    const std::string modalities =
        absl::StrJoin(task["modalities"].get<std::vector<std::string>>(), ", ");
    std::cout << absl::StrFormat("%-28s %-16s %-24s %s\n", task["name"].get<std::string>(),
                                 modalities, task["set"].get<std::string>(),
                                 task["prompt"].get<std::string>());
  }
  return absl::OkStatus();
}

struct ShowArguments {
  PipelineOptions pipeline;
  std::string task, data;
  std::vector<std::string> columns;
  int64_t record = 1;
  bool json = false;
};

OrderedJson PiecesJson(const std::vector<RenderedPiece>& pieces) {
  OrderedJson json = OrderedJson::array();
  for (const RenderedPiece& piece : pieces)
    json.push_back({{"position", piece.position}, {"id", piece.id}, {"piece", piece.text}});
  return json;
}

// What a template says of training beside its words, each as a line.
std::vector<std::string> TrainingNotes(const TaskTemplate& task) {
  std::vector<std::string> notes;
  if (!task.loss_weight().empty()) {
    notes.push_back(absl::StrCat("column \"", task.loss_weight(), "\" multiplies the loss"));
  }
  if (task.mask_loss()) {
    notes.push_back("the loss sees only what the closed set lets follow");
  }
  if (task.mask_ratio() > 0) {
    notes.push_back(
        absl::StrFormat("%g of the words are masked%s", task.mask_ratio(),
                        task.mask_span_mean() > 0
                            ? absl::StrFormat(", in spans of %g on average", task.mask_span_mean())
                            : ""));
  }
  if (task.shuffle_sentences()) notes.push_back("sentences change their order");
  if (task.has_negatives()) {
    const Negatives& negatives = task.negatives();
    notes.push_back(absl::StrFormat(
        "\"%s\" is made wrong in %g of the records, and \"%s\" says so", negatives.column(),
        negatives.has_share() ? negatives.share() : 0.5f, negatives.answer()));
  }
  for (const FurtherExample& further : task.also()) {
    notes.push_back(absl::StrCat("a further example of every record: ", further.task()));
  }
  return notes;
}

void PrintPieces(const char* title, const std::vector<RenderedPiece>& pieces) {
  if (pieces.empty()) return;
  std::cout << title << ", " << pieces.size() << " tokens\n";
  for (const RenderedPiece& piece : pieces)
    std::cout << absl::StrFormat("  %4d  %6d  \"%s\"\n", piece.position, piece.id, piece.text);
}

void AddRecord(const RenderedRecord& rendered, OrderedJson* json) {
  (*json)["record"] = rendered.key;
  (*json)["media"] = rendered.media;
  (*json)["prompt_pieces"] = PiecesJson(rendered.prompt);
  (*json)["prefix_pieces"] = PiecesJson(rendered.prefix);
  (*json)["target_pieces"] = PiecesJson(rendered.target);
  (*json)["answers"] = rendered.answers;
}

void PrintRecord(const RenderedRecord& rendered) {
  std::cout << "record   " << rendered.key << "\n";
  for (const std::string& media : rendered.media) std::cout << "media    " << media << "\n";
  PrintPieces("prompt", rendered.prompt);
  PrintPieces("begin of the answer, given", rendered.prefix);
  PrintPieces("target", rendered.target);
  if (rendered.answers > 0) std::cout << "one of " << rendered.answers << " answers\n";
}

absl::StatusOr<RenderedRecord> RecordOf(const ShowArguments& arguments, const Task& task,
                                        const VocabularyView& vocabulary) {
  UNIVAL_ASSIGN_OR_RETURN(const auto columns, ParseColumnPairs(arguments.columns));
  UNIVAL_ASSIGN_OR_RETURN(const auto source,
                          OpenTaskSource(task, arguments.data, columns, arguments.record));
  UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source->Read(arguments.record - 1));
  return RenderRecord(task, vocabulary, sample);
}

absl::Status Show(ShowArguments arguments) {
  arguments.pipeline.load.all_modalities = false;  // texts alone
  UNIVAL_ASSIGN_OR_RETURN(const auto pipeline, Pipeline::Create(arguments.pipeline));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task(arguments.task));
  const TaskInfo& info = task->info();
  OrderedJson json = {
      {"task", info.name},       {"origin", info.origin}, {"modalities", info.modalities},
      {"columns", info.columns}, {"prompt", info.prompt}, {"target", info.target}};
  std::vector<std::string> notes;
  if (const TemplateTask* as_template = pipeline->template_task(arguments.task)) {
    notes = TrainingNotes(as_template->proto());
  }
  if (!notes.empty()) json["training"] = notes;
  RenderedRecord rendered;
  if (!arguments.data.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(rendered, RecordOf(arguments, *task, pipeline->model().vocabulary()));
    AddRecord(rendered, &json);
  }
  if (arguments.json) {
    std::cout << JsonText(json, 2) << "\n";
    return absl::OkStatus();
  }
  std::cout << "task     " << info.name << (info.origin.empty() ? "" : "  (" + info.origin + ")")
            << "\nprompt   \"" << info.prompt << "\"\ntarget   \"" << info.target << "\"\n";
  for (const std::string& note : notes) std::cout << "training " << note << "\n";
  if (!arguments.data.empty()) PrintRecord(rendered);
  return absl::OkStatus();
}

}  // namespace

void AddPromptsList(Command& prompts) {
  Command& command = prompts.AddCommand("list", "Show the tasks of a model or of a template set");
  auto path = std::make_shared<std::string>();
  auto runtime = std::make_shared<RuntimeOptions>();
  auto json = std::make_shared<bool>(false);
  command.AddPositional("model", path.get(), "Model directory, or task template file");
  AddRuntimeOptions(command, runtime.get());
  command.AddFlag("--json", json.get(), "Print JSON");
  command.OnRun([path, runtime, json] { return List(*path, *runtime, *json); });
}

void AddPromptsShow(Command& prompts) {
  Command& command =
      prompts.AddCommand("show", "Show a task, and the pieces that it makes of a record");
  auto arguments = std::make_shared<ShowArguments>();
  command.AddPositional("task", &arguments->task, "Task name; `unival prompts list` shows them");
  command.AddOption("--model", &arguments->pipeline.model, "Model directory").Required();
  command.AddOption("--templates", &arguments->pipeline.templates,
                    "Task template file; may be given several times");
  command.AddOption("--data", &arguments->data, "Records: FILE.jsonl or FILE.tar");
  command.AddOption("--record", &arguments->record, "Which of them, from 1")
      .Positive()
      .ShowDefault();
  command.AddOption("--column", &arguments->columns,
                    "task_column=record_column where names differ; may be given several times");
  command.AddFlag("--json", &arguments->json, "Print JSON");
  AddRuntimeOptions(command, &arguments->pipeline.runtime);
  command.SetFooter(
      "Example: unival prompts show vqa --model models/nano --data data/image/train/vqa.jsonl");
  command.OnRun([arguments] { return Show(*arguments); });
}

}  // namespace unival
