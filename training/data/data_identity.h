// unival: data_identity.h - what data is, so that a run that goes on can tell whether it has the
// same.
#ifndef UNIVAL_TRAINING_DATA_DATA_IDENTITY_H_
#define UNIVAL_TRAINING_DATA_DATA_IDENTITY_H_

#include <cstdint>
#include <string>

#include "absl/types/optional.h"

namespace unival {

// Both are hashes (32 hexadecimal digits, perhaps with words behind them) that differ where the
// data differs, and are the same for a copy of it.
struct DataIdentity {
  // Over every byte that records are made of: lines, and all members of tars. Nothing where
  // somebody would have to read these for it.
  absl::optional<std::string> content;
  // The same, but of tars larger than kWholeTar over names, sizes and pieces of the content.
  std::string sampled;
};

constexpr int64_t kWholeTar = int64_t{64} << 20;  // bytes

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_DATA_IDENTITY_H_
