// unival: modalities/networks/layers.h - the few layers that all encoders are made of, for 2 and 3
// dimensions.
//
// Parameter names equal PyTorch's ("weight", "bias", "running_mean" ...).
#ifndef UNIVAL_MODALITIES_NETWORKS_LAYERS_H_
#define UNIVAL_MODALITIES_NETWORKS_LAYERS_H_

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace unival {

// ReLU in place; only for a tensor that nothing else uses.
at::Tensor Relu(at::Tensor x);

struct ConvolutionShape {
  int64_t in = 0;
  int64_t out = 0;
  std::vector<int64_t> kernel;
  std::vector<int64_t> stride;
  int64_t groups = 1;
};

// Convolution without bias, padded by half the kernel. He-normal weights (fan out).
class Convolution : public torch::nn::Module {
 public:
  explicit Convolution(const ConvolutionShape& shape);
  at::Tensor forward(const at::Tensor& input) const;

 private:
  std::vector<int64_t> stride_, padding_;
  int64_t groups_;
  at::Tensor weight_;
};

// Batch normalisation over dimension 1 of [B, C, ...]: batch statistics in training, running ones
// (momentum 0.1) in evaluation; eps 1e-5.
class BatchNorm : public torch::nn::Module {
 public:
  explicit BatchNorm(int64_t channels);
  at::Tensor forward(const at::Tensor& input);

 private:
  at::Tensor weight_, bias_, running_mean_, running_var_, num_batches_tracked_;
};

// LayerNorm over dimension 1, the channels, of [B, C, ...]; eps 1e-5.
class ChannelLayerNorm : public torch::nn::Module {
 public:
  explicit ChannelLayerNorm(int64_t channels);
  at::Tensor forward(const at::Tensor& input) const;

 private:
  at::Tensor weight_, bias_;
};

class Linear : public torch::nn::Module {
 public:
  Linear(int64_t in, int64_t out);
  at::Tensor forward(const at::Tensor& input) const;

 private:
  at::Tensor weight_, bias_;
};

// Children named "0", "1", ... applied in order.
template <typename Block>
class Sequence : public torch::nn::Module {
 public:
  void Add(std::shared_ptr<Block> block) {
    blocks_.push_back(register_module(std::to_string(blocks_.size()), std::move(block)));
  }
  at::Tensor forward(at::Tensor x) {
    for (const std::shared_ptr<Block>& block : blocks_) x = block->forward(x);
    return x;
  }

 private:
  std::vector<std::shared_ptr<Block>> blocks_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_LAYERS_H_
