// unival: status_kind.h - marks a status with the kind of its error. A status code alone is not
// enough: all layers share the codes, and any layer may return InvalidArgument.
//
//   constexpr StatusKind kMediaError("unival/media_error");
//   return kMediaError.Mark(absl::InvalidArgumentError("clip.wav: holds no samples"));
//   if (kMediaError.IsOf(status)) ...
//
// The kind is a payload of the status. So add text to a status only with functions that keep
// payloads, such as Annotate.
#ifndef UNIVAL_SDK_BASE_STATUS_KIND_H_
#define UNIVAL_SDK_BASE_STATUS_KIND_H_

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace unival {

class StatusKind {
 public:
  // `name` is "unival/" followed by a lower_snake name. It must outlive this object.
  explicit constexpr StatusKind(absl::string_view name) : name_(name) {}

  // The status marked with this kind; code and message stay. OK stays OK. A status may have several
  // kinds.
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
