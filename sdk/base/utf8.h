// unival: utf8.h - checks whether bytes are UTF-8 text.
//
//   UNIVAL_RETURN_IF_ERROR(Annotate(CheckUtf8(text), file, ":", line));
#ifndef UNIVAL_SDK_BASE_UTF8_H_
#define UNIVAL_SDK_BASE_UTF8_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sdk/base/status_kind.h"

namespace unival {

constexpr StatusKind kNotUtf8("unival/not_utf8");

// Offset of the first byte that is not UTF-8; npos when all of `text` is UTF-8.
size_t FirstNotUtf8(absl::string_view text);

// InvalidArgument of kind kNotUtf8 when `text` is not UTF-8; the message names the first bad byte.
absl::Status CheckUtf8(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_UTF8_H_
