#include "backbone/model/encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "backbone/layers/recompute.h"
#include "backbone/model/batch_rows.h"
#include "backbone/model/source_places.h"

namespace unival {
namespace {

constexpr int64_t kTextTypeRow = 0;

}  // namespace

TableList::TableList(int64_t count, int64_t rows, int64_t heads) {
  for (int64_t i = 0; i < count; ++i) {
    tables_.push_back(register_module(std::to_string(i),
                                      std::make_shared<layers::Embedding>(rows, heads, /*std=*/0)));
  }
}

// A list, in one piece: the order of its lines decides which fresh weights a seed gives.
Encoder::Encoder(const BackboneConfig& config, int64_t vocabulary_size)
    : config_(config),
      dropout_(config.dropout()),
      embed_scale_(config.scale_embedding() ? std::sqrt(config.d_model()) : 1),
      token_buckets_(config.token_bucket_size()) {
  using layers::Embedding;
  using layers::LayerNorm;
  using layers::Linear;
  const int64_t d = config.d_model(), side = config.image_bucket_size();
  const auto norm = [&](const char* name, bool enabled) {
    return enabled ? register_module(name, std::make_shared<LayerNorm>(d)) : nullptr;
  };
  embed_tokens_ = register_module(
      "embed_tokens", std::make_shared<Embedding>(vocabulary_size, d, layers::kEmbeddingInitStd,
                                                  layers::kPadToken));
  layernorm_embedding_ = norm("layernorm_embedding", config.layernorm_embedding());
  if (config.add_type_embedding()) {
    type_embedding_ =
        register_module("type_embedding", std::make_shared<Embedding>(config.type_rows(), d));
  }
  patch_layernorm_embedding_ =
      norm("patch_layernorm_embedding", config.patch_layernorm_embedding());
  embed_positions_ = register_module("embed_positions",
                                     std::make_shared<Embedding>(config.max_positions() + 2, d));
  pos_ln_ = norm("pos_ln", true);
  image_pos_ln_ = norm("image_pos_ln", true);
  pos_q_linear_ = register_module("pos_q_linear", std::make_shared<Linear>(d, d));
  pos_k_linear_ = register_module("pos_k_linear", std::make_shared<Linear>(d, d));
  auto stack = register_module("layers", std::make_shared<torch::nn::Module>());
  for (int64_t i = 0; i < config.encoder_layers(); ++i) {
    const double rate =
        layers::DropPathRate(config.encoder_drop_path(), i, config.encoder_layers());
    layers_.push_back(stack->register_module(std::to_string(i),
                                             std::make_shared<layers::EncoderLayer>(config, rate)));
  }
  layer_norm_ = norm("layer_norm", config.encoder_pre_norm());
  const auto tables = [&](const char* name, int64_t rows) {
    return register_module(
        name, std::make_shared<TableList>(config.encoder_layers(), rows, config.heads()));
  };
  token_rel_pos_table_list_ = tables("token_rel_pos_table_list", token_buckets_.table_rows());
  image_rel_pos_table_list_ = tables("image_rel_pos_table_list", layers::GridTableRows(side));
}

void Encoder::SetDropout(const DropoutRates& rates) {
  dropout_ = rates.values;
  for (int64_t i = 0; i < config_.encoder_layers(); ++i) {
    const double path = layers::DropPathRate(rates.encoder_path, i, config_.encoder_layers());
    layers_[static_cast<size_t>(i)]->SetDropout({rates.values, path}, rates.attention);
  }
}

EncoderOutput Encoder::forward(const ModelInput& input, const ConnectionMap& connections,
                               bool keep_hidden) {
  const Sequence sequence = Embed(input, connections);
  const at::Tensor& padding = sequence.padding;
  layers::AttentionBias base{AbsoluteBias(sequence), at::Tensor()};
  if (padding.any().item<bool>()) base.keys = layers::KeyMask(padding, base.positions);
  base = FoldKeyMask(base, padding.size(0));
  EncoderOutput out;
  at::Tensor x = sequence.embedded;
  if (keep_hidden) out.hidden.push_back(x);
  Sequence relative;
  relative.relative_index = sequence.relative_index;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const layers::LayerCall layer = [this, i, relative, keys = base.keys](const auto& in) {
      return layers_[i]->forward(in[0], {in[1] + RelativeBias(relative, i), keys});
    };
    x = recomputes_layers_ ? layers::Recomputed(layer, {x, base.positions})
                           : layer({x, base.positions});
    if (keep_hidden) out.hidden.push_back(x);
  }
  out.states = ApplyIf(layer_norm_, x);
  out.padding = padding;
  out.position_embeddings = sequence.position_vectors.expand_as(x);
  return out;
}

