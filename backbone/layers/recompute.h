// unival: recompute.h
//
// Activation checkpointing (Chen et al., 2016, arXiv 1604.06174): of a layer backward keeps the
// inputs alone, and computes the layer again when it needs what lies between. Memory falls from all
// layers' activations to their inputs and the activations of one, for one more forward pass.
//
//   const LayerCall call = [=](const std::vector<at::Tensor>& in) {
//     return layer->forward(in[0], {in[1], keys});
//   };
//   x = Recomputed(call, {x, bias});
//
// Outputs and gradients are those of `call(inputs)` to the bit: the second time as the first one
// random numbers are drawn from the same state of the default generators, and autocast is set as it
// was. Parameters that `call` reads need no mention. Where a graph holds a layer twice (R-Drop) and
// the layer uses a parameter twice or casts it, gradients of both are added in another order.
#ifndef UNIVAL_BACKBONE_LAYERS_RECOMPUTE_H_
#define UNIVAL_BACKBONE_LAYERS_RECOMPUTE_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace unival {
namespace layers {

// Gives the same whenever it is called with the same; what it holds stays alive until backward.
using LayerCall = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

// `inputs` are defined tensors; `call` changes none of them. Where no gradient is recorded this is
// `call(inputs)`.
//
// `shared`, where it is not null, is one more input, the last, that many layers read: the states of
// the encoder. It is replaced by itself as behind this layer, for the next layer to read, so that
// its gradients are added one after the other in the order in which they are without checkpoints.
// Thread-compatible; errors: c10::Error.
at::Tensor Recomputed(const LayerCall& call, std::vector<at::Tensor> inputs,
                      at::Tensor* shared = nullptr);

}  // namespace layers
}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_RECOMPUTE_H_
