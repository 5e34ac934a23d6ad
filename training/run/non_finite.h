// unival: non_finite.h - the error of a loss or gradient that is infinite or not a number.
#ifndef UNIVAL_TRAINING_RUN_NON_FINITE_H_
#define UNIVAL_TRAINING_RUN_NON_FINITE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sdk/base/status_kind.h"

namespace unival {

constexpr StatusKind kNonFinite("unival/non_finite");

// OutOfRange, of a kind of its own: other layers give OutOfRange for other reasons.
inline absl::Status NonFiniteError(absl::string_view message) {
  return kNonFinite.Mark(absl::OutOfRangeError(message));
}

inline bool IsNonFinite(const absl::Status& status) { return kNonFinite.IsOf(status); }

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_NON_FINITE_H_
