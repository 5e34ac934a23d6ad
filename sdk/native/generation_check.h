// unival: generation_check.h - what the numbers of a GenerationConfig may be.
//
//   UNIVAL_RETURN_IF_ERROR(CheckGenerationConfig(task.generation()));
//
// Here, so that a template is refused when it is read, in the words of a search that refuses it
// later.
#ifndef UNIVAL_SDK_NATIVE_GENERATION_CHECK_H_
#define UNIVAL_SDK_NATIVE_GENERATION_CHECK_H_

#include <vector>

#include "absl/status/status.h"
#include "sdk/proto/task.pb.h"

namespace unival {

// Bounds of `beam`, and of `n_best` where that says how many rows are computed. A beam costs its
// share of the KV cache, and wider ones than this were not seen to give better answers.
constexpr int kMinBeam = 1;
constexpr int kMaxBeam = 64;

// InvalidArgument "generation.FIELD: expected ..., got ...". Fields that are not set are OK.
absl::Status CheckGenerationConfig(const GenerationConfig& config);
// The same, all of them.
std::vector<absl::Status> GenerationFaults(const GenerationConfig& config);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_GENERATION_CHECK_H_
