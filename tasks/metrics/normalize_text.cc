#include "tasks/metrics/normalize_text.h"

#include "absl/strings/ascii.h"

namespace unival {

std::string NormalizeText(absl::string_view text, bool drop_punctuation) {
  std::string kept;
  for (const char c : text) {
    if (drop_punctuation && absl::ascii_ispunct(static_cast<unsigned char>(c))) continue;
    kept += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  absl::RemoveExtraAsciiWhitespace(&kept);
  return kept;
}

}  // namespace unival
