// unival: averaging.h
//
// Averages of the weights of models that were finetuned from one ancestor, entry by entry, with the
// reference's rules (preprocess/average_save_models.py).
//
//   UNIVAL_ASSIGN_OR_RETURN(TensorMap merged, InterpolateTensors(captioning, vqa, 0.8));
//   UNIVAL_ASSIGN_OR_RETURN(merged, SumTensors({{&a, 0.5}, {&b, 0.3}, {&c, 0.2}}));
//
// Entries and their order are the first model's. Integers become float32; float16 stays, with every
// product and sum rounded. Thread-safe.
#ifndef UNIVAL_BACKBONE_STORAGE_AVERAGING_H_
#define UNIVAL_BACKBONE_STORAGE_AVERAGING_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/storage/safetensors.h"

namespace unival {

// weight * first + (1 - weight) * second. An entry that the second lacks, or has in another shape,
// is taken from the first in its place. Internal: what libtorch says.
absl::StatusOr<TensorMap> InterpolateTensors(const TensorMap& first, const TensorMap& second,
                                             double weight);

struct WeightedTensors {
  const TensorMap* tensors;
  double weight;
};

// The weighted sum, term after term. A later term that lacks an entry, has it in another shape, or
// must leave it out (`skip`: parts of names) counts as `weight` times the sum so far; so the
// weights of such an entry do not add up to those of the others. InvalidArgument without a term.
absl::StatusOr<TensorMap> SumTensors(const std::vector<WeightedTensors>& terms,
                                     const std::vector<std::string>& skip = {});

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_AVERAGING_H_
