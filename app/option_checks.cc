#include "app/option_checks.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace unival {
namespace {

// Whether `text` is an optional sign followed by digits, with no blanks around them. `more`:
// further characters that may stand among the digits.
bool IsDecimal(absl::string_view text, absl::string_view more) {
  if (!absl::ConsumePrefix(&text, "-")) absl::ConsumePrefix(&text, "+");
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char letter) {
    return absl::ascii_isdigit(letter) || absl::StrContains(more, letter);
  });
}

}  // namespace

// CLI11 does not refuse a number that the type cannot hold: it takes the nearest one, and 2^64 - 1
// for "-1" where the type is unsigned. A seed would then silently be another, so numbers are parsed
// here.
template <typename T>
std::string WhyNoInteger(std::string& text) {
  if (!IsDecimal(text, "")) {
    return absl::StrCat("Value \"", text, "\": expected a whole number");
  }
  const size_t first = absl::ascii_isdigit(text[0]) ? 0 : 1;
  text.erase(first, std::min(text.find_first_not_of('0', first), text.size() - 1) - first);
  T value = 0;
  if (absl::SimpleAtoi(text, &value)) return "";
  return absl::StrCat("Value ", text, ": expected a whole number from ",
                      std::numeric_limits<T>::min(), " to ", std::numeric_limits<T>::max());
}

template std::string WhyNoInteger<int>(std::string& text);
template std::string WhyNoInteger<int64_t>(std::string& text);
template std::string WhyNoInteger<uint64_t>(std::string& text);

std::string WhyNoFinite(const std::string& text) {
  double value = 0;
  if (IsDecimal(text, ".eE+-") && absl::SimpleAtod(text, &value) && std::isfinite(value)) return "";
  return absl::StrCat("Value ", text.empty() ? "\"\"" : text, ": expected a finite number");
}

std::string WhyNotWithin(const std::string& text, double least, double most) {
  double value = 0;
  if (absl::SimpleAtod(text, &value) && value >= least && value <= most) return "";
  return absl::StrCat("Value ", text, ": expected a number from ", least, " to ", most);
}

std::string WhyNoText(const std::string& text) {
  return text.empty() ? "Value \"\": expected a text, found nothing" : "";
}

std::string WhyNoDevice(const std::string& text) {
  constexpr size_t kMostDigits = 2;
  absl::string_view number = text;
  if (text == "cpu" || text == "cuda") return "";
  const bool is_numbered = absl::ConsumePrefix(&number, "cuda:") && !number.empty() &&
                           number.size() <= kMostDigits &&
                           std::all_of(number.begin(), number.end(), absl::ascii_isdigit);
  return is_numbered ? "" : absl::StrCat("Value \"", text, "\": expected cpu, cuda or cuda:N");
}

}  // namespace unival
