#include "training/plan_probe.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"
#include "training/run/part_times.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr size_t kWarmUp = 3;  // steps in which memory is first touched

// A folder that is removed when the object is destroyed.
class ProbeFolder {
 public:
  explicit ProbeFolder(std::string path) : path_(std::move(path)) {}
  ~ProbeFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  ProbeFolder(const ProbeFolder&) = delete;
  ProbeFolder& operator=(const ProbeFolder&) = delete;

 private:
  const std::string path_;
};

// A short version of the plan: a few steps of each stage, with all sources from its first step on.
TrainingPlan InSmall(TrainingPlan plan) {
  for (Stage& stage : *plan.mutable_stage()) {
    stage.set_steps(stage.epochs() > 0 ? kProbeSteps : std::min(stage.steps(), kProbeSteps));
    stage.clear_epochs();
    stage.clear_epochs_of();
    stage.set_log_every(1);
    stage.clear_checkpoint_every();
    stage.clear_validation();
    for (SourcePlan& source : *stage.mutable_source()) {
      source.clear_unlock_step();
      source.clear_unlock_after_plateau();
    }
  }
  for (EvaluationPlan& evaluation : *plan.mutable_evaluation()) {
    const int64_t limit = evaluation.limit() > 0 ? evaluation.limit() : kProbeRecords;
    evaluation.set_limit(std::min(limit, kProbeRecords));
  }
  return plan;
}

double Part(const ProgressRecord& record, const char* part) {
  const auto found = record.part_seconds.find(part);
  return found == record.part_seconds.end() ? 0 : found->second;
}

// How many media items the whole stage encodes when their features are cached: each item once, as
// far as the rows of the stage reach.
int64_t ItemsEncodedOnce(const StagePreview& stage, int variants) {
  int64_t items = 0;
  for (const SourcePreview& source : stage.sources) {
    items += std::min(source.rows, source.records * std::max(1, variants));
  }
  return items;
}

// Extrapolates one stage. `records`: one per measured step, in order; `seconds_before` and
// `calls_before`: time and encoder calls before the first of them.
StageProbe ProbeStage(const Stage& plan, const StagePreview& preview,
                      const std::vector<ProgressRecord>& records, double seconds_before,
                      int64_t calls_before) {
  StageProbe probe;
  probe.name = plan.name();
  probe.steps = static_cast<int64_t>(records.size());
  const size_t first = records.size() > 2 * kWarmUp ? kWarmUp : 0;
  if (records.size() <= first) return probe;
  const double start = first > 0 ? records[first - 1].seconds : seconds_before;
  const auto measured = static_cast<double>(records.size() - first);
  double encoder = 0;
  for (size_t i = first; i < records.size(); ++i) {
    for (const auto& [part, seconds] : records[i].part_seconds)
      probe.part_seconds[part] += seconds / measured;
    encoder += Part(records[i], kEncoder);
  }
  probe.seconds_per_step = (records.back().seconds - start) / measured;
  const int64_t calls =
      records.back().encoder_calls - (first > 0 ? records[first - 1].encoder_calls : calls_before);
  if (plan.cache().enabled() && calls > 0) {
    probe.seconds_per_step -= encoder / measured;
    probe.encoder_seconds = encoder / static_cast<double>(calls) *
                            static_cast<double>(ItemsEncodedOnce(preview, plan.cache().variants()));
  }
  probe.seconds =
      probe.seconds_per_step * static_cast<double>(preview.steps) + probe.encoder_seconds;
  return probe;
}

// Seconds that a whole evaluation takes, at the pace measured on a part of it.
double SecondsOf(const EvaluationPreview& preview, const TrainResult& result) {
  const auto found = result.evaluations.find(preview.name);
  if (found == result.evaluations.end() || found->second.samples == 0) return 0;
  return found->second.seconds / static_cast<double>(found->second.samples) *
         static_cast<double>(preview.records);
}

double ValidationSeconds(const Stage& stage, const StagePreview& preview, const PlanPreview& all,
                         const TrainResult& result) {
  double once = 0;
  for (const EvaluationPreview& evaluation : all.evaluations) {
    const auto& names = stage.validation().evaluation();
    const bool takes_part =
        names.empty() || std::find(names.begin(), names.end(), evaluation.name) != names.end();
    if (takes_part) once += SecondsOf(evaluation, result);
  }
  return once * static_cast<double>(preview.validations);
}

// The plan that `options` name, resolved.
absl::StatusOr<LoadedPlan> ResolvedPlan(const TrainOptions& options) {
  LoadedPlan plan;
  if (options.plan != nullptr) {
    plan.proto = *options.plan;
  } else {
    UNIVAL_ASSIGN_OR_RETURN(plan, LoadPlan(options.plan_file, options.data_root));
  }
  ResolvePlan(options.overrides, &plan.proto);
  return plan;
}

}  // namespace

absl::StatusOr<PlanProbe> ProbePlan(const TrainOptions& options, const PlanPreview& preview,
                                    const Runtime& runtime) {
  UNIVAL_ASSIGN_OR_RETURN(const LoadedPlan plan, ResolvedPlan(options));
  const TrainingPlan small = InSmall(plan.proto);
  if (IsThere(options.output)) {
    return absl::FailedPreconditionError(
        absl::StrCat(options.output, ": expected no such folder, for a run that is thrown away"));
  }
  const ProbeFolder folder(options.output);
  std::map<std::string, std::vector<ProgressRecord>> records;
  TrainOptions probe_options = options;
  probe_options.plan = &small;
  probe_options.overrides = PlanOverrides();
  probe_options.progress = [&](const ProgressRecord& record) {
    records[record.stage].push_back(record);
  };
  UNIVAL_ASSIGN_OR_RETURN(const TrainResult result, Train(probe_options, runtime));
  PlanProbe probe;
  probe.peak_memory_mb = result.peak_memory_mb;
  double seconds_before = 0;
  int64_t calls_before = 0;
  for (size_t i = 0; i < preview.stages.size(); ++i) {
    const Stage& stage = plan.proto.stage(static_cast<int>(i));
    const std::vector<ProgressRecord>& own = records[stage.name()];
    probe.stages.push_back(ProbeStage(stage, preview.stages[i], own, seconds_before, calls_before));
    probe.seconds += probe.stages.back().seconds;
    probe.validation_seconds += ValidationSeconds(stage, preview.stages[i], preview, result);
    if (own.empty()) continue;
    seconds_before = own.back().seconds;
    calls_before = own.back().encoder_calls;
  }
  for (const EvaluationPreview& evaluation : preview.evaluations)
    probe.evaluation_seconds += SecondsOf(evaluation, result);
  probe.seconds += probe.validation_seconds + probe.evaluation_seconds;
  return probe;
}

}  // namespace unival
