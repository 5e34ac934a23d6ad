// unival data check FILE --task T, unival data show FILE --task T --model MODEL.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "app/column_pairs.h"
#include "app/command.h"
#include "app/data_commands.h"
#include "runtime/files_read.h"
#include "sdk/base/json_text.h"
#include "sdk/base/progress.h"
#include "sdk/base/status_macros.h"
#include "training/data/check/data_check.h"
#include "training/data/check/data_show.h"
#include "training/data/check/shipped_set.h"
#include "training/data/files/output_file.h"
#include "training/data/read/output_check.h"
#include "training/evaluation/evaluate.h"

namespace unival {
namespace {

struct DataCheckArguments {
  DataCheckOptions check;
  RuntimeOptions runtime;
  std::string task, model, html;
  std::vector<std::string> templates, columns, media_roots;
  bool json = false;
};

// The template sets in which a task is sought; the first set that has it counts. First the files of
// --templates, the last one first, then the sets that the model stores. The shipped set is used
// only without files and without a model.
absl::StatusOr<std::vector<SharedTemplateSet>> SetsOf(const DataCheckArguments& arguments,
                                                      const TemplateTypes& types) {
  UNIVAL_ASSIGN_OR_RETURN(std::vector<SharedTemplateSet> sets,
                          LoadTemplateSets(arguments.templates, types));
  absl::c_reverse(sets);  // later files win
  if (!arguments.model.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(const OpenedModel opened, OpenedModel::Open(arguments.model, types));
    for (const auto& entry : opened.templates()) {
      UNIVAL_ASSIGN_OR_RETURN(sets.emplace_back(), entry.second.set);
    }
  } else if (sets.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(LoadedTemplateSet shipped,
                            ParseTemplateSet(kShippedSet, "unival.textproto", "", types));
    sets.push_back(std::make_shared<const LoadedTemplateSet>(std::move(shipped)));
  }
  return sets;
}

// A copy of the template that --task names; nothing without --task.
absl::StatusOr<absl::optional<LoadedTemplate>> TaskOf(const DataCheckArguments& arguments,
                                                      const TemplateTypes& types) {
  if (arguments.task.empty()) return absl::optional<LoadedTemplate>();
  UNIVAL_ASSIGN_OR_RETURN(const auto sets, SetsOf(arguments, types));
  std::vector<std::string> names;
  for (const SharedTemplateSet& set : sets) {
    const LoadedTemplate* task = set->Find(arguments.task);
    if (task != nullptr) return absl::optional<LoadedTemplate>(*task);
    for (const LoadedTemplate& other : set->tasks) names.push_back(other.proto.name());
  }
  return absl::NotFoundError(absl::StrCat(
      "task \"", arguments.task, "\" is not known; there are: ", absl::StrJoin(names, ", "),
      ". Add its set with --templates FILE, or a model that "
      "stores it with --model MODEL."));
}

// Loads the model with only those modalities that `task` takes; null when `directory` is empty.
absl::StatusOr<std::unique_ptr<Model>> ModelFor(const std::string& directory,
                                                const LoadedTemplate* task,
                                                const Runtime& runtime) {
  if (directory.empty()) return std::unique_ptr<Model>();
  UNIVAL_ASSIGN_OR_RETURN(const OpenedModel opened,
                          OpenedModel::Open(directory, runtime.template_types()));
  ModelLoadOptions load;
  load.all_modalities = false;
  for (const ModalityConfig& config : opened.manifest().modality()) {
    const bool is_used =
        task != nullptr && absl::c_linear_search(TemplateModalities(task->proto), config.id());
    if (is_used) load.modalities.push_back(config.id());
  }
  return Model::Load(opened, runtime, load);
}

absl::StatusOr<ExitCode> CheckFile(DataCheckArguments arguments) {
  UNIVAL_ASSIGN_OR_RETURN(arguments.check.columns, ParseColumnPairs(arguments.columns));
  UNIVAL_ASSIGN_OR_RETURN(arguments.check.media_roots, ParseMediaRoots(arguments.media_roots));
  arguments.check.output = arguments.html;
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({arguments.html}, arguments.templates));
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({arguments.html}, FilesOfModel(arguments.model)));
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({arguments.html}, FilesOfRuntime(arguments.runtime)));
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(arguments.runtime));
  UNIVAL_ASSIGN_OR_RETURN(const auto task, TaskOf(arguments, runtime->template_types()));
  const LoadedTemplate* known = task.has_value() ? &*task : nullptr;
  UNIVAL_ASSIGN_OR_RETURN(const auto model, ModelFor(arguments.model, known, *runtime));
  arguments.check.progress = CountOn("checking");
  UNIVAL_ASSIGN_OR_RETURN(const DataReport report,
                          CheckData(arguments.check, *runtime, known, model.get()));
  if (!arguments.html.empty())
    UNIVAL_RETURN_IF_ERROR(WriteOutputFile(arguments.html, DataReportHtml(report)));
  if (arguments.json) {
    std::cout << JsonText(DataReportJson(report), 2) << "\n";
  } else {
    if (!report.problems.empty()) std::cout << ProblemText(report.problems);
    std::cout << DataSummary(report);
  }
  return report.problems.empty() ? kDone : kDifferent;
}

