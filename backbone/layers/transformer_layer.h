// unival: transformer_layer.h
//
// One layer of the encoder and one of the decoder, pre- or post-norm, with the reference's extra
// norms and scales.
//
//   at::Tensor y = encoder_layer->forward(x, bias);
//   at::Tensor z = decoder_layer->forward(y, self_bias, encoder_states, cross_bias);
//
// Shapes: B batch, T target positions, S source positions, D model width.
// Threads: thread-compatible.
#ifndef UNIVAL_BACKBONE_LAYERS_TRANSFORMER_LAYER_H_
#define UNIVAL_BACKBONE_LAYERS_TRANSFORMER_LAYER_H_

#include <torch/nn/module.h>

#include <memory>
#include <string>
#include <vector>

#include "backbone/layers/attention.h"
#include "backbone/layers/basic.h"
#include "sdk/proto/model.pb.h"

namespace unival {
namespace layers {

// Drop path grows over the layers from 0 in the first to `last` in the last one.
double DropPathRate(double last, int64_t layer, int64_t layers);

// What both kinds of layer have: residual connections and the feed-forward block.
class TransformerLayer : public torch::nn::Module {
 public:
  // What is dropped in training mode from now on: of branches, and of attention weights.
  void SetDropout(const DropRates& rates, double attention_dropout);

 protected:
  TransformerLayer(const BackboneConfig& config, bool pre_norm, double drop_path);

  using Norm = std::shared_ptr<LayerNorm>;
  Norm RegisterNorm(const std::string& name, int64_t size, bool enabled = true);
  std::shared_ptr<MultiheadAttention> RegisterAttention(const std::string& name,
                                                        const BackboneConfig& config);
  at::Tensor PreNorm(const Norm& norm, const at::Tensor& x) const;
  // residual + branch after dropout and drop path, then the norm of post-norm layers.
  at::Tensor Residual(const Norm& norm, const at::Tensor& residual, const at::Tensor& branch) const;
  at::Tensor FeedForward(const at::Tensor& x) const;

 private:
  bool pre_norm_;
  DropRates drop_rates_;
  std::vector<std::shared_ptr<MultiheadAttention>> attentions_;
  std::shared_ptr<Linear> fc1_, fc2_;
  Norm ffn_layernorm_, final_layer_norm_;
  at::Tensor w_resid_;
};

class EncoderLayer : public TransformerLayer {
 public:
  EncoderLayer(const BackboneConfig& config, double drop_path);
  at::Tensor forward(const at::Tensor& x, const AttentionBias& bias) const;

 private:
  std::shared_ptr<MultiheadAttention> self_attn_;
  Norm self_attn_layer_norm_, attn_ln_;
};

// Keys and values of the positions decoded so far, in buffers that grow by doubling.
struct SelfCache {
  KeyValues buffers;   // [R * H, capacity, d]
  int64_t length = 0;  // positions in use
};

class DecoderLayer : public TransformerLayer {
 public:
  DecoderLayer(const BackboneConfig& config, double drop_path);

  // Teacher forcing: x [B, T, D], encoder states [B, S, D].
  at::Tensor forward(const at::Tensor& x, const AttentionBias& self_bias, const at::Tensor& encoded,
                     const AttentionBias& cross_bias) const;

  KeyValues CrossKeyValues(const at::Tensor& encoded) const {
    return encoder_attn_->MakeKeyValues(encoded);
  }
  // One more position of R = B * beam rows: x [R, 1, D]. Rows of a sample attend to that sample's
  // `cross` keys.
  at::Tensor Step(const at::Tensor& x, SelfCache& cache, const AttentionBias& self_bias,
                  const KeyValues& cross, const AttentionBias& cross_bias, int64_t samples) const;

 private:
  template <typename SelfAttention, typename CrossAttention>
  at::Tensor Run(const at::Tensor& x, SelfAttention self_attention,
                 CrossAttention cross_attention) const;

  std::shared_ptr<MultiheadAttention> self_attn_, encoder_attn_;
  Norm self_attn_layer_norm_, self_attn_ln_, encoder_attn_layer_norm_, cross_attn_ln_;
};

}  // namespace layers
}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_TRANSFORMER_LAYER_H_
