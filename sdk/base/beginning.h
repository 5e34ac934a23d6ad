// unival: beginning.h - the beginning of a text of any length, for a line of a table.
//
//   BeginningOf("a cat sat on the mat", 5);  // "a cat..."
#ifndef UNIVAL_SDK_BASE_BEGINNING_H_
#define UNIVAL_SDK_BASE_BEGINNING_H_

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace unival {

// `text`, or at most `most` bytes of it, cut between two characters of UTF-8, and "...".
inline std::string BeginningOf(absl::string_view text, size_t most = 60) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (text[most] & 0xc0) == 0x80) --most;
  return absl::StrCat(text.substr(0, most), "...");
}

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_BEGINNING_H_
