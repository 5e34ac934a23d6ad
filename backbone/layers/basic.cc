#include "backbone/layers/basic.h"

#include <ATen/ATen.h>

#include <cmath>

namespace unival {
namespace layers {
namespace {

constexpr double kLayerNormEps = 1e-5;

at::Tensor XavierUniform(int64_t out, int64_t in, double gain) {
  const double bound = gain * std::sqrt(6.0 / static_cast<double>(in + out));
  return at::empty({out, in}).uniform_(-bound, bound);
}

at::Tensor EmbeddingTable(int64_t rows, int64_t width, double std, int64_t padding_row) {
  at::Tensor table = at::zeros({rows, width});
  if (std > 0) table.normal_(0, std);
  if (padding_row >= 0) table[padding_row].zero_();
  return table;
}

}  // namespace

Linear::Linear(int64_t in, int64_t out, double gain)
    : weight_(register_parameter("weight", XavierUniform(out, in, gain))),
      bias_(register_parameter("bias", at::zeros({out}))) {}

at::Tensor Linear::forward(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }

LayerNorm::LayerNorm(int64_t size)
    : weight_(register_parameter("weight", at::ones({size}))),
      bias_(register_parameter("bias", at::zeros({size}))) {}

// Under autocast `x` may be narrower than the weights; statistics are then taken in their type.
at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x.to(weight_.scalar_type()), weight_.sizes(), weight_, bias_, kLayerNormEps);
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
  return training && rate > 0 ? at::dropout(x, rate, /*train=*/true) : x;
}

at::Tensor DropPath(const at::Tensor& x, double rate, bool training) {
  if (!training || rate <= 0) return x;
  std::vector<int64_t> shape(x.dim(), 1);
  shape[0] = x.size(0);
  const double keep = 1.0 - rate;
  return x * at::empty(shape, x.options()).bernoulli_(keep).div_(keep);
}

}  // namespace layers
}  // namespace unival
