// unival: status_macros.h - early returns for absl::Status and absl::StatusOr.
#ifndef UNIVAL_SDK_BASE_STATUS_MACROS_H_
#define UNIVAL_SDK_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"

#define UNIVAL_RETURN_IF_ERROR(expression)         \
  do {                                             \
    ::absl::Status unival_status = (expression);   \
    if (!unival_status.ok()) return unival_status; \
  } while (false)

#define UNIVAL_MACRO_CONCAT_INNER(a, b) a##b
#define UNIVAL_MACRO_CONCAT(a, b) UNIVAL_MACRO_CONCAT_INNER(a, b)

// UNIVAL_ASSIGN_OR_RETURN(auto value, MakeValue());
#define UNIVAL_ASSIGN_OR_RETURN(lhs, expression) \
  UNIVAL_ASSIGN_OR_RETURN_IMPL(UNIVAL_MACRO_CONCAT(unival_or_, __LINE__), lhs, expression)
#define UNIVAL_ASSIGN_OR_RETURN_IMPL(holder, lhs, expression) \
  auto holder = (expression);                                 \
  if (!holder.ok()) return holder.status();                   \
  lhs = *std::move(holder)

#endif  // UNIVAL_SDK_BASE_STATUS_MACROS_H_
