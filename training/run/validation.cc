#include "training/run/validation.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/main_metric.h"

namespace unival {
namespace {

absl::StatusOr<EvaluationResult> ValidateBy(Run* run, Pipeline& pipeline, int index) {
  const EvaluationPlan& plan = run->plan.proto.evaluation(index);
  const std::string folder = run->Path(absl::StrCat("validation/", plan.name()));
  UNIVAL_RETURN_IF_ERROR(MakeFolders(folder));
  EvaluationOptions options;
  options.results_file = absl::StrFormat("%s/%09d.jsonl", folder, run->state.step);
  options.progress = [&](int64_t done, int64_t total) {
    run->printer.Count(absl::StrCat("validating ", plan.name()), done, total);
  };
  UNIVAL_ASSIGN_OR_RETURN(EvaluationResult result,
                          Evaluate(pipeline, plan.task(), *run->data.evaluations[index], options));
  result.name = plan.name();
  UNIVAL_RETURN_IF_ERROR(CheckReadable(result));
  return result;
}

// "caption/exact_match": names of evaluations hold no slash.
std::string MetricOf(const std::string& judge) { return judge.substr(judge.find('/') + 1); }

// Of equal values the first is the best; what is not a number is never.
bool Judge(const std::string& judge, const TaskScores& scores, double value, int64_t step,
           ValidationState* state) {
  if (state->judge != judge) *state = ValidationState();
  state->judge = judge;
  state->last = value;
  if (std::isnan(value) || (state->any && !scores.IsBetter(MetricOf(judge), value, state->best))) {
    ++state->worse;
    return false;
  }
  state->any = true;
  state->best = value;
  state->best_step = step;
  state->worse = 0;
  return true;
}

// What is known of the scores of the evaluation that judges.
TaskScores ScoresOfJudge(const Run& run, const std::string& judge) {
  for (const EvaluationPlan& plan : run.plan.proto.evaluation()) {
    if (plan.name() != judge.substr(0, judge.find('/'))) continue;
    const absl::StatusOr<const Task*> task = run.pipeline->task(plan.task());
    if (task.ok()) return TaskScores(**task, run.runtime.registry());
  }
  return TaskScores(run.runtime.registry());
}

bool ReachesTarget(const Run& run, const ValidationPlan& plan) {
  const ValidationState& state = run.state.validation;
  if (!plan.has_target() || !state.any) return false;
  const TaskScores scores = ScoresOfJudge(run, state.judge);
  const std::string metric = MetricOf(state.judge);
  return scores.Merit(metric, state.best) >= scores.Merit(metric, plan.target());
}

bool IsPatienceOver(const ValidationState& state, const ValidationPlan& plan) {
  return plan.patience() > 0 && state.worse >= plan.patience();
}

// The weights as they will be stored, for as long as it lives.
class AsStored {
 public:
  explicit AsStored(Run* run) : is_half_(run->plan.proto.save_half()) {
    if (!is_half_) return;
    for (const NamedTensor& entry : run->model->State()) {
      tensors_.push_back(entry.tensor);
      copies_.push_back(entry.tensor.detach().clone());
    }
    run->model->RoundToHalf();
  }
  ~AsStored() {
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < tensors_.size(); ++i) tensors_[i].copy_(copies_[i]);
  }
  AsStored(const AsStored&) = delete;
  AsStored& operator=(const AsStored&) = delete;

 private:
  const bool is_half_;
  std::vector<at::Tensor> tensors_, copies_;
};

absl::StatusOr<bool> JudgeBy(Run* run, const EvaluationResult& result, const ValidationPlan& plan,
                             ValidationRecord* record) {
  UNIVAL_ASSIGN_OR_RETURN(record->judged_by, MainMetric(result, plan.metric()));
  const double value = result.metrics.at(record->judged_by);
  record->is_best = Judge(absl::StrCat(result.name, "/", record->judged_by), result.scores, value,
                          run->state.step, &run->state.validation);
  run->printer.Say(absl::StrFormat("step %d: %s %s %.4f%s", run->state.step, result.name,
                                   result.scores.Label(record->judged_by), value,
                                   record->is_best ? ", the best so far" : ""));
  return record->is_best;
}

}  // namespace

std::vector<int> ValidatingEvaluations(const TrainingPlan& plan, const ValidationPlan& validation) {
  std::vector<int> indices;
  for (int i = 0; validation.evaluation_size() == 0 && i < plan.evaluation_size(); ++i) {
    indices.push_back(i);
  }
  for (const std::string& name : validation.evaluation()) {
    for (int i = 0; i < plan.evaluation_size(); ++i) {
      if (plan.evaluation(i).name() == name) indices.push_back(i);
    }
  }
  return indices;
}

absl::StatusOr<bool> Validate(Run* run, const Stage& stage) {
  const ValidationPlan& validation = stage.validation();
  const AsStored as_stored(run);
  // Of its own, as it keeps weights in the form that it multiplies by.
  UNIVAL_ASSIGN_OR_RETURN(const auto pipeline, Pipeline::Create(run->model.get(), run->templates));
  bool is_best = false, is_judge = true;
  for (int index : ValidatingEvaluations(run->plan.proto, validation)) {
    const std::string& name = run->plan.proto.evaluation(index).name();
    UNIVAL_ASSIGN_OR_RETURN(
        const EvaluationResult result,
        Annotate(ValidateBy(run, *pipeline, index), "validation \"", name, "\""));
    ValidationRecord record;
    record.stage = stage.name();
    record.step = run->state.step;
    record.evaluation = name;
    record.seconds = result.seconds;
    record.metrics = result.metrics;
    for (const auto& [name, value] : result.metrics) {
      if (!IsCount(name) && result.scores.LessIsBetter(name)) record.less_is_better.push_back(name);
      const std::string remark = result.scores.Of(name).remark;
      if (!remark.empty()) record.remarks[name] = remark;
    }
    if (is_judge) {
      UNIVAL_ASSIGN_OR_RETURN(is_best, JudgeBy(run, result, validation, &record));
    }
    is_judge = false;
    UNIVAL_RETURN_IF_ERROR(run->log.WriteValidation(record));
  }
  return is_best;
}

bool EndsByValidation(const Run& run, const Stage& stage) {
  return ReachesTarget(run, stage.validation()) ||
         IsPatienceOver(run.state.validation, stage.validation());
}

const char* EndOf(const Run& run, const Stage& stage) {
  if (ReachesTarget(run, stage.validation())) return "target";
  return IsPatienceOver(run.state.validation, stage.validation()) ? "patience" : "steps";
}

}  // namespace unival
