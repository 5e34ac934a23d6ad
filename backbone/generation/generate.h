// unival: generate.h
//
// Turns a decoder into hypotheses: greedy search, beam search, sampling, or scoring of a closed
// set, as `GenerationConfig` says, under each request's forced prefix and constraint.
//
//   auto decoder = model->NewIncrementalDecoder(encoded, 1);
//   UNIVAL_ASSIGN_OR_RETURN(auto found, Generate(*decoder, config, requests,
//                           GenerationVocabulary(model->manifest().vocabulary())));
//   const Hypothesis& best = found[0].front();
//
// Which algorithm: `score_candidates` scores every answer of the constraint; `sample` draws
// max(beam, n_best) samples; `beam` above 1 is beam search; anything else, and temperature 0, is
// greedy search. Requests of one batch do not influence each other, so a request gives the same
// hypotheses alone and in a batch.
//
// Beam search follows the reference. A step has 2 * beam candidates, and only an </s> among the
// first `beam` of them ends a hypothesis. A request ends with `beam` hypotheses or at its bound,
// where </s> is forced. It chooses by sums of log-probabilities, forced prefix included; unless
// `unnormalized` they are divided by the number of tokens, prefix and </s> counted, to the power of
// `length_penalty`. The score of a hypothesis is the same over its own tokens and </s>: a forced
// prefix was no choice of the model, and training leaves it out of the loss. Candidate scores are
// plain sums over answer and </s>.
#ifndef UNIVAL_BACKBONE_GENERATION_GENERATE_H_
#define UNIVAL_BACKBONE_GENERATION_GENERATE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "backbone/generation/incremental_decoder.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/native/generation_check.h"
#include "sdk/native/task.h"
#include "sdk/proto/task.pb.h"

namespace unival {

struct SpecialTokens {
  int64_t bos = 0;
  int64_t pad = 1;  // never generated
  int64_t eos = 2;
  int64_t unk = 3;
};

// What search has to know of a vocabulary.
struct GenerationVocabulary {
  // A vocabulary that has no retired blocks.
  GenerationVocabulary(const SpecialTokens& special = {}) : special(special) {}
  // The vocabulary of a model. The first four ids of a layout are the special tokens.
  explicit GenerationVocabulary(const VocabularyLayout& layout)
      : retired(RetiredTokensOf(layout)) {}

  SpecialTokens special;
  // Never generated: their logits count as minus infinity before the softmax, as if the model had
  // no such rows. A prefix, an answer or a set of allowed ranges that needs one is an error.
  std::vector<RetiredTokens> retired;
};

struct GenerationRequest {
  std::vector<int64_t> prefix;  // forced tokens after <s>
  // Applies behind the prefix. With answers, no_repeat_ngram does not apply; with both, answers
  // win.
  Constraint constraint;
  // Sampling: mixed with the configuration's, so that equal requests can draw differently.
  uint64_t seed = 0;
};

// Switches of the reference's search that no published task sets.
struct GenerationOptions {
  // The constraint removes log-probabilities after the softmax instead of logits before it ("zero
  // shot").
  bool mask_after_softmax = false;
  // Forbids <s>, <pad>, </s> and <unk> before the bound, so that exactly max_tokens tokens are
  // generated.
  bool forbid_special_tokens = false;
  // Hypotheses begin with the prefix as it was generated, which may differ from the forced one
  // under `soft_prefix`.
  bool keep_prefix = false;
  // Forces a prefix in the way of the reference where there is no answer set: other tokens stay
  // possible, one nat below the least likely forced token of the batch. A row whose prefix is over
  // takes part with <pad>, and the bounds count the prefix. So the requests of a batch depend on
  // each other. Beam search only.
  bool soft_prefix = false;
  // Allowed ranges leave <s>, <pad>, </s> and <unk> in the softmax, which then share the
  // probability.
  bool ranges_keep_special_tokens = false;
  // Called on the thread of the search when more tokens of the best hypothesis of request `request`
  // are certain than before; `tokens` are all its certain tokens, and the last call has the whole
  // hypothesis. In greedy search every token is certain at once; in other searches a token is
  // certain when all continuations that are still possible share it. Returning false ends the whole
  // search with Cancelled. The result of the search does not depend on these calls.
  std::function<bool(int64_t request, absl::Span<const int64_t> tokens)> on_certain;
};

// `requests[b]` belongs to sample b of `decoder`, which must be fresh and start with one row per
// sample: search widens it by Reorder once prefixes are consumed. Returns for each request its
// `n_best` hypotheses (at least one), best first; fewer where search found fewer.
// `min_tokens` and `max_tokens` count tokens behind the prefix, without </s>; with min_tokens 0 an
// answer may be empty. max_tokens is cut to the decoder's steps less one for </s> and less the
// prefix; a min_tokens beyond that is InvalidArgument. Single-threaded; deterministic; runs without
// autograd.
// Errors: Cancelled by `on_certain`; InvalidArgument names the field or request and its value;
// FailedPrecondition names the
// request and the retired block that it needs; ResourceExhausted for closed sets that are too wide
// to be scored at once; Internal when the decoder's output has the wrong shape or is not a number.
absl::StatusOr<std::vector<std::vector<Hypothesis>>> Generate(
    IncrementalDecoder& decoder, const GenerationConfig& config,
    const std::vector<GenerationRequest>& requests, const GenerationVocabulary& vocabulary,
    const GenerationOptions& options = {});

}  // namespace unival

#endif  // UNIVAL_BACKBONE_GENERATION_GENERATE_H_
