// unival: plan_probe.h
//
// Measures what a plan will cost, by running a few steps of each stage. The folder of that run is
// removed afterwards.
//
//   UNIVAL_ASSIGN_OR_RETURN(const PlanProbe probe, ProbePlan(options, preview, *runtime));
//   probe.seconds, probe.peak_memory_mb
#ifndef UNIVAL_TRAINING_PLAN_PROBE_H_
#define UNIVAL_TRAINING_PLAN_PROBE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/runtime.h"
#include "training/run/plan_preview.h"
#include "training/trainer.h"

namespace unival {

constexpr int64_t kProbeSteps = 20;    // of each stage
constexpr int64_t kProbeRecords = 64;  // of each evaluation

struct StageProbe {
  std::string name;
  int64_t steps = 0;                           // measured
  double seconds_per_step = 0;                 // without encoders whose features are kept
  double encoder_seconds = 0;                  // of the whole stage
  std::map<std::string, double> part_seconds;  // a step, by part (part_times.h)
  double seconds = 0;                          // of the whole stage, as planned
};

struct PlanProbe {
  std::vector<StageProbe> stages;
  double validation_seconds = 0;  // of the whole run, as planned
  double evaluation_seconds = 0;
  double seconds = 0;         // of the whole run, from its first step on
  double peak_memory_mb = 0;  // of the whole process
};

// `preview`: of the same plan. `options.output`: a folder that does not exist; it is made for the
// run and removed afterwards. Errors: those of Train; FailedPrecondition where the folder exists.
absl::StatusOr<PlanProbe> ProbePlan(const TrainOptions& options, const PlanPreview& preview,
                                    const Runtime& runtime);

}  // namespace unival

#endif  // UNIVAL_TRAINING_PLAN_PROBE_H_
