#include "tests/layering/code.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace unival {
namespace {

// The end of the literal that begins with the quote at `open`, including its last quote.
size_t EndOfLiteral(const std::string& text, size_t open) {
  size_t at = open + 1;
  while (at < text.size() && text[at] != text[open]) at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

// The same for R"mark(...)mark", `open` at its quote.
size_t EndOfRawLiteral(const std::string& text, size_t open) {
  const size_t bracket = text.find('(', open);
  if (bracket == std::string::npos) return text.size();
  const std::string close = ")" + text.substr(open + 1, bracket - open - 1) + "\"";
  const size_t end = text.find(close, bracket);
  return end == std::string::npos ? text.size() : end + close.size();
}

// A line of the preprocessor ends at the first line break without a backslash before it.
size_t EndOfDirective(const std::string& text, size_t at) {
  while (at < text.size() && (text[at] != '\n' || text[at - 1] == '\\')) ++at;
  return at;
}

size_t EndOr(size_t found, size_t otherwise) {
  return found == std::string::npos ? otherwise : found;
}

// 1'000 is a number, 'x' is not.
bool IsDigitSeparator(const std::string& text, size_t at) {
  return text[at] == '\'' && at > 0 && IsWordLetter(text[at - 1]);
}

// The end of the comment, literal or preprocessor line that begins at `at`; `at` when none begins
// there.
size_t EndOfNoCode(const std::string& text, size_t at, bool starts_line) {
  if (text.compare(at, 2, "//") == 0) return EndOr(text.find('\n', at), text.size());
  if (text.compare(at, 2, "/*") == 0) return EndOr(text.find("*/", at + 2), text.size() - 2) + 2;
  if (text[at] == '#' && starts_line) return EndOfDirective(text, at);
  if (text[at] == '"' && at > 0 && text[at - 1] == 'R') return EndOfRawLiteral(text, at);
  if (text[at] == '"' || text[at] == '\'') {
    return IsDigitSeparator(text, at) ? at + 1 : EndOfLiteral(text, at);
  }
  return at;
}

}  // namespace

bool IsWordLetter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string CodeOnly(const std::string& text) {
  std::string code = text;
  bool starts_line = true;
  for (size_t at = 0; at < text.size();) {
    const size_t end = EndOfNoCode(text, at, starts_line);
    std::replace_if(
        code.begin() + at, code.begin() + end, [](char c) { return c != '\n'; }, ' ');
    if (end > at) {
      at = end;
      continue;
    }
    starts_line = text[at] == '\n' || (starts_line && text[at] == ' ');
    ++at;
  }
  return code;
}

std::vector<std::string> Tokens(const std::string& code) {
  std::vector<std::string> tokens;
  for (size_t at = 0; at < code.size();) {
    const size_t begin = at;
    while (at < code.size() && (IsWordLetter(code[at]) || code.compare(at, 2, "::") == 0 ||
                                (at > begin && code[at] == ':' && code[at - 1] == ':'))) {
      ++at;
    }
    if (at == begin) ++at;
    if (code[begin] != ' ' && code[begin] != '\n') tokens.push_back(code.substr(begin, at - begin));
  }
  return tokens;
}

}  // namespace unival
