#include "sdk/base/printable.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace unival {
namespace {

uint32_t CodePoint(absl::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0);
  uint32_t code = byte(0) & (0xffu >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) code = code << 6 | (byte(i) & 0x3fu);
  return code;
}

bool IsHarmless(uint32_t code) {
  if (code == '\n' || code == '\t') return true;
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false;
  const bool turns = code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
                     (code >= 0x2066 && code <= 0x2069);
  return !turns;
}

// Escapes a non-ASCII character in the form \u202e. This is also the escape of JSON, so an answer
// in JSON stays valid and keeps its meaning. JSON has no escape for bytes that are not UTF-8, and
// valid JSON does not contain such bytes.
void AppendEscaped(absl::string_view bytes, bool is_character, std::string* out) {
  if (is_character && CodePoint(bytes) >= 0x7f) {
    absl::StrAppend(out, "\\u", absl::Hex(CodePoint(bytes), absl::kZeroPad4));
    return;
  }
  for (const char c : bytes) {
    absl::StrAppend(out, "\\x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
  }
}

// The smallest code point for each length of a character, in bytes. A smaller code point must use a
// shorter form.
constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};

}  // namespace

size_t Utf8Length(absl::string_view text) {
  if (text.empty()) return 0;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  const uint32_t code = CodePoint(text.substr(0, length));
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < kLeast[length] || code > 0x10ffff || surrogate ? 0 : length;
}

std::string Printable(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const absl::string_view next = text.substr(0, length == 0 ? 1 : length);
    if (length > 0 && IsHarmless(CodePoint(next))) {
      out.append(next.data(), next.size());
    } else {
      AppendEscaped(next, length > 0, &out);
    }
    text.remove_prefix(next.size());
  }
  return out;
}

std::string PrintableLine(absl::string_view text) {
  return absl::StrReplaceAll(Printable(text), {{"\n", "\\n"}, {"\t", "\\t"}});
}

std::string PrintableMessage(absl::string_view text) {
  if (text.size() <= kMaxMessage) return Printable(text);
  constexpr size_t kHead = kMaxMessage * 3 / 4, kTail = kMaxMessage / 4;
  return absl::StrCat(Printable(text.substr(0, kHead)), " [... ", text.size() - kHead - kTail,
                      " bytes left out ...] ", Printable(text.substr(text.size() - kTail)));
}

std::string ShownName(absl::string_view name) {
  constexpr size_t kShown = 200;
  return absl::CHexEscape(name.substr(0, kShown));
}

}  // namespace unival