struct DataShowArguments {
  DataShowOptions show;
  PipelineOptions pipeline;
  std::string data;
  std::vector<std::string> columns;
};

absl::StatusOr<ExitCode> ShowFile(DataShowArguments arguments) {
  if (arguments.show.folder.empty() && arguments.show.html.empty()) {
    return absl::InvalidArgumentError("nowhere to show it: give --output FOLDER or --html FILE");
  }
  UNIVAL_ASSIGN_OR_RETURN(const auto columns, ParseColumnPairs(arguments.columns));
  const std::vector<std::string> written = {arguments.show.html};
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles(written, FilesOfPipeline(arguments.pipeline)));
  UNIVAL_ASSIGN_OR_RETURN(const auto pipeline, Pipeline::Create(arguments.pipeline));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task(arguments.pipeline.task));
  UNIVAL_ASSIGN_OR_RETURN(const auto source, OpenTaskSource(*task, arguments.data, columns, 0));
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles(written, *source));
  UNIVAL_ASSIGN_OR_RETURN(const DataShowReport report,
                          ShowData(arguments.show, pipeline->model(), *task, *source));
  for (const std::string& failure : report.failures) std::cout << "failed  " << failure << "\n";
  std::cout << report.shown << " records shown\n";
  return report.failures.empty() ? kDone : kDifferent;
}

}  // namespace

void AddDataCheck(Command& data) {
  Command& command =
      data.AddCommand("check", "Read every record of a file, decode its media, list every problem");
  auto arguments = std::make_shared<DataCheckArguments>();
  DataCheckOptions& check = arguments->check;
  command.AddPositional(
      "file", &check.path,
      "Records: JSONL, TSV, tar, a folder of classes, many files (shard-{000..127}.tar), or -");
  command.AddOption("--task", &arguments->task,
                    "Look at every column that this task names, and compare records");
  command.AddOption("--model", &arguments->model,
                    "Model directory: its tasks, its modalities, its limits");
  command.AddOption("--templates", &arguments->templates,
                    "Task template file; may be given several times (default: the model's sets, or "
                    "the shipped one)");
  command.AddOption("--against", &check.against,
                    "Records that must share no media with these, as those of training; may be "
                    "given several times");
  command.AddOption("--column", &arguments->columns,
                    "task_column=record_column where names differ; may be given several times");
  command.AddOption("--media_root", &arguments->media_roots, kMediaRootHelp);
  AddIndexOption(command, &arguments->check.index);
  command.AddOption("--media", &check.media_columns,
                    "A column that holds media, beside audio, depth, image, video and those of the "
                    "task; may be given several times");
  command.AddOption("--limit", &check.limit, "Only the first records (default: all)").NotNegative();
  command.AddOption("--html", &arguments->html, "Write the report as a page to this file");
  command.AddFlag("--json", &arguments->json, "Print JSON");
  AddRuntimeOptions(command, &arguments->runtime);
  command.SetFooter(
      "Media of columns that are named like a modality of a --plugin are prepared as in training.\n"
      "Exit code 3 when there are problems.\n"
      "Example: unival data check eval.jsonl --task vqa --model models/nano --against train.jsonl");
  command.OnRun([arguments] { return CheckFile(*arguments); });
}

void AddDataShow(Command& data) {
  Command& command =
      data.AddCommand("show", "Show records as a model sees them: prepared media, pieces of text");
  auto arguments = std::make_shared<DataShowArguments>();
  DataShowOptions& show = arguments->show;
  command.AddPositional(
      "file", &arguments->data,
      "Records: JSONL, TSV, tar, a folder of classes, many files (shard-{000..127}.tar), or -");
  command.AddOption("--task", &arguments->pipeline.task, "Task name").Required();
  command.AddOption("--model", &arguments->pipeline.model, "Model directory").Required();
  command.AddOption("--templates", &arguments->pipeline.templates,
                    "Task template file; may be given several times");
  command.AddOption("--column", &arguments->columns,
                    "task_column=record_column where names differ; may be given several times");
  command.AddOption("--output,-o", &show.folder, "Folder for a picture a medium, a text a record");
  command.AddOption("--html", &show.html, "Write all of it as a page to this file");
  command.AddOption("--record", &show.first, "The first record, from 1").Positive().ShowDefault();
  command.AddOption("--count", &show.count, "How many records").Positive().ShowDefault();
  AddRuntimeOptions(command, &arguments->pipeline.runtime);
  command.SetFooter(
      "Pictures show the prepared numbers, the least black, the greatest white.\n"
      "Example: unival data show data/image/train/vqa.jsonl --task vqa --model models/nano --html "
      "shown.html");
  command.OnRun([arguments] { return ShowFile(*arguments); });
}

}  // namespace unival
