// unival: search.h - what the search algorithms share: requests with their bounds and tries, rows,
// and the scores of the next token. Internal to this package; see generate.h.
//
// Shapes: R rows of the step, B samples still searched, V vocabulary; R = B * rows per sample.
#ifndef UNIVAL_BACKBONE_GENERATION_SEARCH_H_
#define UNIVAL_BACKBONE_GENERATION_SEARCH_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "backbone/generation/generate.h"
#include "sdk/native/answer_set.h"

namespace unival {
namespace generation {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();

// A request with its bounds. Lengths count decoder tokens behind <s>, prefix included.
struct SearchRequest {
  std::vector<int64_t> prefix;
  std::vector<TokenRange> allowed;
  std::shared_ptr<const AnswerTrie> trie;  // null: no closed set
  int64_t min_length = 0;                  // </s> is forbidden before
  int64_t max_length = 0;                  // </s> is forced at
  uint64_t seed = 0;
};

struct SearchPlan {
  GenerationConfig config;  // defaults filled in
  GenerationOptions options;
  SpecialTokens special;
  std::vector<RetiredTokens> retired;
  std::vector<SearchRequest> requests;
};

// One decoder row: what it has emitted so far.
struct Row {
  int64_t request = 0;          // index into SearchPlan::requests
  std::vector<int64_t> tokens;  // begins with <s>
  float score = 0;              // sum of log-probabilities
  float prefix_score = 0;       // of these, those of the forced prefix
  int32_t node = AnswerTrie::kRoot;

  int64_t step() const { return static_cast<int64_t>(tokens.size()) - 1; }
};

// A hypothesis that ended. Its score covers its own tokens and </s>; `rank` is what the search
// chooses by, over the forced prefix too, as the reference does.
struct Found : Hypothesis {
  double rank = 0;
};

// The prefix token that `row` must emit next, or -1.
int64_t ForcedToken(const SearchPlan& plan, const Row& row);

// Appends a token; moves in the request's trie once behind the prefix.
void Append(const SearchPlan& plan, int64_t token, float score, Row* row);

// What `row` would answer if </s> followed now. Valid until the row changes.
absl::Span<const int64_t> AnswerOf(const SearchPlan& plan, const Row& row);

// The hypothesis that ends with </s> behind `row`'s tokens; `score` is the sum including </s>.
Found Finish(const SearchPlan& plan, const Row& row, float score);

// Sorts by rank and keeps the n best.
void KeepBest(int64_t n, std::vector<Found>* hypotheses);

// Feeds the newest token of every row. Internal if the answer is not [R, V].
absl::StatusOr<at::Tensor> StepLogits(IncrementalDecoder& decoder, const std::vector<Row>& rows);

// The same for the logits of `wanted` alone: [R, W]. None where nothing is wanted.
absl::StatusOr<at::Tensor> StepLogitsOf(IncrementalDecoder& decoder, const std::vector<Row>& rows,
                                        const std::vector<int64_t>& wanted);

// Calls decoder.Reorder unless rows and samples stay as they are. `parents[i]`: the old row which
// row i continues; `samples`: old sample numbers.
void Reorder(IncrementalDecoder& decoder, const std::vector<int64_t>& parents,
             const std::vector<int64_t>& samples, int64_t old_rows, int64_t old_samples);

// Log-probabilities [R, V] of the next token under temperature, constraints, bounds, prefixes,
// penalties and n-gram blocking. Impossible tokens, those of retired blocks among them, have minus
// infinity. What does not change between steps is computed once and kept.
class NextTokenScorer {
 public:
  explicit NextTokenScorer(const SearchPlan& plan);
  at::Tensor LogProbabilities(const at::Tensor& logits, const std::vector<Row>& rows);

 private:
  at::Tensor Forbidden(const std::vector<Row>& rows, int64_t vocabulary);
  const at::Tensor& OutsideRanges(int64_t request, int64_t vocabulary);
  const at::Tensor& Retired(const at::Tensor& logits);
  void ForcePrefixes(const std::vector<Row>& rows, at::Tensor* scores) const;
  void BanTokens(const std::vector<Row>& rows, at::Tensor* scores) const;

  const SearchPlan& plan_;
  int64_t longest_prefix_ = 0;
  bool constrained_ = false;
  std::vector<at::Tensor> outside_ranges_;  // per request: [V] bool, made when first needed
  at::Tensor retired_;                      // the same of retired blocks, on the device of logits
};

// Reports to GenerationOptions::on_certain the tokens that all answers share which may still win.
class CertainTokens {
 public:
  explicit CertainTokens(const SearchPlan& plan)
      : plan_(plan), told_(plan.options.on_certain ? plan.requests.size() : 0, 0) {}

  // Call after a step. `rows`: the hypotheses that go on; `found`: those that have ended, by
  // request. Cancelled when the listener wants the search to end.
  absl::Status Tell(const std::vector<Row>& rows, const std::vector<std::vector<Found>>& found);
  // At the end: `found` by request, best first.
  absl::Status TellAll(const std::vector<std::vector<Found>>& found);

 private:
  absl::Status TellOne(int64_t request, absl::Span<const int64_t> certain);

  const SearchPlan& plan_;
  std::vector<size_t> told_;  // reported tokens, by request; empty without a listener
};

using Results = absl::StatusOr<std::vector<std::vector<Found>>>;

Results BeamSearch(IncrementalDecoder& decoder, const SearchPlan& plan);
// Greedy search, or sampling if the configuration says so.
Results SearchGreedyOrSampling(IncrementalDecoder& decoder, const SearchPlan& plan);
Results ScoreCandidates(IncrementalDecoder& decoder, const SearchPlan& plan);

}  // namespace generation
}  // namespace unival

#endif  // UNIVAL_BACKBONE_GENERATION_SEARCH_H_
