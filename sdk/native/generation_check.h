// unival: generation_check.h - checks the numbers of a GenerationConfig.
//
//   UNIVAL_RETURN_IF_ERROR(CheckGenerationConfig(task.generation()));
//
// The reader of task templates and the search both use it, so a bad value is reported when the
// template is read, with the same message.
#ifndef UNIVAL_SDK_NATIVE_GENERATION_CHECK_H_
#define UNIVAL_SDK_NATIVE_GENERATION_CHECK_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "sdk/proto/task.pb.h"

namespace unival {

// Limits of `beam`, and of `n_best` where it sets the number of computed rows. Each beam needs its
// own part of the KV cache, and beams wider than this did not give better answers.
constexpr int kMinBeam = 1;
constexpr int kMaxBeam = 64;

// Tokens of an answer at most, where the task says nothing and no closed set has a longer one.
constexpr int64_t kDefaultMaxTokens = 64;

// Temperature 0 leaves all probability on the likeliest token, so there is nothing to search or to
// draw. A closed set is scored as at temperature 1.
bool IsLikeliestOnly(const GenerationConfig& config);

// InvalidArgument "generation.FIELD: expected ..., got ...". Fields that are not set are OK.
absl::Status CheckGenerationConfig(const GenerationConfig& config);
// The same, but returns all errors, not only the first.
std::vector<absl::Status> GenerationFaults(const GenerationConfig& config);

// Whether the fields fit together. Only for a whole configuration: a request that is not yet merged
// into its task may lack what the task says.
absl::Status CheckGenerationTogether(const GenerationConfig& config);
// The same for min_tokens where max_tokens is not set: then an answer has `most` tokens at most.
absl::Status CheckLeastTokens(const GenerationConfig& config, int64_t most);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_GENERATION_CHECK_H_
