// unival: status_kind.h - what kind of thing went wrong, where a status code alone cannot say:
// codes are shared by all layers, and any of them may give InvalidArgument.
//
//   constexpr StatusKind kMediaError("unival/media_error");
//   return kMediaError.Mark(absl::InvalidArgumentError("clip.wav: holds no samples"));
//   if (kMediaError.IsOf(status)) ...
//
// The kind travels as a payload of the status: annotate with functions that keep payloads.
#ifndef UNIVAL_SDK_BASE_STATUS_KIND_H_
#define UNIVAL_SDK_BASE_STATUS_KIND_H_

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace unival {

class StatusKind {
 public:
  // `name` is "unival/" and a name in lower_snake, and outlives this.
  explicit constexpr StatusKind(absl::string_view name) : name_(name) {}

  // The same code and message, of this kind; OK stays OK. A status may be of several kinds.
  absl::Status Mark(absl::Status status) const {
    status.SetPayload(name_, absl::Cord());
    return status;
  }
  bool IsOf(const absl::Status& status) const { return status.GetPayload(name_).has_value(); }

 private:
  absl::string_view name_;
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_STATUS_KIND_H_
