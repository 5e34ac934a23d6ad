// unival: basic.h
//
// The smallest trainable parts, with exactly the parameters that a state_dict of the reference has.
// They initialise themselves from libtorch's default generator.
//
//   auto linear = register_module("fc1", std::make_shared<layers::Linear>(768, 3072));
//   at::Tensor y = linear->forward(x);
//
// Thread-compatible. Shape errors throw c10::Error.
#ifndef UNIVAL_BACKBONE_LAYERS_BASIC_H_
#define UNIVAL_BACKBONE_LAYERS_BASIC_H_

#include <torch/nn/module.h>

#include <cstdint>

#include "backbone/layers/branches.h"

namespace unival {
namespace layers {

constexpr double kEmbeddingInitStd = 0.02;
// The id of <pad> in every vocabulary; its embedding stays zero.
constexpr int64_t kPadToken = 1;

// y = x weight^T + bias, and what adapters attach; weight [out, in] Xavier-uniform times `gain`,
// bias [out] zero.
class Linear : public torch::nn::Module, public Branched {
 public:
  Linear(int64_t in, int64_t out, double gain = 1.0);
  at::Tensor forward(const at::Tensor& x) const;
  // The same; inference in 8 bits may use them here (packed_weights.h, Tolerance).
  at::Tensor ForwardInEightBits(const at::Tensor& x) const;
  const at::Tensor& weight() const { return weight_; }

 private:
  at::Tensor weight_, bias_;
};

// Normalises the last dimension, eps 1e-5, and what adapters attach; weight ones, bias zeros.
class LayerNorm : public torch::nn::Module, public Branched {
 public:
  explicit LayerNorm(int64_t size);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_;
};

// weight [rows, width], normal with `std`; std 0 makes a table of zeros. Row `padding_row` (if >=
// 0) starts at zero and gets no gradient from look-ups.
class Embedding : public torch::nn::Module {
 public:
  Embedding(int64_t rows, int64_t width, double std = kEmbeddingInitStd, int64_t padding_row = -1);
  at::Tensor forward(const at::Tensor& ids) const;
  const at::Tensor& weight() const { return weight_; }

 private:
  at::Tensor weight_;
  int64_t padding_row_;
};

// `norm` applied, or `x` itself where the configuration has no such norm.
at::Tensor ApplyIf(const std::shared_ptr<LayerNorm>& norm, const at::Tensor& x);

// Identity when `rate` is 0 or not `training`.
at::Tensor Dropout(const at::Tensor& x, double rate, bool training);

// Rates at which a branch is dropped in training before it is added to the residual: `dropout` for
// single values, `path` for whole rows of [B, ...] (stochastic depth). What is kept is scaled up.
struct DropRates {
  double dropout = 0;
  double path = 0;
};
// residual + branch, after dropping where `training`.
at::Tensor AddDropped(const at::Tensor& residual, const at::Tensor& branch, const DropRates& rates,
                      bool training);

}  // namespace layers
}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_BASIC_H_
