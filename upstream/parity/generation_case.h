// unival: generation_case.h - search parameters as generation fixtures give them.
#ifndef UNIVAL_UPSTREAM_PARITY_GENERATION_CASE_H_
#define UNIVAL_UPSTREAM_PARITY_GENERATION_CASE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/generation/generate.h"
#include "backbone/model/backbone.h"
#include "runtime/decoding.h"
#include "upstream/parity/fixture.h"
#include "upstream/parity/report.h"

namespace unival {
namespace parity {

// The text `constraint_range` of a case, "BEGIN,END". Throws as fields.h says.
TokenRange RangeOf(const std::string& text);

// One case of a generation file: parameters of the reference's search, and what a task would have
// made of its records. Fields that are absent count as null.
struct GenerationCase {
  GenerationConfig config;
  GenerationOptions options;
  std::vector<PreparedExample> examples;  // without media, which the file gives as tensors
};

// `golden` holds params, src_tokens, constraint_range, prefix_tokens, answers or answer_ids;
// `defaults` parameters that the file states for all its cases.
// Unimplemented names a parameter that this search does not have.
absl::StatusOr<GenerationCase> ReadGenerationCase(const Json& golden, const Json& defaults);

// Checks every hypothesis of `hypotheses` (one list per request): tokens must be equal, those of
// the prefix too, and scores close.
void CheckHypotheses(const std::vector<std::vector<Hypothesis>>& found, const Json& hypotheses,
                     Checker& check);

// The factor in "... replaced by 5.0 * decoder.layer_norm.bias ..."; 0 when the note names none.
double EndOfSentenceScale(const std::string& note);

}  // namespace parity
}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_GENERATION_CASE_H_
