#include "backbone/model/decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <utility>

#include "backbone/layers/packed_weights.h"
#include "backbone/layers/recompute.h"
#include "backbone/model/model_config.h"

namespace unival {
namespace {

at::Tensor CausalMask(int64_t n, const at::Tensor& like) {
  return at::full({n, n}, layers::kMasked, like.options()).triu_(1);
}

}  // namespace

CodeRows::CodeRows(const at::Tensor& rows) : rows_(rows) {
  if (!rows.defined() || rows.numel() == 0) return;
  any_ = rows.any().item<bool>();
  all_ = rows.all().item<bool>();
}

template <typename Text, typename Codes>
at::Tensor CodeRows::Choose(Text text, Codes codes) const {
  if (!any_) return text();
  if (all_) return codes();
  const at::Tensor from_text = text();
  std::vector<int64_t> shape(from_text.dim(), 1);
  shape[0] = rows_.size(0);
  return at::where(rows_.view(shape), codes(), from_text);
}

// A list, in one piece: the order of its lines decides which fresh weights a seed gives.
Decoder::Decoder(const BackboneConfig& config, std::shared_ptr<layers::Embedding> embed_tokens)
    : config_(config),
      dropout_(config.dropout()),
      embed_scale_(config.scale_embedding() ? std::sqrt(config.d_model()) : 1),
      token_buckets_(config.token_bucket_size()),
      embed_tokens_(std::move(embed_tokens)) {
  using layers::Embedding;
  using layers::LayerNorm;
  using layers::Linear;
  const int64_t d = config.d_model(), side = config.image_bucket_size();
  const auto norm = [&](const char* name, bool enabled) {
    return enabled ? register_module(name, std::make_shared<LayerNorm>(d)) : nullptr;
  };
  const auto linear = [&](const char* name) {
    return register_module(name, std::make_shared<Linear>(d, d));
  };
  layernorm_embedding_ = norm("layernorm_embedding", config.layernorm_embedding());
  embed_positions_ = register_module("embed_positions",
                                     std::make_shared<Embedding>(config.max_positions() + 2, d));
  embed_image_positions_ =
      register_module("embed_image_positions", std::make_shared<Embedding>(side * side + 1, d));
  pos_ln_ = norm("pos_ln", true);
  image_pos_ln_ = norm("image_pos_ln", true);
  self_pos_q_linear_ = linear("self_pos_q_linear");
  self_pos_k_linear_ = linear("self_pos_k_linear");
  cross_pos_q_linear_ = linear("cross_pos_q_linear");
  cross_pos_k_linear_ = linear("cross_pos_k_linear");
  code_layernorm_embedding_ = norm("code_layernorm_embedding", config.code_layernorm_embedding());
  auto stack = register_module("layers", std::make_shared<torch::nn::Module>());
  for (int64_t i = 0; i < config.decoder_layers(); ++i) {
    const double rate =
        layers::DropPathRate(config.decoder_drop_path(), i, config.decoder_layers());
    layers_.push_back(stack->register_module(std::to_string(i),
                                             std::make_shared<layers::DecoderLayer>(config, rate)));
  }
  layer_norm_ = norm("layer_norm", config.decoder_pre_norm());
  const auto tables = [&](const char* name, int64_t rows) {
    return register_module(
        name, std::make_shared<TableList>(config.decoder_layers(), rows, config.heads()));
  };
  token_rel_pos_table_list_ = tables("token_rel_pos_table_list", token_buckets_.table_rows());
  image_rel_pos_table_list_ = tables("image_rel_pos_table_list", layers::GridTableRows(side));
}

void Decoder::SetDropout(const DropoutRates& rates) {
  dropout_ = rates.values;
  for (int64_t i = 0; i < config_.decoder_layers(); ++i) {
    const double path = layers::DropPathRate(rates.decoder_path, i, config_.decoder_layers());
    layers_[static_cast<size_t>(i)]->SetDropout({rates.values, path}, rates.attention);
  }
}

at::Tensor Decoder::TextPositions(int64_t begin, int64_t end) const {
  return embed_positions_->weight().narrow(0, begin, end - begin).unsqueeze(0);
}

at::Tensor Decoder::CodeIds(int64_t end) const {
  return layers::CodePositionIds(end, config_.code_image_size() / kPixelsPerCode,
                                 config_.image_bucket_size(),
                                 embed_image_positions_->weight().device());
}

at::Tensor Decoder::CodePositions(int64_t begin, int64_t end) const {
  return embed_image_positions_->forward(CodeIds(end).slice(0, begin)).unsqueeze(0);
}

at::Tensor Decoder::AbsoluteSelfBias(const CodeRows& codes, int64_t begin, int64_t end) {
  const auto logits = [&](const at::Tensor& vectors) {
    return layers::PositionLogits(self_pos_q_linear_->forward(vectors.slice(1, begin)),
                                  self_pos_k_linear_->forward(vectors), config_.heads(),
                                  config_.attn_scale_factor());
  };
  return codes.Choose([&] { return logits(pos_ln_->forward(TextPositions(0, end))); },
                      [&] { return logits(image_pos_ln_->forward(CodePositions(0, end))); });
}

at::Tensor Decoder::RelativeSelfBias(const CodeRows& codes, int64_t layer, int64_t begin,
                                     int64_t end) {
  const at::Tensor& table = (*token_rel_pos_table_list_)[layer];
  const auto text = [&] {
    const at::Tensor index = token_buckets_.Square(end, table.device()).slice(0, begin);
    return layers::GatherBias(table, index.unsqueeze(0));
  };
  const auto grid = [&] {
    const at::Tensor ids = CodeIds(end);
    const at::Tensor index =
        layers::GridBuckets(ids.slice(0, begin), ids, config_.image_bucket_size());
    return layers::GatherBias((*image_rel_pos_table_list_)[layer], index.unsqueeze(0));
  };
  return codes.Choose(text, grid);
}

at::Tensor Decoder::CrossPositionKeys(const EncoderOutput& encoded) const {
  const at::Tensor& vectors = encoded.position_embeddings;
  // The encoder expands positions that all rows share, without copying them.
  const bool shared = vectors.size(0) > 1 && vectors.stride(0) == 0;
  return cross_pos_k_linear_->forward(shared ? vectors.narrow(0, 0, 1) : vectors);
}

at::Tensor Decoder::CrossBias(const CodeRows& codes, const at::Tensor& position_keys, int64_t begin,
                              int64_t end) {
  const auto logits = [&](const at::Tensor& vectors) {
    return layers::PositionLogits(cross_pos_q_linear_->forward(vectors), position_keys,
                                  config_.heads(), config_.attn_scale_factor());
  };
  return codes.Choose([&] { return logits(pos_ln_->forward(TextPositions(begin, end))); },
                      [&] { return logits(image_pos_ln_->forward(CodePositions(begin, end))); });
}

at::Tensor Decoder::Embed(const at::Tensor& tokens, const CodeRows& codes, int64_t begin) const {
  at::Tensor x = embed_tokens_->forward(tokens);
  if (embed_scale_ != 1) x = x * embed_scale_;
  // As the reference does, whether or not entangle_position_embedding is set.
  if (!config_.disable_entangle()) {
    const int64_t end = begin + tokens.size(1);
    x = x + codes.Choose([&] { return TextPositions(begin, end); },
                         [&] { return CodePositions(begin, end); });
  }
  const auto text = [&] { return ApplyIf(layernorm_embedding_, x); };
  x = layernorm_embedding_ && code_layernorm_embedding_
          ? codes.Choose(text, [&] { return code_layernorm_embedding_->forward(x); })
          : text();
  return layers::Dropout(x, dropout_, is_training());
}

at::Tensor Decoder::Logits(const at::Tensor& x) const {
  return layers::LinearProduct(ApplyIf(layer_norm_, x), embed_tokens_->weight(), at::Tensor());
}

at::Tensor Decoder::LogitsOf(const at::Tensor& x, const at::Tensor& wanted) const {
  const at::Tensor& table = embed_tokens_->weight();
  return at::linear(ApplyIf(layer_norm_, x), table.index_select(0, wanted.to(table.device())));
}

at::Tensor Decoder::forward(const EncoderOutput& encoded, const at::Tensor& previous_tokens,
                            const DecodeOptions& options) {
  TORCH_CHECK(previous_tokens.dim() == 2 && previous_tokens.scalar_type() == at::kLong &&
                  previous_tokens.size(0) == encoded.states.size(0),
              "previous_tokens must be int64 [", encoded.states.size(0), ", T], got ",
              previous_tokens.sizes());
  const int64_t batch = previous_tokens.size(0), length = previous_tokens.size(1);
  TORCH_CHECK(length <= max_steps(), "target of ", length,
              " tokens, </s> among them, is longer than ", max_steps(), "; max_positions is ",
              config_.max_positions());
  const CodeRows codes(options.code_rows);
  at::Tensor x = Embed(previous_tokens, codes, 0);
  layers::AttentionBias self{AbsoluteSelfBias(codes, 0, length), at::Tensor()};
  self.positions = self.positions + CausalMask(length, self.positions);
  const at::Tensor padding = previous_tokens.eq(layers::kPadToken);
  if (padding.any().item<bool>()) self.keys = layers::KeyMask(padding, x);
  self = FoldKeyMask(self, batch);
  layers::AttentionBias cross{CrossBias(codes, CrossPositionKeys(encoded), 0, length),
                              at::Tensor()};
  if (encoded.padding.any().item<bool>()) cross.keys = layers::KeyMask(encoded.padding, x);
  cross = FoldKeyMask(cross, batch);
  if (options.hidden != nullptr) options.hidden->push_back(x);
  at::Tensor states = encoded.states;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const layers::LayerCall layer = [this, i, codes, length, keys = self.keys,
                                     cross_keys = cross.keys](const auto& in) {
      const at::Tensor bias = in[1] + RelativeSelfBias(codes, i, 0, length);
      return layers_[i]->forward(in[0], {bias, keys}, in[3], {in[2], cross_keys});
    };
    x = recomputes_layers_
            ? layers::Recomputed(layer, {x, self.positions, cross.positions}, &states)
            : layer({x, self.positions, cross.positions, states});
    if (options.hidden != nullptr) options.hidden->push_back(x);
  }
  return Logits(x);
}

}  // namespace unival
