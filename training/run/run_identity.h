// unival: run_identity.h - what a run is, as OUTPUT/run.json records it when it begins, and whether
// it may go on.
#ifndef UNIVAL_TRAINING_RUN_RUN_IDENTITY_H_
#define UNIVAL_TRAINING_RUN_RUN_IDENTITY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/config/plan.h"
#include "training/run/run.h"

namespace unival {

inline constexpr char kRunFile[] = "run.json";

// A plan that was followed up to a step, before the run went on with more steps.
struct EarlierPlan {
  int64_t until_step = 0;
  std::string plan;  // as text
};

struct RunIdentity {
  std::string plan;  // as text, resolved
  std::string base_sha256;
  // "stage[0].source[1]" -> what its data is (DataIdentities).
  std::map<std::string, std::string> sources;
  // Whatever else the weights depend on: "threads", "tokenizer", "templates[0]", "plugin.depth".
  std::map<std::string, std::string> parts;
  std::string plan_file;  // from the run's folder; empty in records of before
  std::vector<EarlierPlan> earlier;
};

// InvalidArgument for a file that is not the record of a run; NotFound without one.
absl::StatusOr<RunIdentity> ReadRunIdentity(const std::string& output);
// Does the same for a run that goes on. The result is empty for one that begins.
absl::StatusOr<RunIdentity> RecordedIdentity(const Run& run, bool has_begun);
absl::Status WriteRunIdentity(const std::string& output, const RunIdentity& identity);
absl::StatusOr<TrainingPlan> PlanOf(const RunIdentity& identity, const std::string& output);

// One hash that stands for the run in its checkpoints: over what it started from and the plan that
// it was begun with, which later steps do not change. What its data is is compared by itself.
std::string RunKey(const RunIdentity& identity);
// DataLoss for a checkpoint in `directory` that is of another run. Checkpoints of before, which do
// not say whose they are, pass.
absl::Status CheckRunKey(const RunIdentity& identity, const RunState& state,
                         const std::string& directory);

// What `parts` holds of a run whose model and templates are there. Plan and starting weights have
// hashes of their own.
absl::StatusOr<std::map<std::string, std::string>> OtherParts(const Run& run);

// The indexes that a run believes: none that are there where its data is to be verified.
IndexOptions IndexesOf(const Run& run);

// Of the data of every source: "content:HEX", over every byte that records are made of, or
// "sampled:HEX", where large tars were not read whole; of earlier versions a fingerprint alone.
// Each is of the kind that `recorded` has of the same source. Where nothing is recorded it is
// "content" where that can be said without reading large tars, or the run is to verify its data.
absl::StatusOr<std::map<std::string, std::string>> DataIdentities(
    const Run& run, const std::map<std::string, std::string>& recorded);

// FailedPrecondition where several processes share the run and this one has not what process 0 has.
absl::Status CheckSharedIdentity(const Run& run, const RunIdentity& now);

// FailedPrecondition names what differs and may not. Another number of processes may go on: with
// the same samples, but not to the bit.
absl::Status CheckSameRun(const Run& run, const RunIdentity& recorded, const RunIdentity& now);

// Where the plan lies, seen from the run's folder, so that both may be moved together.
std::string PlanFileFrom(const std::string& output, const std::string& plan_file);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_RUN_IDENTITY_H_
