#include "backbone/layers/position_index.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>

namespace unival {
namespace layers {
namespace {

// The logarithmic part reaches the last bucket at this distance, whatever the length of the model.
constexpr double kFarthestDistance = 1023;
// Steps beyond the window of image codes share this id.
constexpr int64_t kBeyondWindowId = 1024;

// Buckets of distances -(n-1) .. n-1, [2n - 1].
at::Tensor DistanceBuckets(int64_t n, int64_t bucket_size) {
  const int64_t mid = bucket_size / 2;
  const at::Tensor distance = at::arange(1 - n, n, at::kLong);
  const at::Tensor magnitude = distance.abs();
  // float32 on purpose: ceil() below depends on its rounding.
  const at::Tensor ratio = magnitude.clamp_min(std::max<int64_t>(mid, 1)).to(at::kFloat) / mid;
  const at::Tensor logarithmic =
      (ratio.log() / std::log(kFarthestDistance / mid) * (mid - 1)).ceil().to(at::kLong) + mid;
  const at::Tensor bucket = at::where(magnitude.le(mid), distance, logarithmic * distance.sign());
  return bucket.clamp(1 - bucket_size, bucket_size - 1) + (bucket_size - 1);
}

}  // namespace

at::Tensor TokenBuckets::Square(int64_t n, at::Device device) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!cached_.defined() || cached_.size(0) < n || cached_.device() != device) {
    const int64_t capacity = std::max<int64_t>(n, cached_.defined() ? 2 * cached_.size(0) : 64);
    const at::Tensor steps = at::arange(capacity, at::kLong);
    const at::Tensor pair = steps.unsqueeze(1) - steps.unsqueeze(0) + (capacity - 1);
    cached_ = DistanceBuckets(capacity, bucket_size_).index({pair}).to(device);
  }
  return cached_.narrow(0, 0, n).narrow(1, 0, n);
}

at::Tensor GridBuckets(const at::Tensor& queries, const at::Tensor& keys, int64_t side) {
  const int64_t span = 2 * side - 1, rows = GridTableRows(side);
  const auto cell = [&](const at::Tensor& ids) {
    const at::Tensor index = (ids - 1).clamp_min_(0);
    return index.div(side, "floor") * span + index.remainder(side);
  };
  const at::Tensor no_query = queries.eq(0).unsqueeze(-1), no_key = keys.eq(0).unsqueeze(-2);
  at::Tensor bucket = cell(queries).unsqueeze(-1) - cell(keys).unsqueeze(-2);
  bucket.add_((side - 1) * span + side - 1);
  bucket.masked_fill_(no_query, rows - 3).masked_fill_(no_key, rows - 2);
  return bucket.masked_fill_(no_query.logical_and(no_key), rows - 1);
}

at::Tensor CodePositionIds(int64_t n, int64_t window, int64_t side, at::Device device) {
  const int64_t beyond = std::min(kBeyondWindowId, side * side);
  at::Tensor ids = at::full({n}, beyond, at::kLong);
  int64_t* values = ids.data_ptr<int64_t>();
  for (int64_t step = 0; step < std::min(n, window * window + 1); ++step) {
    const int64_t cell = step - 1;
    values[step] = step == 0 ? 0 : cell / window * side + cell % window + 1;
  }
  return ids.to(device);
}

at::Tensor GatherBias(const at::Tensor& table, const at::Tensor& index) {
  const int64_t heads = table.size(1);
  const at::Tensor flat = index.reshape({1, -1}).expand({heads, -1});
  return at::gather(table.t(), 1, flat)
      .view({heads, index.size(0), index.size(1), index.size(2)})
      .transpose(0, 1);
}

}  // namespace layers
}  // namespace unival
