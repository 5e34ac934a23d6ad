// unival: code.h - what of a C++ file is code, and the words of it: for rules that need no
// compiler.
#ifndef UNIVAL_TESTS_LAYERING_CODE_H_
#define UNIVAL_TESTS_LAYERING_CODE_H_

#include <string>
#include <vector>

namespace unival {

bool IsWordLetter(char c);

// `text` with blanks in place of comments, literals and lines of the preprocessor; line breaks
// stay.
std::string CodeOnly(const std::string& text);

// Words, "::" as part of them, and single marks.
std::vector<std::string> Tokens(const std::string& code);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_CODE_H_
