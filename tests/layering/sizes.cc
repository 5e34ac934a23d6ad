#include "tests/layering/sizes.h"

#include <algorithm>
#include <initializer_list>

#include "tests/layering/code.h"

namespace unival {
namespace {

constexpr char kReason[] = "in one piece";

bool IsMeasured(const std::string& path) {
  const bool is_code = EndsWith(path, ".h") || EndsWith(path, ".hpp") || EndsWith(path, ".cc") ||
                       EndsWith(path, ".c");
  return is_code && !StartsWith(path, "sdk/abi/frozen/") && !StartsWith(path, "sdk/abi/dlpack/");
}

bool Holds(const std::vector<std::string>& tokens, std::initializer_list<const char*> words) {
  return std::find_first_of(tokens.begin(), tokens.end(), words.begin(), words.end()) !=
         tokens.end();
}

// The name of the function whose body begins when a brace follows `head`; empty when it is a test
// or not a function.
std::string FunctionName(const std::vector<std::string>& head) {
  const auto open = std::find(head.begin(), head.end(), "(");
  if (open == head.end() || open == head.begin() || open == head.begin() + 1) return "";
  if (std::find(head.begin(), open, "=") != open) return "";
  return Holds({head.begin(), open}, {"struct", "class", "return", "else"}) ? "" : *(open - 1);
}

// A constructor or destructor of a class inside it has nothing before its name.
std::string ConstructorName(const std::vector<std::string>& head, const std::string& type) {
  const bool is_own = head.size() > 1 && head[0] == type && head[1] == "(";
  const bool is_apart =
      head.size() > 1 && head[1] == "(" && head[0].find("::") != std::string::npos;
  return is_own || is_apart ? head[0] : "";
}

std::string TypeName(const std::vector<std::string>& head) {
  if (head.size() < 2 || Holds(head, {"(", "="})) return "";
  return head[0] == "class" || head[0] == "struct" ? head[1] : "";
}

// All lines of the comment directly above line `line` of `text`; empty when there is none.
std::string CommentAbove(const std::vector<std::string>& lines, int line) {
  std::string comment;
  for (int above = line - 2; above >= 0 && StartsWith(lines[above], "//"); --above) {
    comment = lines[above].substr(2) + comment;
  }
  return comment;
}

// Without the spaces at their beginning.
std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const size_t begin = std::min(text.find_first_not_of(' ', at), end);
    lines.push_back(text.substr(begin, end - begin));
    at = end + 1;
  }
  return lines;
}

// A head without leading spaces and without a leading "public:" or similar.
std::string WithoutLabel(const std::string& head) {
  const std::string text = head.substr(std::min(head.find_first_not_of(" \n"), head.size()));
  for (const char* label : {"public:", "protected:", "private:"}) {
    if (StartsWith(text, label)) return WithoutLabel(text.substr(std::string(label).size()));
  }
  return text;
}

struct Braces {
  std::string type;      // if the scope is a class
  std::string function;  // if the scope is the body of a function
  int line;              // where its head begins
};

class FunctionsOfFile {
 public:
  FunctionsOfFile(const SourceFile& file, std::vector<Length>* sizes)
      : path_(file.path), lines_(Lines(file.text)), code_(CodeOnly(file.text)), sizes_(sizes) {}

  void Measure() {
    for (size_t at = 0; at < code_.size(); ++at) {
      if (code_[at] == '\n') ++line_;
      if (code_[at] == '{') Open(at);
      if (code_[at] == '}') Close();
      if (code_[at] == '{' || code_[at] == '}' || code_[at] == ';') head_ = at + 1;
    }
  }

 private:
  void Open(size_t at) {
    const std::string text = WithoutLabel(code_.substr(head_, at - head_));
    const auto breaks = std::count(text.begin(), text.end(), '\n');
    const std::vector<std::string> head = Tokens(text);
    Braces scope{TypeName(head), "", line_ - static_cast<int>(breaks)};
    if (!InFunction()) {
      scope.function = FunctionName(head);
      const std::string type = scopes_.empty() ? "" : scopes_.back().type;
      if (scope.function.empty()) scope.function = ConstructorName(head, type);
    }
    scopes_.push_back(scope);
  }

  void Close() {
    if (scopes_.empty()) return;
    const Braces scope = scopes_.back();
    scopes_.pop_back();
    if (scope.function.empty()) return;
    const bool has_reason = CommentAbove(lines_, scope.line).find(kReason) != std::string::npos;
    sizes_->push_back({path_ + ":" + std::to_string(scope.line) + " " + scope.function,
                       line_ - scope.line + 1, has_reason});
  }

  bool InFunction() const {
    return std::any_of(scopes_.begin(), scopes_.end(),
                       [](const Braces& scope) { return !scope.function.empty(); });
  }

  const std::string path_;
  const std::vector<std::string> lines_;
  const std::string code_;
  std::vector<Length>* const sizes_;
  std::vector<Braces> scopes_;
  size_t head_ = 0;
  int line_ = 1;
};

void SortLongestFirst(std::vector<Length>* sizes) {
  std::stable_sort(sizes->begin(), sizes->end(),
                   [](const Length& a, const Length& b) { return a.lines > b.lines; });
}

// All comments before the first line of code, in one string.
std::string HeadOfFile(const std::string& text) {
  std::string head;
  for (const std::string& line : Lines(text)) {
    const bool is_comment =
        StartsWith(line, "//") || StartsWith(line, "/*") || StartsWith(line, "*");
    if (!is_comment && !line.empty()) break;
    head += line + " ";
  }
  return head;
}

}  // namespace

std::vector<Length> FileSizes(const std::vector<SourceFile>& files) {
  std::vector<Length> sizes;
  for (const SourceFile& file : files) {
    if (!IsMeasured(file.path)) continue;
    const auto lines = std::count(file.text.begin(), file.text.end(), '\n');
    const bool has_reason = HeadOfFile(file.text).find(kReason) != std::string::npos;
    sizes.push_back({file.path, static_cast<int>(lines), has_reason});
  }
  SortLongestFirst(&sizes);
  return sizes;
}

std::vector<Length> FunctionSizes(const std::vector<SourceFile>& files) {
  std::vector<Length> sizes;
  for (const SourceFile& file : files) {
    if (IsMeasured(file.path)) FunctionsOfFile(file, &sizes).Measure();
  }
  SortLongestFirst(&sizes);
  return sizes;
}

}  // namespace unival
