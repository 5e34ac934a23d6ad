#include "examples/quickstart/session.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "examples/quickstart/child.h"
#include "examples/quickstart/examples.h"
#include "examples/quickstart/own_sensor.h"
#include "examples/quickstart/run_results.h"
#include "examples/world/world.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"
#include "training/config/plan.h"
#include "training/data/read/source.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/task_source.h"
#include "training/run/receipt.h"

namespace unival::quickstart {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kTrainScenes = 4000, kEvalScenes = 400, kImageScenes = 200;
constexpr int kSeenExamples = 6, kHeldOutExamples = 3;
constexpr double kFastEffort = 0.25;

PlanOptions MakePlanOptions(const QuickstartOptions& options, const Workspace& workspace) {
  return {workspace.plans, options.model, workspace.no_text_model, workspace.full_recipe,
          options.fast ? kFastEffort : 1.0};
}

int64_t Scaled(int64_t count, bool fast) {
  return fast ? static_cast<int64_t>(count * kFastEffort) : count;
}

// Modalities that the trained model will have.
std::vector<std::string> ModalitiesAfter(const Model& model, const TrainingPlan& plan) {
  std::vector<std::string> ids = model.modality_ids();
  for (const NewModalityPlan& added : plan.new_modality()) ids.push_back(added.modality().id());
  return ids;
}

int64_t ParameterCount(const Model& model) {
  int64_t count = 0;
  for (const NamedTensor& named : model.State())
    count += named.is_buffer ? 0 : named.tensor.numel();
  return count;
}

std::string RunLine(const report::RunSummary& run) {
  const auto share = [](const absl::optional<double>& value) {
    return value ? absl::StrFormat("%.3f", *value) : std::string("-");
  };
  return absl::StrCat(
      "      ", run.name, ": ", report::WithThousands(run.trainable_parameters), " parameters, ",
      absl::StrFormat("%.0f s, %.0f MiB", run.seconds, run.peak_memory_mb), "; captions ",
      share(run.caption_seen), ", held-out ", share(run.caption_held_out), ", answers ",
      share(run.answers), ", boxes ", share(run.box_iou), "\n");
}

}  // namespace

Session::Session(const QuickstartOptions& options, Workspace workspace)
    : options_(options),
      workspace_(std::move(workspace)),
      plan_options_(MakePlanOptions(options_, workspace_)) {
  report_.model = options_.model;
  report_.plugin = fs::path(workspace_.plugin).filename().string();
  report_.seed = options_.seed;
  report_.train_scenes = Scaled(kTrainScenes, options_.fast);
  report_.eval_scenes = Scaled(kEvalScenes, options_.fast);
}

absl::Status Session::LoadPlans() {
  UNIVAL_ASSIGN_OR_RETURN(connection_, LoadConnectionPlan(workspace_.recipe, plan_options_));
  UNIVAL_ASSIGN_OR_RETURN(controls_, Controls(connection_, plan_options_));
  const auto unasked = [this](const PlanVariant& control) {
    if (control.name == kFull) return options_.fast;
    return !options_.controls || (options_.fast && control.name != kRandomBackbone);
  };
  controls_.erase(std::remove_if(controls_.begin(), controls_.end(), unasked), controls_.end());
  return absl::OkStatus();
}

std::vector<std::string> Session::TemplateFiles() const {
  std::vector<std::string> files;
  for (const std::string& file : connection_.plan.templates()) {
    files.push_back(fs::proximate(JoinPath(workspace_.plans, file)).string());
  }
  return files;
}

absl::Status Session::OpenPipeline(const std::string& model) {
  pipeline_.reset();
  ModelLoadOptions load;
  load.device = options_.device;
  UNIVAL_ASSIGN_OR_RETURN(model_, Model::Load(model, *runtime_, load));
  if (templates_.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(templates_, LoadTemplateSets(TemplateFiles()));
  }
  UNIVAL_ASSIGN_OR_RETURN(pipeline_, Pipeline::Create(model_.get(), templates_));
  return absl::OkStatus();
}

