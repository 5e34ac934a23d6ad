#include "backbone/layers/basic.h"

#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <vector>

#include "backbone/layers/packed_weights.h"
#include "backbone/layers/row_kernels.h"
#include "sdk/base/fresh_weights.h"

namespace unival {
namespace layers {
namespace {

constexpr double kLayerNormEps = 1e-5;

at::Tensor XavierUniform(int64_t out, int64_t in, double gain) {
  const double bound = gain * std::sqrt(6.0 / static_cast<double>(in + out));
  at::Tensor weight = at::empty({out, in});
  return NeedsFreshWeights() ? weight.uniform_(-bound, bound) : weight;
}

at::Tensor EmbeddingTable(int64_t rows, int64_t width, double std, int64_t padding_row) {
  if (!NeedsFreshWeights()) return at::empty({rows, width});
  at::Tensor table = at::zeros({rows, width});
  if (std > 0) table.normal_(0, std);
  if (padding_row >= 0) table[padding_row].zero_();
  return table;
}

// A tensor like `x` of 0 with probability `rate`, else 1 / (1 - rate), from the default generator.
// On a CPU the generator gives one number, the key of a hash that runs at memory speed.
at::Tensor DropMask(const at::Tensor& x, double rate) {
  if (!x.is_cpu()) return at::empty(x.sizes(), x.options()).bernoulli_(1 - rate).div_(1 - rate);
  const at::Tensor key = at::empty({2}, at::kLong).random_(int64_t{1} << 32);
  const auto* halves = key.data_ptr<int64_t>();
  at::Tensor mask = at::empty(x.sizes(), x.options().dtype(at::kFloat));
  DropoutMask(mask.data_ptr<float>(), mask.numel(), /*first=*/0, static_cast<float>(rate),
              static_cast<uint64_t>(halves[0] << 32 | halves[1]));
  return mask.to(x.scalar_type());
}

}  // namespace

Linear::Linear(int64_t in, int64_t out, double gain)
    : weight_(register_parameter("weight", XavierUniform(out, in, gain))),
      bias_(register_parameter("bias", at::zeros({out}))) {}

at::Tensor Linear::forward(const at::Tensor& x) const {
  return branches_.Apply(x, LinearProduct(x, weight_, bias_));
}

at::Tensor Linear::ForwardInEightBits(const at::Tensor& x) const {
  return branches_.Apply(x, LinearProduct(x, weight_, bias_, Tolerance::kEightBits));
}

LayerNorm::LayerNorm(int64_t size)
    : weight_(register_parameter("weight", at::ones({size}))),
      bias_(register_parameter("bias", at::zeros({size}))) {}

// Under autocast `x` may be narrower than the weights; statistics are then taken in their type.
at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return branches_.Apply(x, at::layer_norm(x.to(weight_.scalar_type()), weight_.sizes(), weight_,
                                           bias_, kLayerNormEps));
}

Embedding::Embedding(int64_t rows, int64_t width, double std, int64_t padding_row)
    : weight_(register_parameter("weight", EmbeddingTable(rows, width, std, padding_row))),
      padding_row_(padding_row) {}

at::Tensor Embedding::forward(const at::Tensor& ids) const {
  return at::embedding(weight_, ids, padding_row_);
}

at::Tensor ApplyIf(const std::shared_ptr<LayerNorm>& norm, const at::Tensor& x) {
  return norm ? norm->forward(x) : x;
}

at::Tensor Dropout(const at::Tensor& x, double rate, bool training) {
  return training && rate > 0 ? x * DropMask(x, rate) : x;
}

at::Tensor AddDropped(const at::Tensor& residual, const at::Tensor& branch, const DropRates& rates,
                      bool training) {
  if (!training || (rates.dropout <= 0 && rates.path <= 0)) return residual + branch;
  at::Tensor mask;
  if (rates.path > 0) {
    std::vector<int64_t> shape(branch.dim(), 1);
    shape[0] = branch.size(0);
    mask = DropMask(at::empty(shape, branch.options()), rates.path);
  }
  if (rates.dropout > 0) {
    const at::Tensor values = DropMask(branch, rates.dropout);
    mask = mask.defined() ? values.mul_(mask) : values;
  }
  return at::addcmul(residual, branch, mask);
}

}  // namespace layers
}  // namespace unival
