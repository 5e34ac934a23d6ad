#include "sdk/base/json_depth.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace unival {

absl::Status CheckJsonDepth(absl::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (in_text) {
      if (c == '\\') ++at;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth <= kMaxJsonDepth) continue;
      return absl::InvalidArgumentError(absl::StrCat("byte ", at, ": more than ", kMaxJsonDepth,
                                                     " lists and objects stand in each other"));
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return absl::OkStatus();
}

}  // namespace unival
