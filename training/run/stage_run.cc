// One stage at work: the order of its steps, and what each hands to the next.
#include "training/run/stage_run.h"

#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "runtime/weight_files.h"
#include "sdk/base/status_macros.h"
#include "training/run/non_finite.h"
#include "training/run/part_times.h"
#include "training/run/shared_step.h"
#include "training/run/speaking_check.h"
#include "training/run/stage_batches.h"
#include "training/run/stage_dropout.h"
#include "training/run/stage_omissions.h"
#include "training/run/stage_optimizer.h"
#include "training/run/stage_report.h"
#include "training/run/stage_step.h"
#include "training/run/statistics_backup.h"
#include "training/run/trainable.h"
#include "training/run/training_step.h"
#include "training/run/validation.h"

namespace unival {
namespace {

class StageRun {
 public:
  explicit StageRun(Run* run)
      : run_(*run),
        index_(run->state.stage),
        stage_(run->plan.proto.stage(index_)),
        sources_(run->data.stages[index_]),
        loss_(LossOf(stage_, run->model->vocabulary())),
        omissions_(run) {}

  absl::Status Prepare(const TensorState& state) {
    const std::vector<std::string> patterns(stage_.trainable().begin(), stage_.trainable().end());
    UNIVAL_ASSIGN_OR_RETURN(trainable_, SelectTrainable(*run_.model, patterns));
    trainable_.whole_backbone_drops = DropsWhileFrozen(stage_);
    run_.model->SetTraining(false);
    if (run_.state.stage_step == 0 && run_.IsFirst())
      UNIVAL_RETURN_IF_ERROR(WarnOfUnsayableTargets(run_, sources_, trainable_));
    ApplyTrainable(*run_.model, trainable_);
    ApplyDropout(stage_, trainable_, run_.model->backbone());
    run_.model->backbone().SetActivationCheckpointing(stage_.activation_checkpointing());
    before_step_ = BackupOfStatistics();
    before_batch_ = BackupOfStatistics();
    UNIVAL_ASSIGN_OR_RETURN(optimizer_,
                            StageOptimizer::Create(stage_, *run_.model, trainable_, state));
    UNIVAL_ASSIGN_OR_RETURN(batches_, StageBatches::Create(&run_, trainable_));
    run_.state.trained.insert(trainable_.names.begin(), trainable_.names.end());
    run_.printer.Say(absl::StrCat("stage \"", stage_.name(), "\": ", stage_.steps(), " steps, ",
                                  trainable_.scalar_count, " trainable parameters in ",
                                  trainable_.parameters.size(), " tensors", OfProcesses()));
    if (World* world = run_.options.world; world != nullptr) {
      shared_ = std::make_unique<SharedStep>(world, trainable_.parameters,
                                             TrainingBuffers(*run_.model, trainable_));
    }
    return batches_->Start();
  }

  absl::Status Train() {
    report_.emplace(&run_);
    while (!IsOver()) {
      UNIVAL_RETURN_IF_ERROR(Step());
      UNIVAL_RETURN_IF_ERROR(ValidateWhenDue());
      UNIVAL_RETURN_IF_ERROR(report_->Report(rate_, norm_, IsOver()));
      if (ShouldStop() && !(IsOver() && IsLast())) {  // nothing would be left to stop
        run_.stopped = true;
        return Save();
      }
      const int64_t every = stage_.checkpoint_every();
      if (every > 0 && run_.state.stage_step % every == 0 && !IsOver()) {
        UNIVAL_RETURN_IF_ERROR(Save());
      }
    }
    return EndStage();
  }

 private:
  bool IsOver() const {
    return run_.state.stage_step >= stage_.steps() || EndsByValidation(run_, stage_);
  }

  bool IsLast() const { return index_ + 1 == run_.plan.proto.stage_size(); }

  // A checkpoint inside the stage, also the last one of the run: with what more steps would need.
  absl::Status Save(CheckpointKind kind = CheckpointKind::kLast) {
    const PartTimer timer(&run_.state.window.part_seconds[kCheckpoint]);
    report_->CloseWindow();
    return SaveFirst(optimizer_->State(), kind);
  }

