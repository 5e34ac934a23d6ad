// unival: packed_linear.h
//
// One weight matrix in the layout that the machine's fastest product reads, made once instead of at
// every product. The products are oneDNN's.
//
//   auto packed = PackedLinear::Pack(weight, InferencePrecision::kInt8);
//   if (packed != nullptr) y = packed->Multiply(x, bias);
//
// Threads: concurrent Multiply is fine.
#ifndef UNIVAL_BACKBONE_LAYERS_PACKED_LINEAR_H_
#define UNIVAL_BACKBONE_LAYERS_PACKED_LINEAR_H_

#include <ATen/core/Tensor.h>

#include <memory>

#include "backbone/layers/inference_precision.h"

namespace unival {
namespace layers {

// The number format in which this processor multiplies `rows` rows when `wanted` is asked for:
// float32 where bfloat16 would be slower (without AVX-512 BF16; without AMX also from a few rows
// on). float32 is at least as accurate, so the choice costs nothing.
InferencePrecision FastPrecision(InferencePrecision wanted, int64_t rows);

class PackedLinear {
 public:
  // `weight` [out, in] float32 on a CPU; copied. Null where there is no such product: without AVX2,
  // or with another major version of oneDNN in the process than this was compiled for.
  static std::unique_ptr<PackedLinear> Pack(const at::Tensor& weight, InferencePrecision precision);
  virtual ~PackedLinear() = default;

  // x [..., in] float32 -> x weight^T + bias, [..., out] float32. `bias` [out] float32 or
  // undefined.
  // Sums of one row are the same for any number of threads. Throws c10::Error or dnnl::error.
  virtual at::Tensor Multiply(const at::Tensor& x, const at::Tensor& bias) const = 0;
};

}  // namespace layers
}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_PACKED_LINEAR_H_
