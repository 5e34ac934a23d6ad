#include "sdk/native/media.h"

#include <utility>

#include "sdk/base/status_kind.h"

namespace unival {
namespace {

constexpr StatusKind kMediaError("unival/media_error");

}  // namespace

absl::Status MediaError(absl::Status status) { return kMediaError.Mark(std::move(status)); }

bool IsMediaError(const absl::Status& status) { return kMediaError.IsOf(status); }

}  // namespace unival
