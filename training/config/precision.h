// unival: precision.h - the number formats that a stage of a plan may compute in.
#ifndef UNIVAL_TRAINING_CONFIG_PRECISION_H_
#define UNIVAL_TRAINING_CONFIG_PRECISION_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace unival {

enum class Precision {
  kFloat32,
  kBfloat16,  // products of the forward pass; weights, gradients and loss stay float32
};

// Reads the word of a plan, such as "bfloat16". Another text gives none.
absl::optional<Precision> ParsePrecision(absl::string_view text);

// What ParsePrecision understands, the default first.
std::vector<std::string> PrecisionNames();

}  // namespace unival

#endif  // UNIVAL_TRAINING_CONFIG_PRECISION_H_
