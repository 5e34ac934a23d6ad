#include "sdk/base/json_parse.h"

#include "absl/strings/str_cat.h"
#include "sdk/base/utf8.h"

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

std::string JsonReason(absl::string_view what) {
  const size_t bracket = what.find("] ");
  return std::string(bracket == absl::string_view::npos ? what : what.substr(bracket + 2));
}

absl::Status JsonFault(absl::string_view text, size_t byte, absl::string_view what) {
  const bool is_text = FirstNotUtf8(text) >= byte;
  return (is_text ? kNotJson : kNotUtf8).Mark(absl::InvalidArgumentError(JsonReason(what)));
}

}  // namespace unival
