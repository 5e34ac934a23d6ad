// unival: option_checks.h - whether a word of the command line is a value of its option's kind.
//
// Each function returns what is wrong with the word; empty: nothing. CLI11 alone accepts as numbers
// what people do not mean as such: nothing for 0, "010" for 8, "0x10" for 16, "1_0" for 10.
#ifndef UNIVAL_APP_OPTION_CHECKS_H_
#define UNIVAL_APP_OPTION_CHECKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace unival {

// "expected EXPECTED, got GOT", the form of all of them; what is no number stands in quotes.
std::string ExpectedText(absl::string_view expected, absl::string_view got);

// Brings an optional sign and digits, of a number that T (int, int64_t or uint64_t) can hold, into
// the form that CLI11 reads rightly: leading zeros are removed from `text`, because it would read
// the digits after them as octal.
template <typename T>
std::string NormalizeInteger(std::string& text);

// A finite number in decimal, "0.5" or "5e-1".
std::string WhyNoFinite(const std::string& text);

// A whole number from `least` to `most`.
std::string WhyNotBetween(const std::string& text, int64_t least, int64_t most);

// A number from `least` to `most`.
std::string WhyNotWithin(const std::string& text, double least, double most);

std::string WhyNotOneOf(const std::string& text, const std::vector<std::string>& values);

// At least one character: a script whose variable is not set gives none.
std::string WhyNoText(const std::string& text);

// "cpu", "cuda" or "cuda:N".
std::string WhyNoDevice(const std::string& text);

}  // namespace unival

#endif  // UNIVAL_APP_OPTION_CHECKS_H_
