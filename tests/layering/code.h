// unival: code.h - separates the code of a C++ file from comments and literals, and splits it into
// words. For rules that need no compiler.
#ifndef UNIVAL_TESTS_LAYERING_CODE_H_
#define UNIVAL_TESTS_LAYERING_CODE_H_

#include <string>
#include <vector>

namespace unival {

bool IsWordLetter(char c);

// `text` with comments, literals and preprocessor lines replaced by spaces. Line breaks stay.
std::string CodeOnly(const std::string& text);

// The words and single punctuation marks; "::" is part of a word.
std::vector<std::string> Tokens(const std::string& code);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_CODE_H_
