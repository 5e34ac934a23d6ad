// unival: fused_attention.h
//
// Attention on a CPU in float32 as one differentiable operation: heads are read and written in
// place, so nothing is transposed or copied, and the bias may be shared by the batch. Bit-identical
// for any number of threads.
//
//   if (CanFuseAttention(queries)) {
//     return FusedAttention(queries, keys, values, bias, mask, head_scale, heads, scale);
//   }
//
// Shapes: B batch, T queries, S keys, H heads, D = H * head width, P 1 or B.
#ifndef UNIVAL_BACKBONE_LAYERS_FUSED_ATTENTION_H_
#define UNIVAL_BACKBONE_LAYERS_FUSED_ATTENTION_H_

#include <ATen/core/Tensor.h>

namespace unival {
namespace layers {

// Whether `x` is a float32 tensor on a CPU and a BLAS is loaded.
bool CanFuseAttention(const at::Tensor& x);

// softmax(scale * q k^T + bias + mask) v per head, times head_scale -> [B, T, D].
// `queries` [B, T, D], `keys` and `values` [B, S, D], `bias` [P, H, T, S], `mask` [B, S] added to
// the logits or undefined, `head_scale` [H] or undefined.
at::Tensor FusedAttention(const at::Tensor& queries, const at::Tensor& keys,
                          const at::Tensor& values, const at::Tensor& bias, const at::Tensor& mask,
                          const at::Tensor& head_scale, int64_t heads, double scale);

}  // namespace layers
}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_FUSED_ATTENTION_H_