Encoder::Sequence Encoder::Embed(const ModelInput& input, const ConnectionMap& connections) {
  const at::Tensor& tokens = input.source_tokens;
  TORCH_CHECK(tokens.defined() && tokens.dim() == 2 && tokens.scalar_type() == at::kLong,
              "source_tokens must be int64 [B, S]");
  const int64_t batch = tokens.size(0);
  const SourcePlaces places(input);
  std::vector<SegmentGroup> groups;
  for (const std::vector<Piece>& pieces : PlaceSegments(input, places.any())) {
    groups.push_back(EmbedGroup(pieces, connections, batch));
  }
  groups.push_back(EmbedText(tokens, places));
  const bool shared = std::all_of(groups.begin(), groups.end(), [](const SegmentGroup& group) {
    return group.position_vectors.size(0) == 1;
  });
  const int64_t positions_batch = shared ? 1 : batch;
  std::vector<at::Tensor> embedded, padding, vectors;
  for (const SegmentGroup& group : groups) {
    embedded.push_back(group.embedded);
    padding.push_back(group.padding);
    vectors.push_back(group.position_vectors.expand({positions_batch, -1, -1}));
  }
  Sequence sequence;
  sequence.padding = at::cat(padding, 1);
  sequence.embedded = at::cat(embedded, 1).masked_fill(sequence.padding.unsqueeze(-1), 0);
  sequence.position_vectors = at::cat(vectors, 1);
  sequence.relative_index = RelativeIndex(groups, positions_batch);
  return sequence;
}

std::vector<std::vector<Encoder::Piece>> Encoder::PlaceSegments(const ModelInput& input,
                                                                bool has_places) const {
  const int64_t batch = input.source_tokens.size(0);
  std::vector<size_t> used(batch, 0);  // groups that a row has filled so far
  std::vector<std::vector<Piece>> groups;
  for (const ModalitySegment& segment : input.segments) {
    std::map<size_t, Piece> pieces;
    std::vector<bool> seen(batch, false);
    for (size_t i = 0; i < segment.rows.size(); ++i) {
      const int64_t row = segment.rows[i];
      TORCH_CHECK(row >= 0 && row < batch && !seen[row], "segment \"", segment.connection,
                  "\": row ", row, " is repeated or outside the batch of ", batch);
      seen[row] = true;
      Piece& piece = pieces[used[row]++];
      piece.segment = &segment;
      piece.members.push_back(i);
      piece.rows.push_back(row);
      if (has_places) piece.places.push_back(segment.places.empty() ? -1 : segment.places[i]);
    }
    for (auto& [group, piece] : pieces) {
      if (groups.size() <= group) groups.resize(group + 1);
      groups[group].push_back(std::move(piece));
    }
  }
  return groups;
}

Encoder::SegmentGroup Encoder::EmbedPiece(const Piece& piece,
                                          const ConnectionMap& connections) const {
  const ModalitySegment& segment = *piece.segment;
  const auto found = connections.find(segment.connection);
  TORCH_CHECK(found != connections.end(), "the model has no connection \"", segment.connection,
              "\"");
  const at::Tensor& all = segment.features.values;
  TORCH_CHECK(
      all.defined() && all.dim() == 3 && all.size(0) == static_cast<int64_t>(segment.rows.size()),
      "segment \"", segment.connection, "\" names ", segment.rows.size(),
      " rows, its features must be [rows, N, F], got ",
      all.defined() ? all.sizes() : at::IntArrayRef());
  const Connection& connection = *found->second;
  const ModalityFeatures features = connection.Spread(
      {SelectRows(all, piece.members), SelectRows(segment.features.padding, piece.members),
       SelectRows(segment.features.positions, piece.members)});
  SegmentGroup group;
  group.padding = features.padding.defined()
                      ? features.padding
                      : at::zeros({features.values.size(0), features.values.size(1)},
                                  all.options().dtype(at::kBool));
  group.position_ids = SharedRow(connection.PositionIds(features));
  at::Tensor vectors = connection.PositionVectors(group.position_ids, features);
  const bool is_placed = !piece.places.empty();
  if (is_placed) {
    group.position_vectors = image_pos_ln_->forward(vectors);
    AddPlaces(piece, &group, &vectors);
  }
  at::Tensor x = Scaled(connection.Project(features.values));
  if (config_.entangle_position_embedding()) x = x + vectors;
  x = WithTypeRow(x, segment, connection);
  group.embedded = layers::Dropout(ApplyIf(patch_layernorm_embedding_, x), dropout_, is_training());
  // This call comes last where nothing above needs its result. The order of calls decides in which
  // order gradients are added, and with that the last bits of a run.
  if (!is_placed) group.position_vectors = image_pos_ln_->forward(vectors);
  return group;
}

