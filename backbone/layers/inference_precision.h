// unival: inference_precision.h
//
// The number format in which inference multiplies by weights. Training, and everything else that
// records gradients, multiplies by the weights as they are, whatever is chosen here.
//
//   absl::optional<InferencePrecision> precision = ParseInferencePrecision("int8");
#ifndef UNIVAL_BACKBONE_LAYERS_INFERENCE_PRECISION_H_
#define UNIVAL_BACKBONE_LAYERS_INFERENCE_PRECISION_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace unival {

enum class InferencePrecision {
  kFloat32,
  // Weights and activations rounded to bfloat16, sums in float32.
  kBFloat16,
  // Weights to 8 bits with one scale per output channel, activations to 8 bits with a scale and a
  // zero point per row, found when they are multiplied; sums in int32.
  kInt8,
};

inline const std::vector<std::string>& InferencePrecisionNames() {
  static const auto* const kNames = new std::vector<std::string>{"float32", "bfloat16", "int8"};
  return *kNames;
}

// "float32", "bfloat16", "int8"; nothing for other names.
inline absl::optional<InferencePrecision> ParseInferencePrecision(absl::string_view name) {
  for (size_t i = 0; i < InferencePrecisionNames().size(); ++i) {
    if (InferencePrecisionNames()[i] == name) return static_cast<InferencePrecision>(i);
  }
  return absl::nullopt;
}

inline const std::string& InferencePrecisionName(InferencePrecision precision) {
  return InferencePrecisionNames()[static_cast<size_t>(precision)];
}

}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_INFERENCE_PRECISION_H_
