// unival: option_checks.h - whether a word of the command line is a value of its option's kind.
//
// Each gives what to print where it is none, and nothing where it is one. CLI11 takes more for a
// number than people mean: nothing for 0, "010" for 8, "0x10" for 16, "1_0" for 10.
#ifndef UNIVAL_APP_OPTION_CHECKS_H_
#define UNIVAL_APP_OPTION_CHECKS_H_

#include <string>

namespace unival {

// Digits behind a sign, of a number that T has: int, int64_t or uint64_t. Zeros before them are
// taken away, for CLI11 reads what begins with one as octal.
template <typename T>
std::string WhyNoInteger(std::string& text);

// A finite number in decimal, "0.5" or "5e-1".
std::string WhyNoFinite(const std::string& text);

// At least one character: a script whose variable is not set gives none.
std::string WhyNoText(const std::string& text);

// "cpu", "cuda" or "cuda:N".
std::string WhyNoDevice(const std::string& text);

}  // namespace unival

#endif  // UNIVAL_APP_OPTION_CHECKS_H_
