// What the places of the encoder's input add to its attention.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <vector>

#include "backbone/model/encoder.h"

namespace unival {

// For each pair of positions its row in the layer's joined table, which is [token table; grid
// table; one row of zeros]. Pairs within a group of media take the grid table, pairs of text tokens
// the token table, pairs of different groups the row of zeros. Where media have places in the text,
// pairs of different groups that both have a place take the token table, as pairs of tokens do.
at::Tensor Encoder::RelativeIndex(const std::vector<SegmentGroup>& groups,
                                  int64_t positions_batch) {
  const int64_t side = config_.image_bucket_size(), token_rows = token_buckets_.table_rows();
  int64_t length = 0;
  for (const SegmentGroup& group : groups) length += group.embedded.size(1);
  const at::Tensor& embedded = groups.back().embedded;
  const int64_t none = token_rows + layers::GridTableRows(side);
  const bool has_places = groups.back().places.defined();
  at::Tensor index = has_places ? DistancesInText(groups, none)
                                : at::full({positions_batch, length, length}, none,
                                           embedded.options().dtype(at::kLong));
  int64_t begin = 0;
  for (const SegmentGroup& group : groups) {
    const int64_t n = group.embedded.size(1);
    at::Tensor block = index.narrow(1, begin, n).narrow(2, begin, n);
    if (group.position_ids.defined()) {
      block.copy_(
          layers::GridBuckets(group.position_ids, group.position_ids, side).add_(token_rows));
    } else if (!has_places) {
      block.copy_(token_buckets_.Square(n, embedded.device()));
    }
    begin += n;
  }
  return index;
}

// [B, S, S]: rows of the token table for all pairs with places in the text, `none` for the others.
at::Tensor Encoder::DistancesInText(const std::vector<SegmentGroup>& groups, int64_t none) {
  std::vector<at::Tensor> parts;
  for (const SegmentGroup& group : groups) {
    parts.push_back(group.places.defined()
                        ? group.places
                        : at::full({group.embedded.size(0), group.embedded.size(1)}, -1,
                                   group.padding.options().dtype(at::kLong)));
  }
  const at::Tensor places = at::cat(parts, 1);
  const at::Tensor square =
      token_buckets_.Square(places.max().item<int64_t>() + 1, places.device());
  const at::Tensor known = places.clamp_min(0);
  const at::Tensor has_none = places.lt(0);
  return square.index({known.unsqueeze(2), known.unsqueeze(1)})
      .masked_fill(has_none.unsqueeze(2).logical_or(has_none.unsqueeze(1)), none);
}

at::Tensor Encoder::AbsoluteBias(const Sequence& sequence) const {
  const at::Tensor& vectors = sequence.position_vectors;
  return layers::PositionLogits(pos_q_linear_->forward(vectors), pos_k_linear_->forward(vectors),
                                config_.heads(), config_.attn_scale_factor());
}

at::Tensor Encoder::RelativeBias(const Sequence& sequence, int64_t layer) const {
  const at::Tensor& tokens = (*token_rel_pos_table_list_)[layer];
  const at::Tensor joined = at::cat({tokens, (*image_rel_pos_table_list_)[layer],
                                     at::zeros({1, tokens.size(1)}, tokens.options())});
  return layers::GatherBias(joined, sequence.relative_index);
}

}  // namespace unival
