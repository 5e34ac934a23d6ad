// unival: parity.h
//
// Replays a folder of the original implementation's inputs and outputs and compares stage by stage.
//
//   ParityOptions options;
//   options.fixture = "golden";
//   UNIVAL_ASSIGN_OR_RETURN(parity::Report report, RunParity(options, runtime));
//   report.FirstDivergingStage();   // "" when everything agrees
#ifndef UNIVAL_UPSTREAM_PARITY_PARITY_H_
#define UNIVAL_UPSTREAM_PARITY_PARITY_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/runtime.h"
#include "upstream/parity/report.h"

namespace unival {

struct ParityProgress {
  std::string file;  // relative to the fixture
  int64_t done = 0;  // entries of the index, the configurations' state_dicts among them
  int64_t total = 0;
  double seconds = 0;  // since the start
};

struct ParityOptions {
  std::string fixture;  // folder with index.json
  std::string stage;    // of parity::StageNames(), or one layer, "decoder.layer.3"; empty: all
  // A tensor by its name in the reference's state_dict; one is added to every other element of it
  // in every model that has it. The run must then name the stage in which that tensor is used
  // first.
  std::string perturb;
  // Of all products by weights that record no gradients, also of small weights. Other precisions
  // than float32 have bounds of their own (parity::BoundsOf).
  InferencePrecision precision = InferencePrecision::kFloat32;
  std::function<void(const ParityProgress&)> progress;  // before each entry; may be empty
  std::string temporary_folder = "/tmp";  // where converted checkpoints lie for a while
};

// NotFound and InvalidArgument for the folder and for options (a stage that does not exist, a
// tensor that no model has); FailedPrecondition when nothing depends on the tensor that was
// changed. Whatever goes wrong with single entries is in the report: nothing is left out silently.
// Single-threaded.
absl::StatusOr<parity::Report> RunParity(const ParityOptions& options, const Runtime& runtime);

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_PARITY_H_
