// The sources of a run, opened and checked against their tasks and the model.
#include <algorithm>
#include <type_traits>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "tasks/templates/template_task.h"
#include "training/data/sample/negatives.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/task_source.h"
#include "training/run/first_record.h"
#include "training/run/gradient_check.h"
#include "training/run/record_sweep.h"
#include "training/run/run_setup.h"
#include "training/run/stage_dropout.h"
#include "training/run/trainable.h"
#include "training/run/training_step.h"

namespace unival {
namespace {

absl::Status CheckTask(const Task& task, const Model& model, const Source& source) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> columns,
                          SourceColumns(source, task.info().columns));
  return Annotate(CheckTaskFits(task.info(), model.modality_ids(), columns), source.path());
}

bool ChoosesByName(const Stage& stage) {
  return absl::c_any_of(stage.trainable(), [](const std::string& pattern) {
    return absl::StartsWith(pattern, "name:");
  });
}

// A batch of such a source would have no gradient at all. Which parameters of the backbone an
// example uses is asked of the model, where a plan chooses some of them by name.
absl::Status CheckReaches(const TrainableSet& trained, const Task& task, const Source& source,
                          const Stage& stage, const Model& model, bool is_checked) {
  const TaskInfo& info = task.info();
  const bool reaches = Reaches(trained, info.modalities);
  if (reaches && (is_checked || !ChoosesByName(stage))) return absl::OkStatus();
  if (reaches &&
      GivesGradient(model, trained, task, source, MakeLoss(stage.loss(), model.vocabulary())))
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "task \"", info.name, "\" (",
      info.modalities.empty() ? "text only" : "media: ", absl::StrJoin(info.modalities, ", "),
      ") reaches none of the parameters that the stage trains (",
      absl::StrJoin(stage.trainable(), ", "),
      "); take the source out of this stage, or train a part that it uses"));
}

// What decides which records a source gives, and to which task; stages often share them.
std::string RecordsOf(SourcePlan source) {
  source.clear_name();
  source.clear_weight();
  source.clear_unlock_step();
  source.clear_batch();
  source.clear_augment();
  return PrintTextProto(source);
}

class DataOpener {
 public:
  DataOpener(const LoadedPlan& plan, const Pipeline& pipeline, const Model& model, bool is_checked,
             const IndexOptions& index)
      : plan_(plan), pipeline_(pipeline), model_(model), is_checked_(is_checked), index_(index) {}

  absl::StatusOr<RunData> Open() {
    for (int stage = 0; stage < plan_.proto.stage_size(); ++stage) {
      UNIVAL_RETURN_IF_ERROR(OpenStage(stage));
    }
    for (int i = 0; i < plan_.proto.evaluation_size(); ++i) {
      const EvaluationPlan& evaluation = plan_.proto.evaluation(i);
      UNIVAL_ASSIGN_OR_RETURN(Opened opened,
                              OpenOne(absl::StrCat("evaluation[", i, "]"), evaluation));
      data_.evaluations.push_back(opened.source);
      if (is_checked_) continue;
      UNIVAL_RETURN_IF_ERROR(
          AtField(plan_, absl::StrCat("evaluation[", i, "]"),
                  CheckFirstMedia(model_, *opened.task, *opened.source, ExampleMode::kPrediction)));
    }
    return std::move(data_);
  }

 private:
  struct Opened {
    const Task* task;
    OnDemandSource* source;
  };

  absl::Status OpenStage(int index) {
    const Stage& stage = plan_.proto.stage(index);
    const std::vector<std::string> patterns(stage.trainable().begin(), stage.trainable().end());
    const absl::StatusOr<TrainableSet> trained = SelectTrainable(model_, patterns);
    const std::string at = absl::StrCat("stage[", index, "]");
    UNIVAL_RETURN_IF_ERROR(AtField(plan_, at, trained.status()));
    UNIVAL_RETURN_IF_ERROR(Annotate(CheckRDropActs(at, stage, *trained, model_), plan_.file));
    std::vector<StageSource>& sources = data_.stages.emplace_back();
    for (int i = 0; i < stage.source_size(); ++i) {
      const SourcePlan& source = stage.source(i);
      const std::string field = SourceField(index, i);
      UNIVAL_ASSIGN_OR_RETURN(Opened opened, OpenOne(field, source));
      UNIVAL_RETURN_IF_ERROR(AtField(
          plan_, field,
          CheckReaches(*trained, *opened.task, *opened.source, stage, model_, is_checked_)));
      if (!is_checked_ && seen_.insert(RecordsOf(source)).second) {
        UNIVAL_RETURN_IF_ERROR(
            AtField(plan_, field, CheckFirstRecord(model_, *opened.task, *opened.source)));
      }
      StageSource& added = sources.emplace_back();
      added.name = source.name();
      added.task = opened.task;
      added.source = added.files = opened.source;
      added.augment = source.augment();
      added.field = field;
      UNIVAL_RETURN_IF_ERROR(AtField(plan_, field, AddFurther(&added)));
    }
    return absl::OkStatus();
  }

  // What the task's template makes of a record besides.
  absl::Status AddFurther(StageSource* source) {
    const TemplateTask* as_template = pipeline_.template_task(source->task->info().name);
    if (as_template == nullptr) return absl::OkStatus();
    source->negatives = NegativesOf(*source->task, *source->source, {});
    for (const FurtherExample& example : as_template->proto().also()) {
      FurtherTask& further = source->further.emplace_back();
      UNIVAL_ASSIGN_OR_RETURN(further.task, pipeline_.task(example.task()));
      further.columns = {example.columns().begin(), example.columns().end()};
      UNIVAL_RETURN_IF_ERROR(
          CheckTaskFits(further.task->info(), model_.modality_ids(), absl::nullopt));
      UNIVAL_RETURN_IF_ERROR(SweepRecords(*further.task, pipeline_.template_task(example.task()),
                                          *source->source, model_, RecordUse::kTraining,
                                          further.columns));
      further.negatives = NegativesOf(*further.task, *source->source, further.columns);
    }
    return absl::OkStatus();
  }