  // Process 0 writes, when all have the same weights.
  absl::Status SaveFirst(const TensorState& optimizer_state, CheckpointKind kind) {
    UNIVAL_RETURN_IF_ERROR(CheckWeightFiles(*run_.model));
    if (shared_ != nullptr)
      UNIVAL_RETURN_IF_ERROR(shared_->CheckAlike(*run_.model, run_.state.trained));
    return run_.IsFirst() ? SaveRun(run_, optimizer_state, kind) : absl::OkStatus();
  }

  std::string OfProcesses() const {
    return run_.Processes() == 1 ? "" : absl::StrCat(", ", run_.Processes(), " processes");
  }

  StatisticsBackup BackupOfStatistics() const {
    std::vector<at::Tensor> tensors;
    for (const NamedTensor& entry : TrainingBuffers(*run_.model, trainable_))
      tensors.push_back(entry.tensor);
    return StatisticsBackup(std::move(tensors));
  }

  absl::Status Step() {
    RunState& state = run_.state;
    optimizer_->ZeroGradients();
    records_of_step_.clear();
    before_step_.Save();
    for (int micro = 0; micro < stage_.micro_batches(); ++micro)
      UNIVAL_RETURN_IF_ERROR(MicroStep(micro));
    if (shared_ != nullptr) UNIVAL_RETURN_IF_ERROR(shared_->Finish());
    rate_ = optimizer_->Rate(state.stage_step);
    UNIVAL_RETURN_IF_ERROR(Update());
    ++state.stage_step, ++state.step;
    report_->CountSeconds();
    return absl::OkStatus();
  }

  absl::Status Update() {
    const PartTimer timer(&run_.state.window.part_seconds[kOptimizer]);
    const double norm = optimizer_->ClipGradients();
    if (!std::isfinite(norm)) {
      before_step_.Restore();
      return omissions_.CountBatch(absl::StrCat("the gradient's norm is ", norm), records_of_step_,
                                   /*to_blame=*/{}, shared_.get());
    }
    norm_ = norm;
    return optimizer_->Step(run_.state.stage_step);
  }

  absl::Status ValidateWhenDue() {
    const int64_t every = stage_.validation().every();
    if (every == 0 || run_.state.stage_step % every != 0) return absl::OkStatus();
    const auto validate = [&] {
      const PartTimer timer(&run_.state.window.part_seconds[kValidation]);
      // What the stage would hand on is what is measured.
      optimizer_->SwapAverage();
      absl::StatusOr<bool> is_best = Validate(&run_, stage_);
      optimizer_->SwapAverage();
      ApplyTrainable(*run_.model, trainable_);
      return is_best;
    };
    bool is_best = false;
    if (run_.IsFirst()) {
      UNIVAL_ASSIGN_OR_RETURN(is_best, validate());
    }
    if (shared_ != nullptr) {
      UNIVAL_RETURN_IF_ERROR(shared_->TakeFromFirst(&run_.state.validation, &is_best));
    }
    UNIVAL_RETURN_IF_ERROR(UnlockWhenDue());
    if (!is_best || !stage_.validation().keep_best()) return absl::OkStatus();
    return Save(CheckpointKind::kBest);
  }

  // Sources that wait until validations are no better. What the loader has prepared is dropped, so
  // that the next batch is already drawn from all.
  absl::Status UnlockWhenDue() {
    std::vector<int> due;
    for (int i = 0; i < stage_.source_size(); ++i) {
      const SourcePlan& source = stage_.source(i);
      const int64_t wanted = source.unlock_after_plateau();
      if (wanted == 0 || run_.state.validation.worse < wanted) continue;
      if (run_.state.unlocked.count(source.name()) > 0) continue;
      due.push_back(i);
      UNIVAL_RETURN_IF_ERROR(run_.log.WriteUnlocked(run_.state.step, stage_.name(), source.name()));
      run_.printer.Say(absl::StrCat("step ", run_.state.step, ": source \"", source.name(),
                                    "\" takes part from now on"));
    }
    if (due.empty()) return absl::OkStatus();
    run_.state.validation.worse = 0;  // with other data the metric may rise again
    return batches_->Start(due);
  }

