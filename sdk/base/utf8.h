// unival: utf8.h - whether bytes from elsewhere are text.
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

// Where the first bytes stand that are no UTF-8; npos: all of `text` is UTF-8.
size_t FirstNotUtf8(absl::string_view text);

// InvalidArgument of kind kNotUtf8 names the first byte of a text that is no UTF-8.
absl::Status CheckUtf8(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_UTF8_H_
