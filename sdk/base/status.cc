#include "sdk/base/status.h"

#include "absl/strings/cord.h"

namespace unival {

absl::Status WithMessage(const absl::Status& status, absl::string_view message) {
  absl::Status other(status.code(), message);
  status.ForEachPayload([&other](absl::string_view url, const absl::Cord& payload) {
    other.SetPayload(url, payload);
  });
  return other;
}

absl::Status FieldError(absl::string_view field, absl::string_view expected,
                        const absl::AlphaNum& actual, absl::string_view remedy) {
  return InvalidArgument(field, ": expected ", expected, ", got ", actual,
                         remedy.empty() ? "" : "; ", remedy);
}

}  // namespace unival
