// unival: runtime_model.h - a reference model as a user would have loaded it, so that whole cases
// go through the pipeline that users call.
#ifndef UNIVAL_UPSTREAM_PARITY_RUNTIME_MODEL_H_
#define UNIVAL_UPSTREAM_PARITY_RUNTIME_MODEL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "runtime/model.h"
#include "upstream/parity/fixture.h"
#include "upstream/parity/reference_model.h"

namespace unival {
namespace parity {

// The backbone with the image modality alone, over the fixture's tokenizer; pictures become squares
// of `pixels`. Weights are shared with `reference`, not copied. FailedPrecondition when the
// reference's vocabulary is not the published one.
absl::StatusOr<std::unique_ptr<Model>> MakeRuntimeModel(const Fixture& fixture,
                                                        const Runtime& runtime,
                                                        ReferenceModel& reference, int pixels);

}  // namespace parity
}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_RUNTIME_MODEL_H_
