// unival: packed_weights.h
//
// The packed weights of one model for inference, made from its modules when they are first
// multiplied by, and the products that use them. The modules stay the one definition of the model:
// where packed weights are in use on a thread, its linear maps go through them.
//
//   PackedWeights packed(InferencePrecision::kInt8);
//   {
//     const PackedWeights::Use use(&packed);
//     const at::NoGradGuard no_grad;
//     encoded = backbone.Encode(input);
//   }
//
// Not used while gradients are recorded, under autocast, for weights that are not float32 on a CPU,
// and on processors without AVX2. A weight that has changed since is packed again.
// Thread-compatible; a `Use` belongs to its thread.
#ifndef UNIVAL_BACKBONE_LAYERS_PACKED_WEIGHTS_H_
#define UNIVAL_BACKBONE_LAYERS_PACKED_WEIGHTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "backbone/layers/inference_precision.h"

namespace unival {
namespace layers {

class PackedLinear;

// How few bits a product may be computed in before the tokens that search finds change, as
// measured. Eight bits: the maps of the feed-forward blocks (two thirds of a layer) and
// connections. Sixteen bits: all others (attention, positions, vocabulary), which int8 multiplies
// as bfloat16 does.
enum class Tolerance { kSixteenBits, kEightBits };

class PackedWeights {
 public:
  // In float32, a weight of fewer than `smallest` numbers is not packed: it stays in the
  // processor's caches, so packing gains nothing.
  explicit PackedWeights(InferencePrecision precision, int64_t smallest = 1 << 18);
  ~PackedWeights();
  PackedWeights(const PackedWeights&) = delete;
  PackedWeights& operator=(const PackedWeights&) = delete;

  // Makes packed weights those of this thread until it ends; null: none.
  class Use {
   public:
    explicit Use(PackedWeights* packed);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    PackedWeights* const before_;
  };

  // Frees all.
  void Clear();

  // The packed form of `weight` for products with `rows` rows; null where the module's own product
  // is to be used. Valid until the next call.
  const PackedLinear* Find(const at::Tensor& weight, int64_t rows, Tolerance tolerance);

 private:
  using Weak = c10::weak_intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>;
  struct Entry {
    // A weak reference: no other tensor can get the address, but the numbers are not kept alive.
    Weak weight;
    uint32_t version = 0;
    const void* data = nullptr;
    std::unique_ptr<PackedLinear> packed;
  };

  void DropFreed();

  const InferencePrecision precision_;
  const int64_t smallest_;
  std::map<std::pair<const void*, InferencePrecision>, Entry> entries_;
};

// x weight^T + bias, through the packed weights in use on this thread if there are any.
// x [..., in], weight [out, in], bias [out] or undefined -> [..., out].
at::Tensor LinearProduct(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         Tolerance tolerance = Tolerance::kSixteenBits);

}  // namespace layers
}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_PACKED_WEIGHTS_H_
