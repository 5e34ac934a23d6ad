// unival: half_storage.h - which tensors of a model become float16 where a plan says save_half.
#ifndef UNIVAL_RUNTIME_HALF_STORAGE_H_
#define UNIVAL_RUNTIME_HALF_STORAGE_H_

#include <ATen/core/Tensor.h>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace unival {

// Whether a tensor is stored as float16: all floating ones are, but the statistics of features.
// These have a sensor's own unit, so they may exceed 65504 or be too small for float16. `name`: the
// tensor's full name, or the name without the part's prefix.
inline bool BecomesHalf(absl::string_view name, const at::Tensor& tensor) {
  const bool is_statistic =
      absl::EndsWith(name, "feature_mean") || absl::EndsWith(name, "feature_std");
  return tensor.is_floating_point() && !is_statistic;
}

}  // namespace unival

#endif  // UNIVAL_RUNTIME_HALF_STORAGE_H_
