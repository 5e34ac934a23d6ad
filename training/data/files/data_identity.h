// unival: data_identity.h - what identifies data, so that a resumed run can tell whether its data
// is still the same.
#ifndef UNIVAL_TRAINING_DATA_FILES_DATA_IDENTITY_H_
#define UNIVAL_TRAINING_DATA_FILES_DATA_IDENTITY_H_

#include <cstdint>
#include <string>

#include "absl/types/optional.h"

namespace unival {

// Two hashes (32 hexadecimal digits, perhaps followed by words). They differ where the data
// differs, and are equal for a copy of the data.
struct DataIdentity {
  // Over every byte that records are made of: lines, and all members of tars. Absent where these
  // bytes would have to be read for this hash alone.
  absl::optional<std::string> content;
  // This hash covers the same, except that of a tar larger than kWholeTar it covers only the names
  // and sizes of the members and pieces of their content.
  std::string sampled;
};

constexpr int64_t kWholeTar = int64_t{64} << 20;  // bytes

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FILES_DATA_IDENTITY_H_