at::Tensor Encoder::WithTypeRow(const at::Tensor& x, const ModalitySegment& segment,
                                const Connection& connection) const {
  if (connection.type_row().defined() && segment.type_row < 0) return x + connection.type_row();
  if (!type_embedding_) return x;
  const int64_t row =
      segment.type_row >= 0 ? segment.type_row : connection.config().shared_type_row();
  return x + type_embedding_->weight()[row];
}

void Encoder::AddPlaces(const Piece& piece, SegmentGroup* group, at::Tensor* raw) const {
  const int64_t positions = group->padding.size(1);
  const at::Device device = group->padding.device();
  const int64_t last = *std::max_element(piece.places.begin(), piece.places.end());
  TORCH_CHECK(last < config_.max_positions(), "segment \"", piece.segment->connection,
              "\": position ", last, " in the text is beyond max_positions ",
              config_.max_positions());
  const at::Tensor places = at::tensor(piece.places, at::kLong).to(device).unsqueeze(1);  // [B, 1]
  group->places = places.expand({-1, positions});
  const at::Tensor has_place = places.ge(0).unsqueeze(2);
  const at::Tensor of_text = at::embedding(embed_positions_->weight(), places.clamp_min(0));
  *raw = *raw + of_text * has_place;
  group->position_vectors = group->position_vectors + pos_ln_->forward(of_text) * has_place;
}

Encoder::SegmentGroup Encoder::EmbedGroup(const std::vector<Piece>& pieces,
                                          const ConnectionMap& connections, int64_t batch) {
  if (pieces.size() == 1 && IsWholeBatch(pieces[0].rows, batch)) {
    return EmbedPiece(pieces[0], connections);
  }
  std::vector<int64_t> order(batch, -1);
  std::vector<at::Tensor> embedded, padding, vectors, ids, places;
  int64_t width = 0, next = 0;
  for (const Piece& piece : pieces) {
    const SegmentGroup group = EmbedPiece(piece, connections);
    const int64_t rows = group.embedded.size(0);
    for (const int64_t row : piece.rows) order[row] = next++;
    width = std::max(width, group.embedded.size(1));
    embedded.push_back(group.embedded);
    padding.push_back(group.padding);
    // Rows that lack this segment are padding there and their positions do not matter: positions
    // shared by the rows that have it serve the whole batch.
    const bool is_shared = group.position_ids.size(0) == 1 && group.position_vectors.size(0) == 1;
    const int64_t copies = pieces.size() == 1 && is_shared ? 1 : rows;
    vectors.push_back(group.position_vectors.expand({copies, -1, -1}));
    ids.push_back(group.position_ids.expand({copies, -1}));
    if (group.places.defined()) places.push_back(group.places);
  }
  SegmentGroup group;
  group.embedded = Assemble(embedded, width, order, 0);
  group.padding = Assemble(padding, width, order, 1);
  const bool shared = pieces.size() == 1 && ids[0].size(0) == 1;
  group.position_vectors = shared ? vectors[0] : Assemble(vectors, width, order, 0);
  group.position_ids = shared ? ids[0] : Assemble(ids, width, order, 0);
  if (!places.empty()) group.places = Assemble(places, width, order, -1);
  return group;
}

Encoder::SegmentGroup Encoder::EmbedText(const at::Tensor& tokens,
                                         const SourcePlaces& places) const {
  SegmentGroup group;
  group.padding = tokens.eq(layers::kPadToken);
  int64_t length = tokens.size(1);
  if (places.any()) {
    // Padding behind a short row must not count as positions of it.
    group.places = places.text().to(tokens.device()).masked_fill(group.padding, 0);
    length = group.places.max().item<int64_t>() + 1;
  }
  TORCH_CHECK(length <= config_.max_positions(), "source text of ", length, " tokens",
              places.any() ? " and media within it" : "", " is longer than max_positions ",
              config_.max_positions());
  const at::Tensor& table = embed_positions_->weight();
  const at::Tensor vectors =
      places.any() ? at::embedding(table, group.places) : table.narrow(0, 0, length).unsqueeze(0);
  at::Tensor x = Scaled(embed_tokens_->forward(tokens));
  if (config_.entangle_position_embedding()) x = x + vectors;
  if (type_embedding_) x = x + type_embedding_->weight()[kTextTypeRow];
  group.embedded = layers::Dropout(ApplyIf(layernorm_embedding_, x), dropout_, is_training());
  group.position_vectors = pos_ln_->forward(vectors);
  return group;
}

}  // namespace unival