absl::Status Session::LoadPlugin() {
  RuntimeOptions runtime;
  runtime.plugins = {workspace_.plugin};
  runtime.threads = options_.threads;
  UNIVAL_ASSIGN_OR_RETURN(runtime_, Runtime::Create(runtime));
  report_.machine = absl::StrCat("Training runs of one compute thread, up to ", runtime_->threads(),
                                 " side by side, device ", options_.device);
  for (const Registry::Entry& entry : runtime_->registry().List()) {
    if (entry.origin == "built-in") continue;
    std::cout << absl::StrFormat("      %s \"%s\" (%s) from %s\n", entry.kind, entry.type,
                                 entry.summary, entry.origin);
  }
  return absl::OkStatus();
}

absl::Status Session::GenerateData() {
  world::WorldOptions options;
  options.output_dir = workspace_.data;
  options.seed = options_.seed;
  options.kinds = {"depth"};
  options.train_count = report_.train_scenes;
  options.eval_count = report_.eval_scenes;
  UNIVAL_RETURN_IF_ERROR(world::GenerateWorld(options));
  options.kinds = {"image"};
  options.train_count = 0;
  options.eval_count = Scaled(kImageScenes, options_.fast);
  return world::GenerateWorld(options);
}

absl::Status Session::CheckTemplates() {
  UNIVAL_RETURN_IF_ERROR(OpenPipeline(options_.model));
  report_.template_file = absl::StrJoin(TemplateFiles(), ", ");
  const std::vector<std::string> modalities = ModalitiesAfter(*model_, connection_.plan);
  std::set<std::string> shown;
  for (const SourcePlan& source : connection_.plan.stage(0).source()) {
    UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline_->task(source.task()));
    UNIVAL_RETURN_IF_ERROR(
        OpenFittingSource(*task, modalities, {JoinPath(workspace_.data, source.path()), {}, 1})
            .status());
    const TaskInfo& info = task->info();
    if (info.target.empty() || !shown.insert(source.task()).second) continue;
    report_.templates.emplace_back(source.task(),
                                   absl::StrCat(absl::StripAsciiWhitespace(info.prompt), " \u2192 ",
                                                absl::StripAsciiWhitespace(info.target)));
    std::cout << "      " << source.task() << ": " << report_.templates.back().second << "\n";
  }
  return absl::OkStatus();
}

absl::Status Session::AnswerBefore() {
  UNIVAL_ASSIGN_OR_RETURN(before_, AnswerKnownTasks(*pipeline_, workspace_.data, kImageScenes));
  pipeline_.reset();
  model_.reset();
  return absl::OkStatus();
}

absl::StatusOr<ChildRun> Session::PrepareRun(const PlanVariant& variant) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string plan, WritePlan(variant, plan_options_));
  std::vector<std::string> arguments = {"train",       plan,
                                        "--data_root", workspace_.data,
                                        "--output",    workspace_.RunFolder(variant.name),
                                        "--plugin",    workspace_.plugin,
                                        "--seed",      absl::StrCat(options_.seed),
                                        "--threads",   "1"};
  if (options_.device != "cpu") arguments.insert(arguments.end(), {"--device", options_.device});
  if (variant.name == kConnection)
    report_.commands.push_back(absl::StrCat("unival ", absl::StrJoin(arguments, " ")));
  arguments.push_back("--json");
  return ChildRun{variant.title, std::move(arguments), workspace_.SummaryFile(variant.name)};
}

absl::Status Session::ReportRun(const PlanVariant& variant) {
  UNIVAL_ASSIGN_OR_RETURN(report::RunSummary run,
                          ReadRun(workspace_.SummaryFile(variant.name),
                                  workspace_.RunFolder(variant.name) + "/log.jsonl"));
  run.name = variant.title;
  run.note = variant.note;
  run.main = variant.name == kConnection;
  std::cout << RunLine(run);
  report_.runs.push_back(std::move(run));
  return absl::OkStatus();
}

absl::Status Session::Train(const std::vector<PlanVariant>& variants) {
  std::vector<ChildRun> runs;
  for (const PlanVariant& variant : variants) {
    UNIVAL_ASSIGN_OR_RETURN(runs.emplace_back(), PrepareRun(variant));
  }
  UNIVAL_RETURN_IF_ERROR(
      RunChildren(options_.program, runs, options_.device == "cpu" ? runtime_->threads() : 1));
  for (const PlanVariant& variant : variants) UNIVAL_RETURN_IF_ERROR(ReportRun(variant));
  return absl::OkStatus();
}

