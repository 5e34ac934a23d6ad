#include "backbone/layers/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <utility>

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

// Puts the rows `more` [L, D] before `rows` [B, S, D] in every row of the batch -> [B, L + S, D].
at::Tensor Before(const at::Tensor& more, const at::Tensor& rows) {
  const at::Tensor typed = more.to(rows.scalar_type()).unsqueeze(0);
  return at::cat({typed.expand({rows.size(0), -1, -1}), rows}, 1);
}

// `count` zeros before the last dimension.
at::Tensor ZerosBefore(const at::Tensor& x, int64_t count) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = count;
  return at::cat({at::zeros(shape, x.options()), x}, -1);
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

void MultiheadAttention::AddPrefix(AttentionPrefix prefix) {
  prefixes_.push_back(std::move(prefix));
}

void MultiheadAttention::RemovePrefix(const std::string& owner) {
  const auto is_of = [&](const AttentionPrefix& prefix) { return prefix.owner == owner; };
  prefixes_.erase(std::remove_if(prefixes_.begin(), prefixes_.end(), is_of), prefixes_.end());
}

int64_t MultiheadAttention::PrefixLength() const {
  int64_t length = 0;
  for (const AttentionPrefix& prefix : prefixes_) length += prefix.keys.size(0);
  return length;
}

// Puts the prefixes of all adapters before the keys and values; the one added first stands first.
KeyValues MultiheadAttention::WithPrefix(const KeyValues& source) const {
  KeyValues all = source;
  for (auto prefix = prefixes_.rbegin(); prefix != prefixes_.rend(); ++prefix) {
    all = {Before(prefix->keys, all.keys), Before(prefix->values, all.values)};
  }
  return all;
}

AttentionBias MultiheadAttention::WithPrefix(const AttentionBias& bias) const {
  const int64_t length = PrefixLength();
  return {ZerosBefore(bias.positions, length),
          bias.keys.defined() ? ZerosBefore(bias.keys, length) : bias.keys};
}

// Prefixes are added at every call, because caches keep keys and values without them.
at::Tensor MultiheadAttention::Attend(const at::Tensor& queries, const KeyValues& source,
                                      const AttentionBias& bias) const {
  if (prefixes_.empty()) return AttendTo(queries, source, bias);
  const int64_t heads = options_.heads, rows = source.keys.size(0) / heads;
  const auto joined = [&](const at::Tensor& x) {
    return x.view({rows, heads, x.size(1), -1}).transpose(1, 2).reshape({rows, x.size(1), -1});
  };
  const KeyValues all = WithPrefix(KeyValues{joined(source.keys), joined(source.values)});
  return AttendTo(queries, {SplitHeads(all.keys, heads), SplitHeads(all.values, heads)},
                  WithPrefix(bias));
}

at::Tensor MultiheadAttention::AttendTo(const at::Tensor& queries, const KeyValues& source,
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
  // The order of these two calls matters: backward adds the gradients of `normed` in the opposite
  // order, and a resumed run must give the same last bits as the program that began it.
  const at::Tensor values = v_proj_->forward(normed), keys = k_proj_->forward(normed);
  const at::Tensor queries = q_proj_->forward(queried);
  KeyValues all{keys, values};
  AttentionBias added = bias;
  if (!prefixes_.empty()) all = WithPrefix(all), added = WithPrefix(bias);
  const at::Tensor mask = added.keys.defined() ? added.keys.squeeze(1).squeeze(1) : added.keys;
  return out_proj_->forward(FusedAttention(queries, all.keys, all.values, added.positions, mask,
                                           c_attn_, options_.heads, scale_));
}

}  // namespace layers
}  // namespace unival
