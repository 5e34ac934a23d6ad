// unival: loss.h
//
// Next-token losses of the reference: label-smoothed cross entropy, alone or with the encouraging
// bonus, under constraints on what may be emitted, weights per row and dropping of the worst
// tokens.
//
//   LossConfig config;
//   config.label_smoothing = 0.1;
//   UNIVAL_ASSIGN_OR_RETURN(LossResult result, ComputeLoss(logits, target, config, update));
//   (result.loss / result.sample_size).backward();
//
// Shapes: B batch, T target positions, V vocabulary.
#ifndef UNIVAL_TRAINING_LOSS_LOSS_H_
#define UNIVAL_TRAINING_LOSS_LOSS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sdk/native/answer_set.h"
#include "sdk/native/vocabulary.h"

namespace unival {

struct LossConfig {
  // Share of the target spread over the other allowed tokens.
  double label_smoothing = 0;
  // Adds log(1 - p) of the target, which encourages tokens that are nearly right. From probability
  // `log_end` on the bonus goes on linearly; 1: never.
  bool encouraging = false;
  double log_end = 1;
  // Share of tokens with the largest losses that is left out in updates above `drop_worst_after`.
  double drop_worst_ratio = 0;
  int64_t drop_worst_after = 0;
  // Above 0: the batch holds every row twice (second half = first half), and the symmetric
  // divergence between the halves is added with this weight.
  double rdrop_alpha = 0;
  bool by_row = false;            // LossResult also has the sums of each row
  bool sentence_average = false;  // sample_size counts rows instead of tokens
  bool ignore_eos = false;        // </s> is out of the loss
  int64_t ignore_prefix = 0;      // so many first positions are out of the loss
  // If set, only these and the four special tokens may be emitted.
  absl::optional<TokenRange> allowed_range;
  int64_t pad = 1;
  int64_t eos = 2;
};

// What belongs to one batch; undefined tensors are absent.
struct LossMasks {
  at::Tensor allowed;     // [B, T, V] bool, true = may be emitted; see AllowedByAnswers
  at::Tensor confidence;  // [B] float32 above 0, multiplies the log-probabilities of a row
};

struct LossResult {
  at::Tensor loss;          // scalar with gradient: sum over the tokens that count
  int64_t sample_size = 0;  // what to divide `loss` by: tokens left after dropping, or rows
  int64_t tokens = 0;       // target tokens before dropping
  int64_t correct = 0;      // of these, predicted right by the likeliest token
  double nll = 0;           // sum of negative log-likelihoods in nats, without smoothing
  // With `by_row`, else undefined; a row that the batch holds twice (R-Drop) is one here.
  at::Tensor row_loss;    // [B] float32 with gradient: its share of `loss`
  at::Tensor row_tokens;  // [B] float32: its share of the tokens that are left after dropping
};

// `logits` [B, T, V] floating, before softmax; `target` [B, T] int64, pad where nothing is to be
// learnt. `update`: number of finished updates, for drop_worst_after. Thread-safe. InvalidArgument
// names shapes that do not fit and batches without any target token.
absl::StatusOr<LossResult> ComputeLoss(const at::Tensor& logits, const at::Tensor& target,
                                       const LossConfig& config, int64_t update,
                                       const LossMasks& masks = {});

// Two views of the same rows: each loss divided by its own sample size, then added; sample_size 1.
LossResult CombineViews(const LossResult& first, const LossResult& second);

// What a closed set allows at every position of `target` [B, T] int64, as [B, T, V] bool. Behind
// the leading pads (the prompt in the decoder) a row follows the prefix tree of `answers`; at pads,
// and where there is no set, everything is allowed.
at::Tensor AllowedByAnswers(const at::Tensor& target, const AnswerSet& answers,
                            int64_t vocabulary_size, int64_t pad = 1);

}  // namespace unival

#endif  // UNIVAL_TRAINING_LOSS_LOSS_H_