absl::Status Session::TrainConnection() {
  std::vector<PlanVariant> variants = {connection_};
  for (const PlanVariant& control : controls_) {
    if (control.name == kFull) variants.push_back(control);
  }
  return Train(variants);
}

absl::Status Session::TrainControls() {
  std::vector<PlanVariant> variants;
  for (const PlanVariant& control : controls_) {
    if (control.name != kFull) variants.push_back(control);
  }
  return Train(variants);
}

absl::Status Session::CheckReceipt() {
  const std::string run = workspace_.RunFolder(kConnection), file = run + "/receipt.json";
  report_.commands.push_back(absl::StrCat("unival verify ", file, " ", run, "/model --base ",
                                          options_.model, " --plugin ", workspace_.plugin));
  UNIVAL_ASSIGN_OR_RETURN(const ReceiptCheck check,
                          VerifyReceipt(file, run + "/model", options_.model, *runtime_));
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file));
  UNIVAL_ASSIGN_OR_RETURN(const Receipt receipt, ReceiptFromJson(text, file));
  report_.receipt = {receipt.frozen_tensors,    receipt.frozen_scalars,
                     check.frozen_changed,      receipt.trainable_tensors,
                     receipt.trainable_scalars, check.compared_with_model,
                     check.compared_with_base,  check.problems};
  std::cout << absl::StrFormat("      %d frozen tensors and buffers, %d changed\n",
                               receipt.frozen_tensors, check.frozen_changed);
  if (check.ok()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(file, ": the receipt does not hold: ", check.problems.front()));
}

absl::Status Session::AnswerAfter() {
  UNIVAL_RETURN_IF_ERROR(OpenPipeline(workspace_.RunFolder(kConnection) + "/model"));
  report_.model_parameters = ParameterCount(*model_);
  UNIVAL_ASSIGN_OR_RETURN(const auto after,
                          AnswerKnownTasks(*pipeline_, workspace_.data, kImageScenes));
  report_.unchanged = CompareAnswers(before_, after);
  for (const report::UnchangedTask& task : report_.unchanged) {
    std::cout << absl::StrFormat(
        "      %s: %s %.4f before, %.4f after, %d of %d answers identical\n", task.task,
        task.metric, task.before, task.after, task.identical, task.records);
    if (task.identical != task.records) {
      return absl::DataLossError(absl::StrCat(task.task,
                                              ": expected identical answers before and after, got ",
                                              task.records - task.identical, " that differ"));
    }
  }
  return absl::OkStatus();
}

absl::Status Session::ShowExamples() {
  const std::string depth = workspace_.data + "/depth";
  UNIVAL_ASSIGN_OR_RETURN(report_.examples,
                          MakeExamples(*pipeline_, depth + "/eval", kSeenExamples, false));
  UNIVAL_ASSIGN_OR_RETURN(const auto held_out, MakeExamples(*pipeline_, depth + "/eval_held_out",
                                                            kHeldOutExamples, true));
  report_.examples.insert(report_.examples.end(), held_out.begin(), held_out.end());
  for (const report::ExampleCard& card : report_.examples) {
    std::cout << "      " << (card.caption == card.expected_caption ? "right  " : "wrong  ")
              << card.caption << "\n";
  }
  return absl::OkStatus();
}

absl::Status Session::CheckSentences() { return WarnOfSentences(options_, *runtime_); }

absl::Status Session::TeachOwnSentences() {
  UNIVAL_ASSIGN_OR_RETURN(report_.sentences, TeachSentences(options_, workspace_));
  for (const report::SaidSentence& sentence : report_.sentences) {
    std::cout << "      " << (sentence.said == sentence.wanted ? "right  " : "wrong  ")
              << sentence.said << "\n";
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Session::WriteReport(const Phases& phases) {
  report_.phases = phases.times();
  report_.commands.push_back(absl::StrCat(
      "unival eval ", workspace_.RunFolder(kConnection), "/model --task depth_caption", " --data ",
      workspace_.data, "/depth/eval_held_out/caption.jsonl --plugin ", workspace_.plugin));
  const std::string path = options_.output + "/report.html";
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(path, {report::RenderQuickstartReport(report_)}));
  return path;
}

}  // namespace unival::quickstart
