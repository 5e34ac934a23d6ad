// One stage at work, in one piece: its steps share optimizer, average, loader and log.
#include "training/run/stage_run.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sdk/base/random.h"
#include "sdk/base/status_macros.h"
#include "training/config/optimizer_plan.h"
#include "training/config/precision.h"
#include "training/data/feature_cache.h"
#include "training/data/sampler.h"
#include "training/optimizer/moving_average.h"
#include "training/optimizer/optimizer.h"
#include "training/optimizer/schedule.h"
#include "training/run/batch_loader.h"
#include "training/run/non_finite.h"
#include "training/run/part_times.h"
#include "training/run/shared_step.h"
#include "training/run/speaking_check.h"
#include "training/run/stage_sampler.h"
#include "training/run/statistics_backup.h"
#include "training/run/trainable.h"
#include "training/run/training_step.h"
#include "training/run/validation.h"

namespace unival {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kRowsBeforeJudging = 200;  // one bad file among few is no rate

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

LossConfig MakeLoss(const LossPlan& plan, const VocabularyView& vocabulary) {
  LossConfig loss;
  loss.label_smoothing = plan.label_smoothing();
  loss.encouraging = plan.encouraging();
  loss.log_end = LogEnd(plan);
  loss.drop_worst_ratio = plan.drop_worst_ratio();
  loss.drop_worst_after = plan.drop_worst_after();
  loss.pad = vocabulary.pad();
  loss.eos = vocabulary.eos();
  return loss;
}

void AddTo(LogWindow* window, const std::string& source, const StepLoss& step) {
  window->loss += step.loss, ++window->batches;
  window->tokens += step.tokens, window->correct += step.correct;
  window->by_source[source].first += step.loss;
  ++window->by_source[source].second;
}

class StageRun {
 public:
  explicit StageRun(Run* run)
      : run_(*run),
        index_(run->state.stage),
        stage_(run->plan.proto.stage(index_)),
        sources_(run->data.stages[index_]),
        loss_(MakeLoss(stage_.loss(), run->model->vocabulary())),
        total_steps_(run->TotalSteps()) {}

  absl::Status Prepare(const TensorState& state) {
    const std::vector<std::string> patterns(stage_.trainable().begin(), stage_.trainable().end());
    UNIVAL_ASSIGN_OR_RETURN(trainable_, SelectTrainable(*run_.model, patterns));
    run_.model->SetTraining(false);
    if (run_.state.stage_step == 0 && run_.IsFirst())
      UNIVAL_RETURN_IF_ERROR(WarnOfUnsayableTargets(run_, sources_, trainable_));
    ApplyTrainable(*run_.model, trainable_);
    before_step_ = BackupOfStatistics();
    before_batch_ = BackupOfStatistics();
    UNIVAL_RETURN_IF_ERROR(PrepareOptimizer(state));
    UNIVAL_RETURN_IF_ERROR(OpenCaches());
    run_.state.trained.insert(trainable_.names.begin(), trainable_.names.end());
    run_.printer.Say(absl::StrCat("stage \"", stage_.name(), "\": ", stage_.steps(), " steps, ",
                                  trainable_.scalar_count, " trainable parameters in ",
                                  trainable_.parameters.size(), " tensors", OfProcesses()));
    if (world_ != nullptr) {
      shared_ = std::make_unique<SharedStep>(world_, trainable_.parameters, TrainingBuffers());
    }
    return StartLoader();
  }

