// unival: generation_check.h - checks the numbers of a GenerationConfig.
//
//   UNIVAL_RETURN_IF_ERROR(CheckGenerationConfig(task.generation()));
//
// The reader of task templates and the search both use it, so a bad value is reported when the
// template is read, with the same message.
#ifndef UNIVAL_SDK_NATIVE_GENERATION_CHECK_H_
#define UNIVAL_SDK_NATIVE_GENERATION_CHECK_H_

#include <vector>

#include "absl/status/status.h"
#include "sdk/proto/task.pb.h"

namespace unival {

// Limits of `beam`, and of `n_best` where it sets the number of computed rows. Each beam needs its
// own part of the KV cache, and beams wider than this did not give better answers.
constexpr int kMinBeam = 1;
constexpr int kMaxBeam = 64;

// InvalidArgument "generation.FIELD: expected ..., got ...". Fields that are not set are OK.
absl::Status CheckGenerationConfig(const GenerationConfig& config);
// The same, but returns all errors, not only the first.
std::vector<absl::Status> GenerationFaults(const GenerationConfig& config);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_GENERATION_CHECK_H_
