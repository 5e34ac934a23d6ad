// unival: option_checks.h - whether a word of the command line is a value of its option's kind.
//
// Each function returns what is wrong with the word; empty: nothing. CLI11 alone accepts as numbers
// what people do not mean as such: nothing for 0, "010" for 8, "0x10" for 16, "1_0" for 10.
#ifndef UNIVAL_APP_OPTION_CHECKS_H_
#define UNIVAL_APP_OPTION_CHECKS_H_

#include <string>

namespace unival {

// An optional sign and digits, of a number that T (int, int64_t or uint64_t) can hold. Leading
// zeros are removed from `text`, because CLI11 would read the digits after them as octal.
template <typename T>
std::string WhyNoInteger(std::string& text);

// A finite number in decimal, "0.5" or "5e-1".
std::string WhyNoFinite(const std::string& text);

// A number from `least` to `most`.
std::string WhyNotWithin(const std::string& text, double least, double most);

// At least one character: a script whose variable is not set gives none.
std::string WhyNoText(const std::string& text);

// "cpu", "cuda" or "cuda:N".
std::string WhyNoDevice(const std::string& text);

}  // namespace unival

#endif  // UNIVAL_APP_OPTION_CHECKS_H_