  absl::Status MicroStep(int micro) {
    RunState& state = run_.state;
    UNIVAL_ASSIGN_OR_RETURN(const EncodedBatch next, batches_->Next(shared_.get()));
    const TrainingBatch& batch = next.batch;
    const BatchCounts& counts = next.counts;
    state.totals.rows += counts.rows;
    for (size_t i = 0; i < batch.source_rows.size(); ++i) {
      if (batch.source_rows[i] == 0) continue;
      state.totals.source_rows[stage_.name()][sources_[i].name] += batch.source_rows[i];
    }
    state.totals.cache_hits += counts.cache_hits;
    state.totals.encoder_calls += counts.encoder_calls;
    stop_asked_ = stop_asked_ || counts.stop;
    UNIVAL_RETURN_IF_ERROR(omissions_.CountRecords(batch.failures));
    if (counts.examples == 0) return absl::OkStatus();
    StepOptions options = StepOptionsOf(run_, loss_, batch, micro);
    before_batch_.Save();
    const PartTimer::Clock::time_point start = PartTimer::Clock::now();
    if (shared_ != nullptr) shared_->Prepare(micro == stage_.micro_batches() - 1, &options);
    const absl::StatusOr<StepLoss> step =
        batch.examples.empty() ? shared_->NoRows(options)
                               : ForwardBackward(*run_.model, batch.examples, options);
    if (IsNonFinite(step.status())) return SkipBatch(step.status(), batch, options);
    if (!step.ok()) return step.status();
    std::map<std::string, double>& parts = state.window.part_seconds;
    parts[kEncoder] += step->encoder_seconds;
    parts[kBackbone] += PartTimer::Since(start) - step->encoder_seconds;
    for (const PreparedExample& row : batch.examples) records_of_step_.push_back(row.example.key);
    CountStep(sources_, batch.source, *step, &state.window);
    state.totals.tokens += step->tokens;
    state.last_loss = step->loss;
    return absl::OkStatus();
  }

  // What the batch did to statistics is undone; then the records are tried one by one.
  absl::Status SkipBatch(const absl::Status& why, const TrainingBatch& batch,
                         const StepOptions& options) {
    before_batch_.Restore();
    run_.model->SetTraining(false);
    std::vector<std::string> to_blame = NonFiniteRecords(*run_.model, batch.examples, options);
    SetTrainingModes(*run_.model, trainable_);
    return omissions_.CountBatch(std::string(why.message()), KeysOf(batch.examples),
                                 std::move(to_blame), shared_.get());
  }

  bool ShouldStop() const {
    const TrainOptions& options = run_.options;
    return (options.stop_after_step > 0 && run_.state.step >= options.stop_after_step) ||
           (shared_ != nullptr ? stop_asked_ : options.stop != nullptr && options.stop->load());
  }

  // The average, where there is one, is what the stage hands on.
  absl::Status EndStage() {
    UNIVAL_RETURN_IF_ERROR(omissions_.Judge());
    UNIVAL_RETURN_IF_ERROR(omissions_.JudgeSteps());
    if (IsLast()) UNIVAL_RETURN_IF_ERROR(Save());
    optimizer_->SwapAverage();
    optimizer_->ZeroGradients();
    run_.state.finished.resize(static_cast<size_t>(index_));
    run_.state.finished.push_back(run_.state.stage_step);
    run_.state.ends.resize(static_cast<size_t>(index_));
    run_.state.ends.emplace_back(EndOf(run_, stage_));
    run_.state.validation = ValidationState();
    run_.state.unlocked.clear();
    run_.state.stage = index_ + 1;
    run_.state.stage_step = 0;
    run_.state.sampler.clear();
    run_.state.window = LogWindow();
    return IsLast() ? absl::OkStatus() : SaveFirst({}, CheckpointKind::kLast);
  }

  Run& run_;
  const int index_;
  const Stage& stage_;
  const std::vector<StageSource>& sources_;
  const LossConfig loss_;
  StageOmissions omissions_;
  TrainableSet trainable_;
  absl::optional<StageOptimizer> optimizer_;
  absl::optional<StageReport> report_;
  std::unique_ptr<SharedStep> shared_;  // null: alone
  absl::optional<StageBatches> batches_;

  double norm_ = 0, rate_ = 0;
  StatisticsBackup before_step_, before_batch_;
  bool stop_asked_ = false;                   // by a signal to one of the processes
  std::vector<std::string> records_of_step_;  // their keys
};

}  // namespace

absl::Status RunStage(Run* run, const std::map<std::string, at::Tensor>& optimizer_state) {
  StageRun stage(run);
  UNIVAL_RETURN_IF_ERROR(stage.Prepare(optimizer_state));
  return stage.Train();
}

}  // namespace unival
