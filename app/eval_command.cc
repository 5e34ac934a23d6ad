// unival eval MODEL --task NAME --data FILE: answers every record of a file and measures the
// answers.

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "app/column_pairs.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/eval_bounds.h"
#include "app/eval_output.h"
#include "app/eval_prompts.h"
#include "app/score_table.h"
#include "app/shipped.h"
#include "modalities/io/decoder.h"
#include "runtime/files_read.h"
#include "sdk/base/json_text.h"
#include "sdk/base/progress.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/scored_metric.h"
#include "training/data/files/output_file.h"
#include "training/data/read/output_check.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/task_source.h"
#include "training/report/evaluation_report.h"

namespace unival {
namespace {

struct EvalArguments {
  PipelineOptions pipeline;
  std::string prompts = "first";
  std::string task, data, metrics_file, compare, report;
  std::vector<std::string> columns, media_roots, at_least;
  IndexOptions index;
  int64_t limit = 0;
  EvaluationOptions evaluation;
  bool json = false;
};

// A pipeline and its evaluation. They stay together, because `result.metric` needs the pipeline.
struct Measured {
  std::unique_ptr<Pipeline> pipeline;
  EvaluationResult result;
  std::string set_hash;  // of the set that words the task
};

absl::Status WriteReport(const EvalArguments& arguments, const Pipeline& pipeline,
                         const EvaluationResult& result, const Source& source) {
  const std::unique_ptr<MediaDecoder> decoder = NewFfmpegDecoder();
  report::EvaluationPage page = {arguments.pipeline.model, arguments.data, nullptr, &result};
  UNIVAL_ASSIGN_OR_RETURN(page.task, pipeline.task(arguments.task));
  UNIVAL_ASSIGN_OR_RETURN(const std::string html, report::RenderEvaluation(page, source, *decoder));
  return WriteOutputFile(arguments.report, html);
}

// A model and the records that it is asked about.
struct Opened {
  std::unique_ptr<Pipeline> pipeline;
  std::unique_ptr<Source> source;
  std::string set_hash;
};

absl::StatusOr<Opened> Open(EvalArguments arguments, const std::map<std::string, double>& bounds) {
  UNIVAL_ASSIGN_OR_RETURN(auto columns, ParseColumnPairs(arguments.columns));
  UNIVAL_ASSIGN_OR_RETURN(const auto roots, ParseMediaRoots(arguments.media_roots));
  const std::vector<std::string> written = {arguments.metrics_file,
                                            arguments.evaluation.results_file, arguments.report};
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles(written, FilesOfPipeline(arguments.pipeline)));
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles(written, FilesOfModel(arguments.compare)));
  arguments.pipeline.task = arguments.task;
  Opened opened;
  UNIVAL_ASSIGN_OR_RETURN(opened.pipeline, Pipeline::Create(arguments.pipeline));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, opened.pipeline->task(arguments.task));
  UNIVAL_RETURN_IF_ERROR(CheckMetricNames(bounds, *task));
  WarnOfWording(*opened.pipeline, arguments.task);
  if (const TaskWording* wording = opened.pipeline->wording(arguments.task); wording != nullptr) {
    opened.set_hash = wording->set_hash;
  }
  UNIVAL_ASSIGN_OR_RETURN(
      opened.source,
      OpenFittingSource(*task, opened.pipeline->model().known_modalities(),
                        {arguments.data, columns, arguments.limit, roots, arguments.index}));
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles(written, *opened.source));
  UNIVAL_RETURN_IF_ERROR(CheckJudgeable(*task, *opened.source));
  return opened;
}

absl::StatusOr<Measured> Measure(EvalArguments arguments,
                                 const std::map<std::string, double>& bounds) {
  UNIVAL_ASSIGN_OR_RETURN(Opened opened, Open(arguments, bounds));
  Measured measured;
  measured.set_hash = opened.set_hash;
  measured.pipeline = std::move(opened.pipeline);
  arguments.evaluation.progress = CountOn("evaluating");
  if (!arguments.report.empty()) arguments.evaluation.keep_metric = true;
  UNIVAL_ASSIGN_OR_RETURN(measured.result, Evaluate(*measured.pipeline, arguments.task,
                                                    *opened.source, arguments.evaluation));
  if (arguments.report.empty()) return measured;
  UNIVAL_RETURN_IF_ERROR(
      WriteReport(arguments, *measured.pipeline, measured.result, *opened.source));
  return measured;
}

absl::StatusOr<ExitCode> ComparePrompts(EvalArguments arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const Opened opened, Open(arguments, {}));
  arguments.evaluation.progress = CountOn("evaluating");
  UNIVAL_ASSIGN_OR_RETURN(const auto prompts, ScorePrompts(*opened.pipeline, arguments.task,
                                                           *opened.source, arguments.evaluation));
  const std::string json = PromptsAsJson(prompts);
  if (!arguments.metrics_file.empty())
    UNIVAL_RETURN_IF_ERROR(WriteOutputFile(arguments.metrics_file, json));
  if (arguments.json) {
    std::cout << json;
  } else {
    PrintPrompts(prompts);
  }
  for (const PromptScores& prompt : prompts) UNIVAL_RETURN_IF_ERROR(CheckReadable(prompt.result));
  return kDone;
}

