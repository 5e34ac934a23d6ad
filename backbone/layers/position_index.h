// unival: position_index.h
//
// Which row of a relative-position table (bias per head) belongs to a pair of positions. All
// indices are int64 and hold no weights: they follow from the sizes in the configuration.
//
//   TokenBuckets buckets(256);
//   at::Tensor index = buckets.Square(20, at::kCPU);  // rows of token_rel_pos_table_list.*
//   at::Tensor grid = GridBuckets(ids, ids, 42);      // rows of image_rel_pos_table_list.*
//
// Position ids: 0 = no position; row * side + column + 1 on a grid of side x side cells.
#ifndef UNIVAL_BACKBONE_LAYERS_POSITION_INDEX_H_
#define UNIVAL_BACKBONE_LAYERS_POSITION_INDEX_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <mutex>

namespace unival {
namespace layers {

// Rows of the table for the distance query - key: one row for each distance up to bucket_size / 2,
// logarithmic ranges beyond. Thread-safe.
class TokenBuckets {
 public:
  explicit TokenBuckets(int64_t bucket_size) : bucket_size_(bucket_size) {}
  int64_t table_rows() const { return 2 * bucket_size_ - 1; }
  // [n, n] int64, entry (query, key). A view into a cached tensor that grows on demand: do not
  // write to it.
  at::Tensor Square(int64_t n, at::Device device);

 private:
  const int64_t bucket_size_;
  std::mutex mutex_;
  at::Tensor cached_;
};

inline int64_t GridTableRows(int64_t side) { return (2 * side - 1) * (2 * side - 1) + 3; }

// Rows of the table for pairs of grid positions. `queries` [..., T], `keys` [..., S]: position ids
// on a grid of `side` x `side` cells -> [..., T, S] int64.
at::Tensor GridBuckets(const at::Tensor& queries, const at::Tensor& keys, int64_t side);

// Position ids of decoding steps [0, n) when image codes are decoded: 0 for <s>, then a square of
// `window` x `window` cells, then a constant id.
at::Tensor CodePositionIds(int64_t n, int64_t window, int64_t side, at::Device device);

// Biases of position pairs: `table` [rows, H], `index` [P, T, S] -> [P, H, T, S].
at::Tensor GatherBias(const at::Tensor& table, const at::Tensor& index);

}  // namespace layers
}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_POSITION_INDEX_H_
