#include "app/option_checks.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

// Beside digits.
constexpr char kOfFractions[] = ".eE+-";

}  // namespace

std::string ExpectedText(absl::string_view expected, absl::string_view got) {
  const bool is_bare = IsDecimal(got, kOfFractions);
  return absl::StrCat("expected ", expected, ", got ",
                      got.empty() ? "nothing"
                      : is_bare   ? got
                                  : absl::StrCat("\"", got, "\""));
}

// CLI11 does not refuse a number that the type cannot hold: it takes the nearest one, and 2^64 - 1
// for "-1" where the type is unsigned. A seed would then silently be another, so numbers are parsed
// here.
template <typename T>
std::string NormalizeInteger(std::string& text) {
  if (!IsDecimal(text, "")) return ExpectedText("a whole number", text);
  const size_t first = absl::ascii_isdigit(text[0]) ? 0 : 1;
  text.erase(first, std::min(text.find_first_not_of('0', first), text.size() - 1) - first);
  T value = 0;
  if (absl::SimpleAtoi(text, &value)) return "";
  return ExpectedText(absl::StrCat("a whole number from ", std::numeric_limits<T>::min(), " to ",
                                   std::numeric_limits<T>::max()),
                      text);
}

template std::string NormalizeInteger<int>(std::string& text);
template std::string NormalizeInteger<int64_t>(std::string& text);
template std::string NormalizeInteger<uint64_t>(std::string& text);

std::string WhyNoFinite(const std::string& text) {
  double value = 0;
  const bool is_finite =
      IsDecimal(text, kOfFractions) && absl::SimpleAtod(text, &value) && std::isfinite(value);
  return is_finite ? "" : ExpectedText("a finite number", text);
}

std::string WhyNotBetween(const std::string& text, int64_t least, int64_t most) {
  int64_t value = 0;
  if (absl::SimpleAtoi(text, &value) && value >= least && value <= most) return "";
  return ExpectedText(absl::StrCat(least, " to ", most), text);
}

std::string WhyNotWithin(const std::string& text, double least, double most) {
  double value = 0;
  if (absl::SimpleAtod(text, &value) && value >= least && value <= most) return "";
  return ExpectedText(absl::StrCat("a number from ", least, " to ", most), text);
}

std::string WhyNotOneOf(const std::string& text, const std::vector<std::string>& values) {
  if (std::find(values.begin(), values.end(), text) != values.end()) return "";
  return ExpectedText(absl::StrCat("one of ", absl::StrJoin(values, ", ")), text);
}

std::string WhyNoText(const std::string& text) {
  return text.empty() ? ExpectedText("a text", text) : "";
}

std::string WhyNoDevice(const std::string& text) {
  constexpr size_t kMostDigits = 2;
  absl::string_view number = text;
  if (text == "cpu" || text == "cuda") return "";
  const bool is_numbered = absl::ConsumePrefix(&number, "cuda:") && !number.empty() &&
                           number.size() <= kMostDigits &&
                           std::all_of(number.begin(), number.end(), absl::ascii_isdigit);
  return is_numbered ? "" : ExpectedText("cpu, cuda or cuda:N", text);
}

}  // namespace unival