  std::shared_ptr<const NegativeMaker> NegativesOf(
      const Task& task, const Source& source,
      const std::map<std::string, std::string>& columns) const {
    const TemplateTask* as_template = pipeline_.template_task(task.info().name);
    if (as_template == nullptr || !as_template->proto().has_negatives()) return nullptr;
    return NegativeMaker::Create(as_template->proto().negatives(), source, columns);
  }

  // The columns of the record that further examples read, too.
  void AddFurtherColumns(const Task& task, SourceOptions* options) const {
    const TemplateTask* as_template = pipeline_.template_task(task.info().name);
    if (as_template == nullptr) return;
    for (const FurtherExample& example : as_template->proto().also()) {
      const absl::StatusOr<const Task*> further = pipeline_.task(example.task());
      if (!further.ok()) continue;  // AddFurther says so
      if (!options->needed.has_value()) options->needed.emplace();
      const auto in_record = [&example](const std::string& column) {
        const auto found = example.columns().find(column);
        return found == example.columns().end() ? column : found->second;
      };
      for (const std::string& column : (*further)->info().columns)
        options->needed->insert(in_record(column));
      for (const std::string& column : MediaColumns((*further)->info()))
        options->media_columns.push_back(in_record(column));
    }
  }

  // `plan`: a SourcePlan or an EvaluationPlan.
  template <typename Plan>
  absl::StatusOr<Opened> OpenOne(const std::string& field, const Plan& plan) {
    absl::StatusOr<const Task*> task = pipeline_.task(plan.task());
    if (!task.ok()) return AtField(plan_, field + ".task", NoTask(plan.task(), task.status()));
    SourceOptions options;
    options.path = JoinPath(plan_.data_root, plan.path());
    options.columns = {plan.columns().begin(), plan.columns().end()};
    options.keep = {plan.keep().begin(), plan.keep().end()};
    options.drop = {plan.drop().begin(), plan.drop().end()};
    options.limit = plan.limit();
    options.index = index_;
    for (const auto& [name, folder] : plan_.proto.media_root()) {
      options.media_roots[name] = JoinPath(plan_.data_root, folder);
    }
    options.missing_media = std::is_same_v<Plan, EvaluationPlan>;
    if (!options.missing_media) AddFurtherColumns(**task, &options);  // evaluation makes none
    auto source = OnDemandSource::Create(
        [task, options]() -> OnDemandSource::Opening { return OpenTaskSource(**task, options); });
    if (!source.ok()) return AtField(plan_, field + ".path", source.status());
    UNIVAL_RETURN_IF_ERROR(AtField(plan_, field, CheckTask(**task, model_, **source)));
    // A resumed run has the records that it had, or is refused; an evaluation may have others.
    if (!is_checked_ || std::is_same_v<Plan, EvaluationPlan>) {
      const TemplateTask* by_template = pipeline_.template_task(plan.task());
      const RecordUse use = options.missing_media ? RecordUse::kEvaluation : RecordUse::kTraining;
      UNIVAL_RETURN_IF_ERROR(
          AtField(plan_, field, SweepRecords(**task, by_template, **source, model_, use)));
    }
    if (std::is_same_v<Plan, EvaluationPlan>) {
      UNIVAL_RETURN_IF_ERROR(AtField(plan_, field, CheckMetricColumns(**task, **source)));
    }
    OnDemandSource* const opened = source->get();
    data_.opened.push_back(*std::move(source));
    return Opened{*task, opened};
  }

  // A plan names its sets itself; the pipeline would name an option of other commands.
  absl::Status NoTask(const std::string& task, const absl::Status& status) const {
    if (!absl::IsNotFound(status)) return status;
    return absl::NotFoundError(absl::StrCat("task \"", task, "\" is not known; there are: ",
                                            absl::StrJoin(pipeline_.task_names(), ", "),
                                            ". Add its set to `templates` of the plan."));
  }

  const LoadedPlan& plan_;
  const Pipeline& pipeline_;
  const Model& model_;
  const bool is_checked_;
  const IndexOptions index_;
  std::set<std::string> seen_;  // the sources whose first record was looked at
  RunData data_;
};

}  // namespace

absl::StatusOr<RunData> OpenRunData(const LoadedPlan& plan, const Pipeline& pipeline,
                                    const Model& model, bool is_checked,
                                    const IndexOptions& index) {
  return DataOpener(plan, pipeline, model, is_checked, index).Open();
}

std::vector<std::string> DataWarnings(const RunData& data) {
  std::map<std::string, FileWarning> warnings;
  for (const auto& source : data.opened) warnings.merge(source->warnings());
  std::vector<std::string> lines;
  for (const auto& [file, warning] : warnings) {
    lines.push_back(absl::StrCat(file, ": ", warning.what, "; ", warning.remedy));
  }
  return lines;
}

absl::Status CloseOtherStages(const RunData& data, int stage) {
  for (int i = 0; i < static_cast<int>(data.stages.size()); ++i) {
    for (const StageSource& source : data.stages[static_cast<size_t>(i)]) {
      if (i != stage && source.files != nullptr) UNIVAL_RETURN_IF_ERROR(source.files->Close());
    }
  }
  return absl::OkStatus();
}

}  // namespace unival
