// unival: encoder.h
//
// The encoder: segments of any modalities and text become one sequence [group 0 | group 1 | ... |
// text], where group i holds every row's i-th segment. Rows without that segment, and padded
// features, are padding, so each row equals that row alone.
//
// Attention knows no order but that of positions. So media that stand within a text are not moved
// in memory; their positions say where they belong (source_places.h). An item within the text takes
// one text position. Each of its features has this position besides its own grid or sequence
// position, and the relative table of the text holds between the item and everything else. Media
// before the text have no text position; between them and the rest the relative bias is 0, as in
// the reference.
//
// Absolute positions never enter the embedding (unless the configuration entangles them); they and
// the relative tables make one bias per layer. Where all rows of a batch have the same positions,
// that bias is computed once for all of them.
//
//   Encoder encoder(config, vocabulary_size);
//   EncoderOutput out = encoder.forward(input, connections, /*keep_hidden=*/false);
//
// Shapes: B batch, S source positions, D model width, H heads; P is 1 (positions shared by the
// batch) or B.
// Threads: thread-compatible; concurrent calls in eval mode are fine.
// Errors: c10::Error that names the segment.
#ifndef UNIVAL_BACKBONE_MODEL_ENCODER_H_
#define UNIVAL_BACKBONE_MODEL_ENCODER_H_

#include <torch/nn/module.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backbone/connection/connection.h"
#include "backbone/layers/attention.h"
#include "backbone/layers/position_index.h"
#include "backbone/layers/transformer_layer.h"
#include "backbone/model/backbone.h"

namespace unival {

class SourcePlaces;

using ConnectionMap = std::map<std::string, std::shared_ptr<Connection>>;

// A stack of embedding tables named "0", "1", ...: one relative-position table per layer.
class TableList : public torch::nn::Module {
 public:
  TableList(int64_t count, int64_t rows, int64_t heads);
  const at::Tensor& operator[](int64_t layer) const { return tables_[layer]->weight(); }

 private:
  std::vector<std::shared_ptr<layers::Embedding>> tables_;
};

class Encoder : public torch::nn::Module {
 public:
  Encoder(const BackboneConfig& config, int64_t vocabulary_size);

  EncoderOutput forward(const ModelInput& input, const ConnectionMap& connections,
                        bool keep_hidden);

  // What the layers see of the input; `forward` is Embed, then the layers.
  struct Sequence {
    at::Tensor embedded;          // [B, S, D], zero at padding
    at::Tensor padding;           // [B, S] bool
    at::Tensor position_vectors;  // [P, S, D] after their LayerNorm
    at::Tensor relative_index;    // [P, S, S] int64, rows of the layer's joined table
  };
  Sequence Embed(const ModelInput& input, const ConnectionMap& connections);
  at::Tensor AbsoluteBias(const Sequence& sequence) const;                 // [P, H, S, S]
  at::Tensor RelativeBias(const Sequence& sequence, int64_t layer) const;  // [P, H, S, S]

  const std::shared_ptr<layers::Embedding>& embed_tokens() const { return embed_tokens_; }
  void SetDropout(const DropoutRates& rates);
  void set_recomputes_layers(bool on) { recomputes_layers_ = on; }

 private:
  // Part of the sequence that holds the rows' i-th segments, or their text.
  struct SegmentGroup {
    at::Tensor embedded;          // [B, N, D]
    at::Tensor padding;           // [B, N]
    at::Tensor position_vectors;  // [P, N, D]
    at::Tensor position_ids;      // [P, N]; undefined for text
    at::Tensor places;  // [B, N] int64, position in the text, -1: none; undefined: none at all
  };
  // Rows `members` of a segment's tensors, which stand in batch rows `rows`.
  struct Piece {
    const ModalitySegment* segment;
    std::vector<int64_t> members, rows;
    std::vector<int64_t> places;  // of each row, positions in its text; empty: none has one
  };
  std::vector<std::vector<Piece>> PlaceSegments(const ModelInput& input, bool has_places) const;
  SegmentGroup EmbedPiece(const Piece& piece, const ConnectionMap& connections) const;
  // The row that marks the segment's kind, added to x [B, N, D].
  at::Tensor WithTypeRow(const at::Tensor& x, const ModalitySegment& segment,
                         const Connection& connection) const;
  // Adds the text positions of a piece's items to the group's position vectors, and to `raw`, which
  // are these vectors before their LayerNorm. c10::Error for a position beyond max_positions.
  void AddPlaces(const Piece& piece, SegmentGroup* group, at::Tensor* raw) const;
  SegmentGroup EmbedGroup(const std::vector<Piece>& pieces, const ConnectionMap& connections,
                          int64_t batch);
  SegmentGroup EmbedText(const at::Tensor& tokens, const SourcePlaces& places) const;
  at::Tensor RelativeIndex(const std::vector<SegmentGroup>& groups, int64_t positions_batch);
  at::Tensor DistancesInText(const std::vector<SegmentGroup>& groups, int64_t none);
  at::Tensor Scaled(const at::Tensor& x) const { return embed_scale_ == 1 ? x : x * embed_scale_; }

  const BackboneConfig config_;
  double dropout_;  // of embeddings
  bool recomputes_layers_ = false;
  const double embed_scale_;
  layers::TokenBuckets token_buckets_;
  std::shared_ptr<layers::Embedding> embed_tokens_, embed_positions_, type_embedding_;
  std::shared_ptr<layers::LayerNorm> layernorm_embedding_, patch_layernorm_embedding_;
  std::shared_ptr<layers::LayerNorm> pos_ln_, image_pos_ln_, layer_norm_;
  std::shared_ptr<layers::Linear> pos_q_linear_, pos_k_linear_;
  std::vector<std::shared_ptr<layers::EncoderLayer>> layers_;
  std::shared_ptr<TableList> token_rel_pos_table_list_, image_rel_pos_table_list_;
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MODEL_ENCODER_H_
