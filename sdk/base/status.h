// unival: status.h - makes error messages and adds where an error came from, in one form for all
// layers.
//
//   return FieldError("plan.textproto: stage[0].steps", "1 or more", steps, "correct the value");
//   UNIVAL_ASSIGN_OR_RETURN(Record record, Annotate(ParseRecord(text), path, ":", line));
#ifndef UNIVAL_SDK_BASE_STATUS_H_
#define UNIVAL_SDK_BASE_STATUS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace unival {

// `status` with another message. Its code and all payloads stay. `status` must not be OK.
absl::Status WithMessage(const absl::Status& status, absl::string_view message);

// Puts WHERE, the concatenation of `where`, before the message: "WHERE: MESSAGE". Code and payloads
// stay; OK stays OK. The text is only made when there is an error, so success costs nothing.
template <typename... Where>
absl::Status Annotate(const absl::Status& status, const Where&... where) {
  if (status.ok()) return status;
  return WithMessage(status, absl::StrCat(where..., ": ", status.message()));
}

// The same for a StatusOr: a value is returned unchanged.
template <typename Value, typename... Where>
absl::StatusOr<Value> Annotate(absl::StatusOr<Value> result, const Where&... where) {
  if (result.ok()) return result;
  return Annotate(result.status(), where...);
}

// InvalidArgument with the concatenation of `parts`, as absl::StrCat makes it.
template <typename... Parts>
absl::Status InvalidArgument(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

// InvalidArgument "FIELD: expected EXPECTED, got ACTUAL; REMEDY" for a value that a user wrote.
// `field` begins with the file name if the value is in a file. An empty remedy is left out.
absl::Status FieldError(absl::string_view field, absl::string_view expected,
                        const absl::AlphaNum& actual, absl::string_view remedy = "");

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_STATUS_H_
