// unival: replay.h
//
// How each kind of fixture entry is replayed. A replay runs this implementation on the entry's
// inputs and checks every output that the entry has; it reports cases and never skips one.
#ifndef UNIVAL_UPSTREAM_PARITY_REPLAY_H_
#define UNIVAL_UPSTREAM_PARITY_REPLAY_H_

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/runtime.h"
#include "upstream/parity/fixture.h"
#include "upstream/parity/reference_model.h"
#include "upstream/parity/report.h"

namespace unival {
namespace parity {

// What replays share. Single-threaded.
class ReplayContext {
 public:
  ReplayContext(const Fixture* fixture, const Runtime* runtime, ReferenceModels* models,
                Report* report)
      : fixture(*fixture), runtime(*runtime), models(*models), report_(*report) {}

  const Fixture& fixture;
  const Runtime& runtime;
  ReferenceModels& models;
  std::string temporary_folder = "/tmp";

  // Adds a case with the checks that `body` makes; what it throws or returns becomes the case's
  // error. A case that made no check at all is an error too, unless checks were filtered out.
  using Body = std::function<absl::Status(Checker& check)>;
  void Case(const Fixture::Entry& entry, const std::string& name, const Body& body);
  InferencePrecision precision() const { return report_.precision; }
  // Cases so far, those without a check of the stage that was asked for among them.
  int64_t replayed() const { return replayed_; }

 private:
  Report& report_;
  int64_t replayed_ = 0;
};

// Runs `body`; what it throws becomes an error that names `file`, and the field where one of the
// fixture has another type than it is read as.
absl::Status CatchFixture(const std::string& file, const std::function<absl::Status()>& body);

using Replay = absl::Status (*)(ReplayContext& context, const Fixture::Entry& entry);

struct ReplayKind {
  std::string kind;  // the index's stage
  Replay replay;
  std::vector<std::string> stages;  // of its checks
};
const std::vector<ReplayKind>& ReplayKinds();

// Errors of a whole entry, a file that cannot be read say, are returned; ReplayContext::Case takes
// care of those of single cases.
absl::Status ReplayForward(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayEncoder(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayBiases(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayGeneration(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayCandidateScoring(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayEndToEnd(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayLosses(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayLossFunctions(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayTraining(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayMovingAverage(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayImages(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayFrameSelection(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayWaveforms(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayGrounding(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayTaskItems(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayTokenizer(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayCheckpoints(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayAveraging(ReplayContext& context, const Fixture::Entry& entry);
absl::Status ReplayMetrics(ReplayContext& context, const Fixture::Entry& entry);

// Names and shapes of a configuration's state_dict against its manifest; not an entry of the index.
void ReplayStateDict(ReplayContext& context, const std::string& config);

// The model of an entry.
ModelSpec SpecOf(const Fixture::Entry& entry);

// Sums of float32 terms deviate with their number: tight for small models, wider for the published
// size.
Tolerance ActivationTolerance(const BackboneConfig& config);

// Error unless `compared` has every field that the case records: what the index lists as outputs,
// and all tensors of its prefix but the stored inputs.
absl::Status CheckAllCompared(const Fixture::Entry& entry, const TensorMap& tensors,
                              const std::set<std::string>& compared);

}  // namespace parity
}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_REPLAY_H_
