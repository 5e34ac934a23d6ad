// unival: reference_averaging.h
//
// Averages of the weights of models that were finetuned from one ancestor, entry by entry, with the
// reference's rules (preprocess/average_save_models.py).
//
//   UNIVAL_ASSIGN_OR_RETURN(TensorMap merged, InterpolateTensors(captioning, vqa, 0.8));
//   UNIVAL_ASSIGN_OR_RETURN(merged, SumTensors({{&a, 0.5}, {&b, 0.3}, {&c, 0.2}}));
//
// The arithmetic is that of `unival merge` (backbone/merging); what is here alone is what the
// reference does with entries that one model lacks, and with integers. Entries and their order are
// the first model's. Integers become float32; float16 stays, with every
// product and sum rounded. Thread-safe.
#ifndef UNIVAL_UPSTREAM_PARITY_REFERENCE_AVERAGING_H_
#define UNIVAL_UPSTREAM_PARITY_REFERENCE_AVERAGING_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/storage/safetensors.h"

namespace unival {

// weight * first + (1 - weight) * second. Where the second lacks an entry, or has it in another
// shape, the first's entry stands for both. Internal: an error of libtorch.
absl::StatusOr<TensorMap> InterpolateTensors(const TensorMap& first, const TensorMap& second,
                                             double weight);

struct WeightedTensors {
  const TensorMap* tensors;
  double weight;
};

// The weighted sum, added term by term. Where a later term lacks an entry, has it in another shape,
// or is told to leave it out (`skip`: parts of names), `weight` times the sum so far is added in
// its place, as the reference does. The weights of such an entry then add up to another total than
// those of other entries. InvalidArgument when there are no terms.
absl::StatusOr<TensorMap> SumTensors(const std::vector<WeightedTensors>& terms,
                                     const std::vector<std::string>& skip = {});

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_REFERENCE_AVERAGING_H_
