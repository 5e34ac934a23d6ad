// unival: attention.h
//
// Multi-head attention with an additive position bias, shared by encoder, decoder and the decoder
// with a KV cache: queries and keys are made separately, so that keys can be kept.
//
//   AttentionBias bias{position_bias, padding_mask};
//   at::Tensor y = attention->forward(x, source, bias);
//
// Shapes: B batch, H heads, T queries, S keys, d head width, D = H * d. P is 1 (bias shared by the
// batch) or B.
// Threads: thread-compatible.
#ifndef UNIVAL_BACKBONE_LAYERS_ATTENTION_H_
#define UNIVAL_BACKBONE_LAYERS_ATTENTION_H_

#include <torch/nn/module.h>

#include <memory>
#include <string>
#include <vector>

#include "backbone/layers/basic.h"

namespace unival {
namespace layers {

// What is added to the logits of a masked key. Finite, so that a row without any valid key gives
// numbers, not NaN; far enough below every logit that exp() gives exactly zero otherwise.
constexpr double kMasked = -1e30;

// What is added to attention logits.
struct AttentionBias {
  at::Tensor positions;  // [P, H, T or 1, S]
  at::Tensor keys;       // [B, 1, 1, S], 0 or kMasked; undefined = all keys valid
};

// `padding` [B, S] bool, true = padding -> [B, 1, 1, S] in `like`'s dtype.
at::Tensor KeyMask(const at::Tensor& padding, const at::Tensor& like);

// Adds the key mask to the position bias once, where every layer would add it: when the bias has
// one entry per batch row already.
AttentionBias FoldKeyMask(AttentionBias bias, int64_t batch);

struct KeyValues {
  at::Tensor keys, values;  // [B * H, S, d]
};

// Keys and values that stand before those of every row, [L, D] each, without a position and never
// masked; `owner` is the id of the adapter whose parameters they are.
struct AttentionPrefix {
  std::string owner;
  at::Tensor keys, values;
};

struct AttentionOptions {
  int64_t d_model = 0;
  int64_t heads = 0;
  double scale_factor = 2;   // logits are scaled by (d * scale_factor)^-0.5
  bool scale_heads = false;  // parameter c_attn [H] multiplies each head's output
  // LayerNorm before the projections; q_norm serves both sides, k_norm is unused.
  bool qk_norm = false;
  double dropout = 0;
};

class MultiheadAttention : public torch::nn::Module {
 public:
  explicit MultiheadAttention(const AttentionOptions& options);

  at::Tensor Queries(const at::Tensor& x) const;            // [B, T, D] -> [B * H, T, d]
  KeyValues MakeKeyValues(const at::Tensor& source) const;  // [B, S, D]
  // [B * H, T, d] -> [B, T, D], through out_proj.
  at::Tensor Attend(const at::Tensor& queries, const KeyValues& source,
                    const AttentionBias& bias) const;

  int64_t d_model() const { return options_.d_model; }
  // Sets the dropout rate of the attention weights in training mode.
  void set_dropout(double rate) { options_.dropout = rate; }
  // Call these only while nothing is computed. Prefixes stand in the order in which they were
  // added.
  void AddPrefix(AttentionPrefix prefix);
  void RemovePrefix(const std::string& owner);

  // The whole attention in one call: x [B, T, D], source [B, S, D] -> [B, T, D].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& source,
                     const AttentionBias& bias) const;

 private:
  at::Tensor Logits(const at::Tensor& queries, const at::Tensor& keys,
                    const AttentionBias& bias) const;
  at::Tensor AttendTo(const at::Tensor& queries, const KeyValues& source,
                      const AttentionBias& bias) const;
  int64_t PrefixLength() const;
  // [B, L + S, D] of [B, S, D].
  KeyValues WithPrefix(const KeyValues& source) const;
  AttentionBias WithPrefix(const AttentionBias& bias) const;

  AttentionOptions options_;
  double scale_;
  at::Tensor c_attn_;
  std::shared_ptr<Linear> q_proj_, k_proj_, v_proj_, out_proj_;
  std::shared_ptr<LayerNorm> q_norm_, k_norm_;
  std::vector<AttentionPrefix> prefixes_;
};

// [B, N, D] -> [B * H, N, D / H].
at::Tensor SplitHeads(const at::Tensor& x, int64_t heads);

// Logits of absolute positions, scaled: `queries` [P, T, D], `keys` [P', S, D] -> [max(P, P'), H,
// T, S], where P and P' are equal or one of them is 1.
at::Tensor PositionLogits(const at::Tensor& queries, const at::Tensor& keys, int64_t heads,
                          double scale_factor);

}  // namespace layers
}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_ATTENTION_H_