// The same records answered by two models, and what moved.
absl::StatusOr<ExitCode> CompareModels(EvalArguments arguments) {
  arguments.evaluation.keep_metric = true;
  UNIVAL_ASSIGN_OR_RETURN(const Measured a, Measure(arguments, {}));
  EvalArguments other = arguments;
  other.pipeline.model = arguments.compare;
  other.evaluation.results_file.clear();
  other.report.clear();
  UNIVAL_ASSIGN_OR_RETURN(const Measured b, Measure(other, {}));
  const ScoredMetric* scored_a = AsScored(a.result.metric.get());
  const ScoredMetric* scored_b = AsScored(b.result.metric.get());
  if (scored_a == nullptr || scored_b == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("--compare: task \"", arguments.task,
                     "\" expected metrics that say what each record scored, got a plugin's own; "
                     "compare a task that is a template"));
  }
  UNIVAL_ASSIGN_OR_RETURN(
      auto differences,
      ComparePaired(*scored_a, *scored_b, arguments.evaluation.bootstrap, a.result.scores));
  PrintComparison({arguments.pipeline.model, arguments.compare, std::move(differences),
                   arguments.evaluation.bootstrap, arguments.json});
  UNIVAL_RETURN_IF_ERROR(CheckReadable(a.result));
  UNIVAL_RETURN_IF_ERROR(CheckReadable(b.result));
  return kDone;
}

absl::StatusOr<ExitCode> Eval(const EvalArguments& arguments) {
  UNIVAL_RETURN_IF_ERROR(CheckShare(arguments.evaluation.max_unreadable));
  UNIVAL_ASSIGN_OR_RETURN(const auto bounds, ParseBounds(arguments.at_least));
  if ((!arguments.compare.empty() || arguments.prompts == "all") && !bounds.empty()) {
    return UsageError(
        "--at_least: expected one model and one prompt, got --compare or --prompts all; ask for "
        "the bounds in a run of their own");
  }
  if (!arguments.compare.empty()) return CompareModels(arguments);
  if (arguments.prompts == "all") return ComparePrompts(arguments);
  UNIVAL_ASSIGN_OR_RETURN(const Measured measured, Measure(arguments, bounds));
  const EvaluationResult& result = measured.result;
  const EvaluationOutput output = {arguments.pipeline.model, arguments.data, measured.set_hash,
                                   &result, arguments.evaluation.bootstrap};
  const std::string json = EvaluationAsJson(output);
  if (!arguments.metrics_file.empty()) {
    UNIVAL_RETURN_IF_ERROR(WriteOutputFile(arguments.metrics_file, json));
  }
  if (arguments.json) {
    std::cout << json;
  } else {
    PrintEvaluation(output);
  }
  UNIVAL_RETURN_IF_ERROR(CheckReadable(result));
  return CompareWithBounds(bounds, result);
}

}  // namespace

// What the command takes, in one piece.
void AddEvalCommand(Command& program) {
  Command& command = AddShippedCommand(program, "eval");
  auto arguments = std::make_shared<EvalArguments>();
  arguments->evaluation.bootstrap.resamples = 1000;
  AddPipelineOptions(command, &arguments->pipeline);
  command.AddOption("--task", &arguments->task, "Task name; `unival inspect MODEL` lists them")
      .Required();
  command
      .AddOption(
          "--data", &arguments->data,
          "Records: JSONL, TSV, tar, a folder of classes, many files (shard-{000..127}.tar), or -")
      .Required();
  command.AddOption("--column", &arguments->columns,
                    "task_column=record_column where names differ; may be given several times");
  command.AddOption("--media_root", &arguments->media_roots, kMediaRootHelp);
  AddIndexOption(command, &arguments->index);
  command.AddOption("--limit", &arguments->limit, "Only the first records (default: all)")
      .NotNegative();
  command.AddOption("--batch", &arguments->evaluation.batch, "Records answered together")
      .Positive()
      .ShowDefault();
  command.AddOption("--metrics", &arguments->metrics_file,
                    "Write the metrics as JSON to this file");
  command.AddOption("--predictions", &arguments->evaluation.results_file,
                    "Write every answer as JSONL to this file, with its references and scores; "
                    "`unival score` reads it");
  command
      .AddOption("--resamples", &arguments->evaluation.bootstrap.resamples,
                 "Bootstrap resamples for 95 % intervals and paired tests; 0: none")
      .Between(0, kMaxResamples)
      .ShowDefault();
  command.AddOption("--seed", &arguments->evaluation.bootstrap.seed, "Seed of the resamples")
      .ShowDefault();
  command
      .AddOption("--max_unreadable", &arguments->evaluation.max_unreadable,
                 "Share of records that may be unreadable before the evaluation is an error")
      .ShowDefault();
  command.AddOption("--report", &arguments->report,
                    "Write a page (HTML, one file): tables, certainty, best, worst and least "
                    "certain answers with their media");
  command
      .AddOption("--prompts", &arguments->prompts,
                 "all: ask with the template's prompt and each paraphrase; mean, deviation and "
                 "worst of every score")
      .OneOf({"first", "all"})
      .ShowDefault();
  command.AddOption("--compare", &arguments->compare,
                    "A second model directory, asked the same: differences, paired, with what was "
                    "forgotten. For two files of answers: unival score A --compare B");
  command.AddOption(
      "--at_least", &arguments->at_least,
      "metric=value: exit code 3 when the metric is lower, or higher where less of it is better "
      "(wer, chair); may be given several times");
  command.AddFlag("--json", &arguments->json, "Print JSON");
  command.SetFooter(
      "Example: unival eval models/nano --task image_caption --data world/image/eval/caption.jsonl "
      "\\\n"
      "             --at_least exact_match=0.9");
  command.OnRun([arguments] { return Eval(*arguments); });
}

}  // namespace unival
