#include "runtime/torch_file/pickle_lines.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

void AppendUtf8(uint32_t character, std::string* text) {
  const auto tail = [&](int shift) {
    text->push_back(static_cast<char>(0x80 | ((character >> shift) & 0x3f)));
  };
  if (character < 0x80) {
    text->push_back(static_cast<char>(character));
  } else if (character < 0x800) {
    text->push_back(static_cast<char>(0xc0 | character >> 6));
    tail(0);
  } else if (character < 0x10000) {
    text->push_back(static_cast<char>(0xe0 | character >> 12));
    tail(6);
    tail(0);
  } else {
    text->push_back(static_cast<char>(0xf0 | character >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace

absl::StatusOr<std::string> TextOfQuoted(absl::string_view line) {
  const bool is_quoted = line.size() >= 2 && (line.front() == '\'' || line.front() == '"') &&
                         line.back() == line.front();
  if (!is_quoted) return absl::InvalidArgumentError("a text without its quotes");
  std::string text;
  // C's escapes, which are Python's and more.
  if (!absl::CUnescape(line.substr(1, line.size() - 2), &text)) {
    return absl::InvalidArgumentError("a text with an escape that is none");
  }
  return text;
}

absl::StatusOr<std::string> TextOfRawUnicode(absl::string_view line) {
  constexpr uint32_t kHighest = 0x10ffff;
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) {
    const char next = i + 1 < line.size() ? line[i + 1] : '\0';
    const size_t digits = line[i] != '\\' ? 0 : next == 'u' ? 4 : next == 'U' ? 8 : 0;
    uint32_t character = static_cast<unsigned char>(line[i]);
    if (digits > 0) {
      const absl::string_view hex = line.substr(i + 2, digits);
      if (hex.size() != digits || !absl::SimpleHexAtoi(hex, &character) || character > kHighest) {
        return absl::InvalidArgumentError("a text with an escape that is none");
      }
      i += 1 + digits;
    }
    AppendUtf8(character, &text);
  }
  return text;
}

}  // namespace unival
