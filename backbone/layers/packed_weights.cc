#include "backbone/layers/packed_weights.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>

#include <iterator>

#include "backbone/layers/packed_linear.h"
#include "sdk/base/mapped_file.h"

namespace unival {
namespace layers {
namespace {

thread_local PackedWeights* packed_in_use = nullptr;

bool IsPlainFloat(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.layout() == at::kStrided;
}

// Whether this product may use packed weights in place of the module's own product.
bool MayBePacked(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return !at::GradMode::is_enabled() && !at::autocast::is_cpu_enabled() && IsPlainFloat(x) &&
         IsPlainFloat(weight) && weight.dim() == 2 && x.dim() > 0 && x.numel() > 0 &&
         x.size(-1) == weight.size(1) &&
         (!bias.defined() || (IsPlainFloat(bias) && bias.is_contiguous()));
}

// A tensor made in inference mode has no version counter, and cannot be changed outside that mode.
uint32_t VersionOf(const at::Tensor& weight) {
  return weight.is_inference() ? 0 : static_cast<uint32_t>(weight._version());
}

}  // namespace

PackedWeights::PackedWeights(InferencePrecision precision, int64_t smallest)
    : precision_(precision), smallest_(smallest) {}

PackedWeights::~PackedWeights() = default;

PackedWeights::Use::Use(PackedWeights* packed) : before_(packed_in_use) { packed_in_use = packed; }

PackedWeights::Use::~Use() { packed_in_use = before_; }

void PackedWeights::Clear() { entries_.clear(); }

// Drops the entries of weights that are gone.
void PackedWeights::DropFreed() {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry = entry->second.weight.expired() ? entries_.erase(entry) : std::next(entry);
  }
}

const PackedLinear* PackedWeights::Find(const at::Tensor& weight, int64_t rows,
                                        Tolerance tolerance) {
  const bool is_sensitive =
      precision_ == InferencePrecision::kInt8 && tolerance == Tolerance::kSixteenBits;
  const InferencePrecision wanted = is_sensitive ? InferencePrecision::kBFloat16 : precision_;
  if (precision_ == InferencePrecision::kFloat32 && weight.numel() < smallest_) return nullptr;
  const std::pair<const void*, InferencePrecision> key{weight.unsafeGetTensorImpl(),
                                                       FastPrecision(wanted, rows)};
  const auto found = entries_.find(key);
  if (found != entries_.end()) {
    const Entry& entry = found->second;
    if (entry.data == weight.data_ptr() && entry.version == VersionOf(weight))
      return entry.packed.get();
    entries_.erase(found);  // first, so that both are never there at once
  }
  DropFreed();
  Entry entry{Weak(weight.getIntrusivePtr()), VersionOf(weight), weight.data_ptr(),
              PackedLinear::Pack(weight, key.second)};
  if (entry.packed != nullptr && weight.is_contiguous()) {
    MappedFile::ReleaseUnwritten(weight.data_ptr(), weight.nbytes());
  }
  return entries_.emplace(key, std::move(entry)).first->second.packed.get();
}

at::Tensor LinearProduct(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         Tolerance tolerance) {
  if (packed_in_use != nullptr && MayBePacked(x, weight, bias)) {
    const PackedLinear* packed = packed_in_use->Find(weight, x.numel() / x.size(-1), tolerance);
    if (packed != nullptr) return packed->Multiply(x, bias);
  }
  return at::linear(x, weight, bias);
}

}  // namespace layers
}  // namespace unival
