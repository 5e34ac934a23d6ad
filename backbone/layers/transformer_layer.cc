#include "backbone/layers/transformer_layer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/ones.h>

#include <algorithm>

namespace unival {
namespace layers {
namespace {

// Steps for which a cache has room at first: few where there are many, of candidates.
constexpr int64_t kFirstCapacity = 32, kFirstCapacityOfMany = 8, kManyRows = 1024;

// Appends `added` [rows, 1, d] at position `length`, growing the buffer when it is full.
void Append(at::Tensor& buffer, const at::Tensor& added, int64_t length) {
  if (!buffer.defined() || length == buffer.size(1)) {
    const int64_t first = added.size(0) > kManyRows ? kFirstCapacityOfMany : kFirstCapacity;
    const int64_t capacity = std::max(first, 2 * length);
    at::Tensor grown = at::empty({added.size(0), capacity, added.size(2)}, added.options());
    if (length > 0) grown.narrow(1, 0, length).copy_(buffer);
    buffer = grown;
  }
  buffer.narrow(1, length, 1).copy_(added);
}

}  // namespace

double DropPathRate(double last, int64_t layer, int64_t layers) {
  return layers > 1 ? last * layer / (layers - 1) : 0;
}

TransformerLayer::TransformerLayer(const BackboneConfig& config, bool pre_norm, double drop_path)
    : pre_norm_(pre_norm), drop_rates_{config.dropout(), drop_path} {
  fc1_ = register_module("fc1", std::make_shared<Linear>(config.d_model(), config.ffn_dim()));
  fc2_ = register_module("fc2", std::make_shared<Linear>(config.ffn_dim(), config.d_model()));
  ffn_layernorm_ = RegisterNorm("ffn_layernorm", config.ffn_dim(), config.scale_fc());
  final_layer_norm_ = RegisterNorm("final_layer_norm", config.d_model());
  if (config.scale_resids()) w_resid_ = register_parameter("w_resid", at::ones({config.d_model()}));
}

TransformerLayer::Norm TransformerLayer::RegisterNorm(const std::string& name, int64_t size,
                                                      bool enabled) {
  return enabled ? register_module(name, std::make_shared<LayerNorm>(size)) : nullptr;
}

std::shared_ptr<MultiheadAttention> TransformerLayer::RegisterAttention(
    const std::string& name, const BackboneConfig& config) {
  AttentionOptions options;
  options.d_model = config.d_model();
  options.heads = config.heads();
  options.scale_factor = config.attn_scale_factor();
  options.scale_heads = config.scale_heads();
  options.qk_norm = config.qk_norm();
  options.dropout = config.attention_dropout();
  attentions_.push_back(register_module(name, std::make_shared<MultiheadAttention>(options)));
  return attentions_.back();
}

void TransformerLayer::SetDropout(const DropRates& rates, double attention_dropout) {
  drop_rates_ = rates;
  for (const auto& attention : attentions_) attention->set_dropout(attention_dropout);
}

at::Tensor TransformerLayer::PreNorm(const Norm& norm, const at::Tensor& x) const {
  return pre_norm_ ? norm->forward(x) : x;
}

at::Tensor TransformerLayer::Residual(const Norm& norm, const at::Tensor& residual,
                                      const at::Tensor& branch) const {
  const at::Tensor sum = AddDropped(residual, branch, drop_rates_, is_training());
  return pre_norm_ ? sum : norm->forward(sum);
}

at::Tensor TransformerLayer::FeedForward(const at::Tensor& x) const {
  const at::Tensor hidden = at::gelu(fc1_->ForwardInEightBits(PreNorm(final_layer_norm_, x)));
  const at::Tensor branch = fc2_->ForwardInEightBits(ApplyIf(ffn_layernorm_, hidden));
  return Residual(final_layer_norm_, w_resid_.defined() ? x * w_resid_ : x, branch);
}

EncoderLayer::EncoderLayer(const BackboneConfig& config, double drop_path)
    : TransformerLayer(config, config.encoder_pre_norm(), drop_path) {
  self_attn_ = RegisterAttention("self_attn", config);
  self_attn_layer_norm_ = RegisterNorm("self_attn_layer_norm", config.d_model());
  attn_ln_ = RegisterNorm("attn_ln", config.d_model(), config.scale_attn());
}

at::Tensor EncoderLayer::forward(const at::Tensor& x, const AttentionBias& bias) const {
  const at::Tensor normed = PreNorm(self_attn_layer_norm_, x);
  const at::Tensor attended = ApplyIf(attn_ln_, self_attn_->forward(normed, normed, bias));
  return FeedForward(Residual(self_attn_layer_norm_, x, attended));
}

DecoderLayer::DecoderLayer(const BackboneConfig& config, double drop_path)
    : TransformerLayer(config, config.decoder_pre_norm(), drop_path) {
  self_attn_ = RegisterAttention("self_attn", config);
  self_attn_layer_norm_ = RegisterNorm("self_attn_layer_norm", config.d_model());
  self_attn_ln_ = RegisterNorm("self_attn_ln", config.d_model(), config.scale_attn());
  encoder_attn_ = RegisterAttention("encoder_attn", config);
  encoder_attn_layer_norm_ = RegisterNorm("encoder_attn_layer_norm", config.d_model());
  cross_attn_ln_ = RegisterNorm("cross_attn_ln", config.d_model(), config.scale_attn());
}

template <typename SelfAttention, typename CrossAttention>
at::Tensor DecoderLayer::Run(const at::Tensor& x, SelfAttention self_attention,
                             CrossAttention cross_attention) const {
  const at::Tensor attended = self_attention(PreNorm(self_attn_layer_norm_, x));
  const at::Tensor y = Residual(self_attn_layer_norm_, x, ApplyIf(self_attn_ln_, attended));
  const at::Tensor crossed = cross_attention(PreNorm(encoder_attn_layer_norm_, y));
  return FeedForward(Residual(encoder_attn_layer_norm_, y, ApplyIf(cross_attn_ln_, crossed)));
}

at::Tensor DecoderLayer::forward(const at::Tensor& x, const AttentionBias& self_bias,
                                 const at::Tensor& encoded, const AttentionBias& cross_bias) const {
  return Run(
      x, [&](const at::Tensor& normed) { return self_attn_->forward(normed, normed, self_bias); },
      [&](const at::Tensor& normed) {
        return encoder_attn_->forward(normed, encoded, cross_bias);
      });
}

at::Tensor DecoderLayer::Step(const at::Tensor& x, SelfCache& cache, const AttentionBias& self_bias,
                              const KeyValues& cross, const AttentionBias& cross_bias,
                              int64_t samples) const {
  const auto self_attention = [&](const at::Tensor& normed) {
    const KeyValues added = self_attn_->MakeKeyValues(normed);
    Append(cache.buffers.keys, added.keys, cache.length);
    Append(cache.buffers.values, added.values, cache.length);
    ++cache.length;
    const KeyValues used{cache.buffers.keys.narrow(1, 0, cache.length),
                         cache.buffers.values.narrow(1, 0, cache.length)};
    return self_attn_->Attend(self_attn_->Queries(normed), used, self_bias);
  };
  const auto cross_attention = [&](const at::Tensor& normed) {
    const at::Tensor by_sample = normed.reshape({samples, -1, normed.size(2)});
    const at::Tensor queries = encoder_attn_->Queries(by_sample);
    return encoder_attn_->Attend(queries, cross, cross_bias).view(normed.sizes());
  };
  return Run(x, self_attention, cross_attention);
}

}  // namespace layers
}  // namespace unival
