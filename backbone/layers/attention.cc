#include "backbone/layers/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "backbone/layers/fused_attention.h"

namespace unival {
namespace layers {
namespace {

double LogitScale(int64_t head_width, double scale_factor) {
  return 1.0 / std::sqrt(static_cast<double>(head_width) * scale_factor);
}

// Softmax over keys, computed in float32 for narrower types.
at::Tensor Probabilities(const at::Tensor& logits) {
  const auto type = logits.scalar_type();
  const bool narrow = type == at::kBFloat16 || type == at::kHalf;
  return narrow ? at::softmax(logits, -1, at::kFloat).to(type) : at::softmax(logits, -1);
}

}  // namespace

at::Tensor KeyMask(const at::Tensor& padding, const at::Tensor& like) {
  return at::zeros(padding.sizes(), like.options())
      .masked_fill_(padding, kMasked)
      .unsqueeze(1)
      .unsqueeze(1);
}

AttentionBias FoldKeyMask(AttentionBias bias, int64_t batch) {
  if (!bias.keys.defined() || bias.positions.size(0) != batch) return bias;
  return {bias.positions + bias.keys, at::Tensor()};
}

at::Tensor SplitHeads(const at::Tensor& x, int64_t heads) {
  const int64_t batch = x.size(0), length = x.size(1), width = x.size(2) / heads;
  return x.view({batch, length, heads, width})
      .transpose(1, 2)
      .reshape({batch * heads, length, width});
}

at::Tensor PositionLogits(const at::Tensor& queries, const at::Tensor& keys, int64_t heads,
                          double scale_factor) {
  const int64_t width = queries.size(2) / heads;
  const auto split = [&](const at::Tensor& x) {
    return x.view({x.size(0), x.size(1), heads, width}).transpose(1, 2);
  };
  return at::matmul(split(queries * LogitScale(width, scale_factor)), split(keys).transpose(2, 3));
}

MultiheadAttention::MultiheadAttention(const AttentionOptions& options)
    : options_(options), scale_(LogitScale(options.d_model / options.heads, options.scale_factor)) {
  const int64_t d = options.d_model;
  const double gain = 1 / std::sqrt(2.0);
  q_proj_ = register_module("q_proj", std::make_shared<Linear>(d, d, gain));
  k_proj_ = register_module("k_proj", std::make_shared<Linear>(d, d, gain));
  v_proj_ = register_module("v_proj", std::make_shared<Linear>(d, d, gain));
  out_proj_ = register_module("out_proj", std::make_shared<Linear>(d, d));
  if (options.scale_heads) c_attn_ = register_parameter("c_attn", at::ones({options.heads}));
  if (options.qk_norm) {
    q_norm_ = register_module("q_norm", std::make_shared<LayerNorm>(d));
    k_norm_ = register_module("k_norm", std::make_shared<LayerNorm>(d));
  }
}

at::Tensor MultiheadAttention::Queries(const at::Tensor& x) const {
  return SplitHeads(q_proj_->forward(ApplyIf(q_norm_, x)), options_.heads);
}

KeyValues MultiheadAttention::MakeKeyValues(const at::Tensor& source) const {
  const at::Tensor normed = ApplyIf(q_norm_, source);
  return {SplitHeads(k_proj_->forward(normed), options_.heads),
          SplitHeads(v_proj_->forward(normed), options_.heads)};
}

at::Tensor MultiheadAttention::Logits(const at::Tensor& queries, const at::Tensor& keys,
                                      const AttentionBias& bias) const {
  const int64_t heads = options_.heads, batch = queries.size(0) / heads;
  const int64_t length = queries.size(1), source = keys.size(1);
  const at::Tensor keys_t = keys.transpose(1, 2);
  if (bias.positions.size(0) == batch && !bias.keys.defined()) {
    const at::Tensor added =
        bias.positions.reshape({batch * heads, bias.positions.size(2), source});
    return at::baddbmm(added, queries, keys_t, /*beta=*/1, scale_)
        .view({batch, heads, length, source});
  }
  const at::Tensor logits =
      bias.keys.defined()
          ? at::baddbmm(bias.keys.expand({batch, heads, 1, source}).reshape({-1, 1, source}),
                        queries, keys_t, /*beta=*/1, scale_)
          : at::bmm(queries * scale_, keys_t);
  return logits.view({batch, heads, length, source}).add_(bias.positions);
}

at::Tensor MultiheadAttention::Attend(const at::Tensor& queries, const KeyValues& source,
                                      const AttentionBias& bias) const {
  const int64_t heads = options_.heads, batch = queries.size(0) / heads, length = queries.size(1);
  const at::Tensor weights =
      Dropout(Probabilities(Logits(queries, source.keys, bias)), options_.dropout, is_training());
  at::Tensor y = at::bmm(weights.view({batch * heads, length, -1}), source.values)
                     .view({batch, heads, length, -1});
  if (c_attn_.defined()) y = y * c_attn_.view({1, heads, 1, 1});
  return out_proj_->forward(y.transpose(1, 2).reshape({batch, length, options_.d_model}));
}

at::Tensor MultiheadAttention::forward(const at::Tensor& x, const at::Tensor& source,
                                       const AttentionBias& bias) const {
  const bool drops = is_training() && options_.dropout > 0;
  if (drops || !CanFuseAttention(x)) return Attend(Queries(x), MakeKeyValues(source), bias);
  const at::Tensor queried = ApplyIf(q_norm_, x), normed = ApplyIf(q_norm_, source);
  const at::Tensor mask = bias.keys.defined() ? bias.keys.squeeze(1).squeeze(1) : bias.keys;
  return out_proj_->forward(FusedAttention(q_proj_->forward(queried), k_proj_->forward(normed),
                                           v_proj_->forward(normed), bias.positions, mask, c_attn_,
                                           options_.heads, scale_));
}

}  // namespace layers
}  // namespace unival
