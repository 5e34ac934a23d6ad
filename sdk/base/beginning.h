// unival: beginning.h - shortens a text so that it fits in a line of a table.
//
//   BeginningOf("a cat sat on the mat", 5);  // "a cat..."
#ifndef UNIVAL_SDK_BASE_BEGINNING_H_
#define UNIVAL_SDK_BASE_BEGINNING_H_

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace unival {

// `text` itself when it has at most `most` bytes. Otherwise its first bytes, at most `most`, and
// "...". A UTF-8 character is never cut in two.
inline std::string BeginningOf(absl::string_view text, size_t most = 60) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (text[most] & 0xc0) == 0x80) --most;
  return absl::StrCat(text.substr(0, most), "...");
}

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_BEGINNING_H_
