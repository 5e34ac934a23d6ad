// unival: decoder.h
//
// The decoder: teacher forcing over whole targets, and the pieces that decoding with a KV cache is
// made of.
//
// A row decodes either text or image codes; the two differ in their position tables, norms and
// relative buckets. Biases are computed once per stream (text, codes) and rows choose between them.
//
//   at::Tensor logits = decoder.forward(encoded, previous_tokens, options);    // [B, T, V]
//
// Shapes: B batch, T target positions, S source positions, D model width, H heads, V vocabulary; P
// is 1 or B.
// Threads: thread-compatible; concurrent calls in eval mode are fine.
// Errors: c10::Error.
#ifndef UNIVAL_BACKBONE_MODEL_DECODER_H_
#define UNIVAL_BACKBONE_MODEL_DECODER_H_

#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "backbone/layers/attention.h"
#include "backbone/layers/position_index.h"
#include "backbone/layers/transformer_layer.h"
#include "backbone/model/backbone.h"
#include "backbone/model/encoder.h"

namespace unival {

// Which rows of a batch decode image codes.
class CodeRows {
 public:
  CodeRows() = default;
  // `rows` [B] bool, or undefined for none.
  explicit CodeRows(const at::Tensor& rows);
  bool any() const { return any_; }
  bool all() const { return all_; }
  const at::Tensor& rows() const { return rows_; }
  // Text or codes, row by row. Calls only what is needed; both results are broadcastable against
  // [B, ...].
  template <typename Text, typename Codes>
  at::Tensor Choose(Text text, Codes codes) const;

 private:
  bool any_ = false, all_ = false;
  at::Tensor rows_;
};

class Decoder : public torch::nn::Module {
 public:
  Decoder(const BackboneConfig& config, std::shared_ptr<layers::Embedding> embed_tokens);

  at::Tensor forward(const EncoderOutput& encoded, const at::Tensor& previous_tokens,
                     const DecodeOptions& options);

  // Steps [begin, end) as queries, all steps before `end` as keys: [P, H, end - begin, end],
  // without causal mask.
  at::Tensor AbsoluteSelfBias(const CodeRows& codes, int64_t begin, int64_t end);
  at::Tensor RelativeSelfBias(const CodeRows& codes, int64_t layer, int64_t begin, int64_t end);

  // Position keys of the encoder's positions: [P, S, D].
  at::Tensor CrossPositionKeys(const EncoderOutput& encoded) const;
  // [P, H, end - begin, S]
  at::Tensor CrossBias(const CodeRows& codes, const at::Tensor& position_keys, int64_t begin,
                       int64_t end);

  // Tokens [B, n] of steps [begin, begin + n) -> [B, n, D].
  at::Tensor Embed(const at::Tensor& tokens, const CodeRows& codes, int64_t begin) const;
  // Final norm and tied output embedding: [B, n, D] -> [B, n, V].
  at::Tensor Logits(const at::Tensor& x) const;
  // Of the tokens `wanted` [W] alone: [B, n, W].
  at::Tensor LogitsOf(const at::Tensor& x, const at::Tensor& wanted) const;

  void SetDropout(const DropoutRates& rates);
  void set_recomputes_layers(bool on) { recomputes_layers_ = on; }
  const std::vector<std::shared_ptr<layers::DecoderLayer>>& layers() const { return layers_; }
  const BackboneConfig& config() const { return config_; }
  // <s> and max_positions tokens behind it, so that a target may have max_positions tokens before
  // </s>. The position table has a row for each, as the reference's has.
  int64_t max_steps() const { return config_.max_positions() + 1; }

 private:
  at::Tensor TextPositions(int64_t begin, int64_t end) const;  // [1, n, D]
  at::Tensor CodePositions(int64_t begin, int64_t end) const;  // [1, n, D]
  at::Tensor CodeIds(int64_t end) const;                       // [end]

  const BackboneConfig config_;
  double dropout_;  // of embeddings
  bool recomputes_layers_ = false;
  const double embed_scale_;
  layers::TokenBuckets token_buckets_;
  std::shared_ptr<layers::Embedding> embed_tokens_;  // the encoder's; not registered here
  std::shared_ptr<layers::Embedding> embed_positions_, embed_image_positions_;
  std::shared_ptr<layers::LayerNorm> layernorm_embedding_, code_layernorm_embedding_;
  std::shared_ptr<layers::LayerNorm> pos_ln_, image_pos_ln_, layer_norm_;
  std::shared_ptr<layers::Linear> self_pos_q_linear_, self_pos_k_linear_, cross_pos_q_linear_,
      cross_pos_k_linear_;
  std::vector<std::shared_ptr<layers::DecoderLayer>> layers_;
  std::shared_ptr<TableList> token_rel_pos_table_list_, image_rel_pos_table_list_;
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MODEL_DECODER_H_
