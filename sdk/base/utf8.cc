#include "sdk/base/utf8.h"

#include "sdk/base/printable.h"
#include "sdk/base/status.h"

namespace unival {

size_t FirstNotUtf8(absl::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (static_cast<signed char>(text[at]) >= 0) {  // ASCII, the most frequent case
      ++at;
      continue;
    }
    const size_t length = Utf8Length(text.substr(at, 4));
    if (length == 0) return at;
    at += length;
  }
  return absl::string_view::npos;
}

absl::Status CheckUtf8(absl::string_view text) {
  const size_t at = FirstNotUtf8(text);
  if (at == absl::string_view::npos) return absl::OkStatus();
  return kNotUtf8.Mark(InvalidArgument("byte ", at + 1, " of the text is no UTF-8: \"",
                                       ShownName(text.substr(at < 20 ? 0 : at - 20, 40)), "\""));
}

}  // namespace unival