  absl::Status Train() {
    session_start_ = Clock::now();
    seconds_before_ = run_.state.totals.seconds;
    first_step_ = run_.state.step;
    window_start_ = session_start_;
    while (!IsOver()) {
      UNIVAL_RETURN_IF_ERROR(Step());
      UNIVAL_RETURN_IF_ERROR(ValidateWhenDue());
      UNIVAL_RETURN_IF_ERROR(ReportWhenDue());
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
    return run_.state.stage_step >= stage_.steps() || EndsByValidation(run_.state, stage_);
  }

  bool IsLast() const { return index_ + 1 == run_.plan.proto.stage_size(); }

  double WindowSeconds() const { return run_.state.window.seconds + Since(window_start_); }

  // A checkpoint inside the stage, also the last one of the run: with what more steps would need.
  absl::Status Save(CheckpointKind kind = CheckpointKind::kLast) {
    const PartTimer timer(&run_.state.window.part_seconds[kCheckpoint]);
    run_.state.window.seconds = WindowSeconds();
    window_start_ = Clock::now();
    return SaveFirst(OptimizerState(), kind);
  }

  // Process 0 writes, when all have the same weights.
  absl::Status SaveFirst(const TensorState& optimizer_state, CheckpointKind kind) {
    if (shared_ != nullptr)
      UNIVAL_RETURN_IF_ERROR(shared_->CheckAlike(*run_.model, run_.state.trained));
    return run_.IsFirst() ? SaveRun(run_, optimizer_state, kind) : absl::OkStatus();
  }

  std::string OfProcesses() const {
    return world_ == nullptr ? "" : absl::StrCat(", ", world_->size(), " processes");
  }

  absl::Status PrepareOptimizer(const TensorState& state) {
    const OptimizerPlan& plan = stage_.optimizer();
    UNIVAL_ASSIGN_OR_RETURN(
        schedule_, Schedule::Create(plan.schedule(), MakeScheduleConfig(plan, stage_.steps())));
    UNIVAL_ASSIGN_OR_RETURN(optimizer_,
                            CreateGroupedOptimizer(OptimizerNameOf(plan), MakeOptimizerConfig(plan),
                                                   MakeGroups(plan), trainable_.parameters));
    if (plan.ema_decay() > 0) {
      UNIVAL_ASSIGN_OR_RETURN(average_,
                              MovingAverage::Create({plan.ema_decay(), 0}, AveragedTensors()));
    }
    if (state.empty()) return absl::OkStatus();
    TensorState moments, average;
    for (const auto& [full, tensor] : state) {
      absl::string_view name = full;
      const bool averaged = absl::ConsumePrefix(&name, kAveragePrefix);
      (averaged ? average : moments)[std::string(name)] = tensor;
    }
    UNIVAL_RETURN_IF_ERROR(optimizer_->LoadState(moments));
    return average_ == nullptr ? absl::OkStatus() : average_->LoadState(average);
  }

  // Statistics of modules that train.
  std::vector<NamedTensor> TrainingBuffers() const {
    std::vector<NamedTensor> buffers;
    for (const NamedTensor& entry : run_.model->State()) {
      if (!entry.is_buffer) continue;
      const std::string owner = entry.name.substr(0, entry.name.rfind('.') + 1);
      if (trainable_.Touches(owner)) buffers.push_back(entry);
    }
    return buffers;
  }

  std::vector<NamedTensor> AveragedTensors() const {
    std::vector<NamedTensor> tensors = trainable_.parameters;
    for (const NamedTensor& entry : TrainingBuffers()) {
      if (entry.tensor.is_floating_point()) tensors.push_back(entry);
    }
    return tensors;
  }

  StatisticsBackup BackupOfStatistics() const {
    std::vector<at::Tensor> tensors;
    for (const NamedTensor& entry : TrainingBuffers()) tensors.push_back(entry.tensor);
    return StatisticsBackup(std::move(tensors));
  }

  TensorState OptimizerState() const {
    TensorState state = optimizer_->State();
    if (average_ == nullptr) return state;
    for (const auto& [name, tensor] : average_->State()) state[kAveragePrefix + name] = tensor;
    return state;
  }

  // Every modality that a source of this stage uses and nothing trains.
  absl::Status OpenCaches() {
    const std::string folder =
        run_.options.cache_dir.empty() ? run_.Path("cache") : run_.options.cache_dir;
    std::set<std::string> used;
    for (const StageSource& source : sources_) {
      used.insert(source.task->info().modalities.begin(), source.task->info().modalities.end());
      for (const FurtherTask& further : source.further) {
        const std::vector<std::string>& modalities = further.task->info().modalities;
        used.insert(modalities.begin(), modalities.end());
      }
    }
    absl::optional<int64_t> most;
    if (run_.options.cache_limit_mb) most = *run_.options.cache_limit_mb * int64_t{1000000};
    for (const std::string& id : used) {
      if (trainable_.Touches(absl::StrCat("modality.", id, "."))) continue;
      frozen_[id] = nullptr;
      if (!stage_.cache().enabled()) continue;
      UNIVAL_ASSIGN_OR_RETURN(std::string identity, FeatureIdentity(*run_.model, id));
      UNIVAL_ASSIGN_OR_RETURN(caches_[id], FeatureCache::Open(folder, id, identity, most));
      frozen_[id] = caches_[id].get();
    }
    return absl::OkStatus();
  }

  // `unlocking`: sources, by index, that take part from now on.
  absl::Status StartLoader(const std::vector<int>& unlocking = {}) {
    loader_.reset();
    RunState& state = run_.state;
    UNIVAL_ASSIGN_OR_RETURN(BalancedSampler sampler,
                            MakeStageSampler(run_.plan.proto, index_, sources_, state.unlocked,
                                             world_ == nullptr ? 0 : world_->rank(),
                                             world_ == nullptr ? 1 : world_->size()));
    if (!state.sampler.empty()) UNIVAL_RETURN_IF_ERROR(sampler.Restore(state.sampler));
    for (const int source : unlocking) {
      sampler.Unlock(source, state.stage_step);
      state.unlocked[stage_.source(source).name()] = state.stage_step;
    }
    if (!unlocking.empty()) state.sampler = sampler.Save();
    LoaderOptions loader;
    loader.model = run_.model.get();
    loader.sources = sources_;
    loader.frozen = frozen_;
    loader.keys = &run_.media_keys;
    loader.variants = stage_.cache().variants();
    loader.seed = run_.plan.proto.seed();
    loader.first_step = run_.state.stage_step;
    loader.end_step = stage_.steps();
    loader.micro_batches = stage_.micro_batches();
    loader.threads = run_.options.loader_threads;
    loader_ = std::make_unique<BatchLoader>(std::move(loader), std::move(sampler));
    return absl::OkStatus();
  }

  absl::Status Step() {
    RunState& state = run_.state;
    optimizer_->ZeroGradients();
    records_of_step_.clear();
    before_step_.Save();
    for (int micro = 0; micro < stage_.micro_batches(); ++micro)
      UNIVAL_RETURN_IF_ERROR(MicroStep(micro));
    if (shared_ != nullptr) UNIVAL_RETURN_IF_ERROR(shared_->Finish());
    rate_ = schedule_->Rate(state.stage_step);
    UNIVAL_RETURN_IF_ERROR(Update());
    ++state.stage_step, ++state.step;
    state.totals.seconds = seconds_before_ + Since(session_start_);
    return absl::OkStatus();
  }

  absl::Status Update() {
    const PartTimer timer(&run_.state.window.part_seconds[kOptimizer]);
    const double norm = optimizer_->ScaleAndClipGradients(1.0, stage_.optimizer().clip_norm());
    if (!std::isfinite(norm)) {
      before_step_.Restore();
      return Skip(absl::StrCat("the gradient's norm is ", norm), records_of_step_);
    }
    norm_ = norm;
    UNIVAL_RETURN_IF_ERROR(optimizer_->Step(rate_));
    if (average_ != nullptr) average_->Update(run_.state.stage_step + 1);
    return absl::OkStatus();
  }

  // Leaves out a batch, names its records in the log, and ends the run when there were too many.
  // `what`: "the loss is nan".
  absl::Status Skip(const std::string& what, std::vector<std::string> records) {
    if (shared_ != nullptr) UNIVAL_RETURN_IF_ERROR(shared_->GatherLines(&records));
    RunTotals& totals = run_.state.totals;
    ++totals.skipped;
    UNIVAL_RETURN_IF_ERROR(run_.log.WriteSkipped(run_.state.step + 1, what, records));
    run_.printer.Say(absl::StrCat("warning: step ", run_.state.step + 1, ": ", what,
                                  "; the batch is left out. Records: ", Shortened(records)));
    if (totals.skipped <= MaxSkipped(stage_)) return absl::OkStatus();
    return NotFinite(what, records);
  }

  static std::string Shortened(const std::vector<std::string>& records) {
    constexpr size_t kMost = 8;
    std::string text =
        absl::StrJoin(records.begin(), records.begin() + std::min(kMost, records.size()), ", ");
    if (records.size() > kMost) absl::StrAppend(&text, " and ", records.size() - kMost, " more");
    return text;
  }

  absl::Status ValidateWhenDue() {
    const int64_t every = stage_.validation().every();
    if (every == 0 || run_.state.stage_step % every != 0) return absl::OkStatus();
    const auto validate = [&] {
      const PartTimer timer(&run_.state.window.part_seconds[kValidation]);
      // What the stage would hand on is what is measured.
      if (average_ != nullptr) average_->Swap();
      absl::StatusOr<bool> is_best = Validate(&run_, stage_);
      if (average_ != nullptr) average_->Swap();
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
    return StartLoader(due);
  }

  absl::Status MicroStep(int micro) {
    RunState& state = run_.state;
    UNIVAL_ASSIGN_OR_RETURN(TrainingBatch batch, NextBatch());
    UNIVAL_ASSIGN_OR_RETURN(const BatchCounts counts, Encode(&batch));
    state.totals.rows += counts.rows;
    state.totals.source_rows[stage_.name()][sources_[batch.source].name] += counts.rows;
    state.totals.cache_hits += counts.cache_hits;
    state.totals.encoder_calls += counts.encoder_calls;
    stop_asked_ = stop_asked_ || counts.stop;
    UNIVAL_RETURN_IF_ERROR(CountFailures(batch));
    if (counts.examples == 0) return absl::OkStatus();
    StepOptions options;
    options.loss = loss_;
    options.update = state.stage_step;
    options.scale = 1.0 / stage_.micro_batches();
    options.seed = Mix(run_.plan.proto.seed(), index_, state.stage_step, micro);
    options.bfloat16 = ParsePrecision(stage_.precision()) == Precision::kBfloat16;
    before_batch_.Save();
    const Clock::time_point start = Clock::now();
    if (shared_ != nullptr) shared_->Prepare(micro == stage_.micro_batches() - 1, &options);
    const absl::StatusOr<StepLoss> step =
        batch.examples.empty() ? shared_->NoRows()
                               : ForwardBackward(*run_.model, batch.examples, options);
    if (IsNonFinite(step.status())) return SkipBatch(step.status(), batch, options);
    if (!step.ok()) return step.status();
    std::map<std::string, double>& parts = state.window.part_seconds;
    parts[kEncoder] += step->encoder_seconds;
    parts[kBackbone] += Since(start) - step->encoder_seconds;
    for (const PreparedExample& row : batch.examples) records_of_step_.push_back(row.example.key);
    AddTo(&state.window, sources_[batch.source].name, *step);
    state.totals.tokens += step->tokens;
    state.last_loss = step->loss;
    return absl::OkStatus();
  }

  absl::StatusOr<TrainingBatch> NextBatch() {
    std::map<std::string, double>& parts = run_.state.window.part_seconds;
    const PartTimer timer(&parts[kWaiting]);
    UNIVAL_ASSIGN_OR_RETURN(TrainingBatch batch, loader_->Next());
    run_.state.sampler = batch.sampler_state;
    parts[kReading] += batch.reading_seconds;
    parts[kDecoding] += batch.decoding_seconds;
    return batch;
  }

  // Features that are missing; then what the batch counts, of all processes.
  absl::StatusOr<BatchCounts> Encode(TrainingBatch* batch) {
    const PartTimer timer(&run_.state.window.part_seconds[kEncoder]);
    BatchCounts counts{batch->rows, static_cast<int64_t>(batch->examples.size()),
                       batch->cache_hits};
    UNIVAL_RETURN_IF_ERROR(
        EncodePending(*run_.model, frozen_, batch, &counts.encoder_calls, &counts.cache_hits));
    counts.stop = run_.options.stop != nullptr && run_.options.stop->load();
    if (shared_ != nullptr) UNIVAL_RETURN_IF_ERROR(shared_->Share(&counts, &batch->failures));
    return counts;
  }

  // What the batch did to statistics is undone; then the records are tried one by one.
  absl::Status SkipBatch(const absl::Status& why, const TrainingBatch& batch,
                         const StepOptions& options) {
    before_batch_.Restore();
    run_.model->SetTraining(false);
    const std::vector<std::string> records = NonFiniteRecords(*run_.model, batch.examples, options);
    SetTrainingModes(*run_.model, trainable_);
    return Skip(std::string(why.message()), records);
  }

  absl::Status CountFailures(const TrainingBatch& batch) {
    RunTotals& totals = run_.state.totals;
    for (const std::string& failure : batch.failures) {
      UNIVAL_RETURN_IF_ERROR(run_.log.WriteFailure(run_.state.step + 1, failure));
      last_failure_ = failure;
    }
    totals.decode_failures += static_cast<int64_t>(batch.failures.size());
    return totals.rows < kRowsBeforeJudging ? absl::OkStatus() : JudgeFailures();
  }

  absl::Status JudgeFailures() const {
    const RunTotals& totals = run_.state.totals;
    if (totals.decode_failures * 100 <= totals.rows) return absl::OkStatus();
    return absl::OutOfRangeError(
        absl::StrCat(Where(), ": ", totals.decode_failures, " of ", totals.rows,
                     " records cannot be read or decoded, expected at most 1 %; repair the data "
                     "(all are listed in ",
                     run_.Path("log.jsonl"), "). The last one: ", last_failure_));
  }

  absl::Status NotFinite(const std::string& what, const std::vector<std::string>& records) const {
    return NonFiniteError(
        absl::StrCat(Where(), ": ", what, " (", run_.state.totals.skipped,
                     " batches were left out so far, max_skipped allows ", MaxSkipped(stage_),
                     "; the last one: ", Shortened(records), "); lower the learning rate (now ",
                     stage_.optimizer().learning_rate(),
                     ") or set optimizer.clip_norm. Nothing was overwritten: checkpoints in ",
                     run_.Path("checkpoint"), " stand."));
  }

  std::string Where() const {
    return absl::StrCat(run_.plan.file, ": stage \"", stage_.name(), "\": step ",
                        run_.state.stage_step + 1);
  }

  bool ShouldStop() const {
    const TrainOptions& options = run_.options;
    return (options.stop_after_step > 0 && run_.state.step >= options.stop_after_step) ||
           (shared_ != nullptr ? stop_asked_ : options.stop != nullptr && options.stop->load());
  }

  absl::Status ReportWhenDue() {
    const int64_t step = run_.state.stage_step;
    const int64_t every = stage_.log_every();
    const bool due = (every > 0 && step % every == 0) || IsOver();
    if (run_.state.window.batches == 0) return absl::OkStatus();
    const ProgressRecord record = MakeRecord();
    run_.printer.Show(ProgressText(record));
    if (!due) return absl::OkStatus();
    UNIVAL_RETURN_IF_ERROR(run_.log.Write(record));
    if (run_.options.progress) run_.options.progress(record);
    run_.state.window = LogWindow();
    window_start_ = Clock::now();
    return absl::OkStatus();
  }

  // Of the window, without what was not training.
  double TrainSeconds() const {
    double seconds = WindowSeconds();
    for (const char* part : {kValidation, kCheckpoint}) {
      const auto found = run_.state.window.part_seconds.find(part);
      if (found != run_.state.window.part_seconds.end()) seconds -= found->second;
    }
    return seconds;
  }

  ProgressRecord MakeRecord() const {
    const RunState& state = run_.state;
    const LogWindow& window = state.window;
    ProgressRecord record;
    record.stage = stage_.name();
    record.step = state.step;
    record.total_steps = total_steps_;
    record.loss = window.loss / static_cast<double>(window.batches);
    for (const auto& [name, sum] : window.by_source) {
      record.source_loss[name] = sum.first / static_cast<double>(sum.second);
    }
    record.learning_rate = rate_;
    record.grad_norm = norm_;
    record.token_accuracy =
        static_cast<double>(window.correct) / std::max<int64_t>(1, window.tokens);
    record.tokens_per_second = static_cast<double>(window.tokens) / std::max(1e-9, TrainSeconds());
    record.seconds = state.totals.seconds;
    record.eta_seconds = Since(session_start_) / static_cast<double>(state.step - first_step_) *
                         static_cast<double>(total_steps_ - state.step);
    record.rows = state.totals.rows;
    const auto by_source = state.totals.source_rows.find(stage_.name());
    if (by_source != state.totals.source_rows.end()) record.source_rows = by_source->second;
    record.part_seconds = window.part_seconds;
    record.encoder_calls = state.totals.encoder_calls;
    record.cache_hits = state.totals.cache_hits;
    record.decode_failures = state.totals.decode_failures;
    record.skipped_batches = state.totals.skipped;
    record.rss_mb = PeakMemoryMb();
    return record;
  }

  // The average, where there is one, is what the stage hands on.
  absl::Status EndStage() {
    UNIVAL_RETURN_IF_ERROR(JudgeFailures());
    if (IsLast()) UNIVAL_RETURN_IF_ERROR(Save());
    if (average_ != nullptr) average_->Swap();
    optimizer_->ZeroGradients();
    run_.state.finished.resize(static_cast<size_t>(index_));
    run_.state.finished.push_back(run_.state.stage_step);
    run_.state.ends.resize(static_cast<size_t>(index_));
    run_.state.ends.emplace_back(EndOf(run_.state, stage_));
    run_.state.validation = ValidationState();
    run_.state.unlocked.clear();
    run_.state.stage = index_ + 1;
    run_.state.stage_step = 0;
    run_.state.sampler.clear();
    run_.state.window = LogWindow();
    return IsLast() ? absl::OkStatus() : SaveFirst({}, CheckpointKind::kLast);
  }

  Run& run_;
  World* const world_ = run_.options.world;  // null: alone
  const int index_;
  const Stage& stage_;
  const std::vector<StageSource>& sources_;
  const LossConfig loss_;
  const int64_t total_steps_;
  TrainableSet trainable_;
  absl::optional<Schedule> schedule_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<MovingAverage> average_;
  std::unique_ptr<SharedStep> shared_;  // null: alone
  std::map<std::string, std::unique_ptr<FeatureCache>> caches_;
  std::map<std::string, FeatureCache*> frozen_;
  std::unique_ptr<BatchLoader> loader_;  // after what its threads use

  Clock::time_point session_start_;
  double seconds_before_ = 0;
  int64_t first_step_ = 0;
  Clock::time_point window_start_;
  double norm_ = 0, rate_ = 0;
  StatisticsBackup before_step_, before_batch_;
  std::string last_failure_;
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
