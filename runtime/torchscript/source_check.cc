#include "runtime/torchscript/source_check.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

bool IsWordCharacter(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// Walks a text word by word and keeps count of what stands in what.
class SourceWalk {
 public:
  explicit SourceWalk(absl::string_view text) : text_(text) {}

  absl::Status Run() {
    while (at_ < text_.size()) {
      const absl::Status status = Step();
      if (!status.ok()) return Annotate(status, "line ", line_);
    }
    if (!open_.empty()) return InvalidArgument("line ", line_, ": a bracket is not closed");
    return absl::OkStatus();
  }

 private:
  absl::Status Step() {
    const char c = text_[at_];
    if (c == '\n') return EndLine();
    if (c == '#') return Skip(text_.find('\n', at_));
    if (c == '\'' || c == '"') return SkipQuoted();
    if (IsWordCharacter(c)) return Word();
    ++at_;
    if (absl::ascii_isspace(c) || c == '\\') return absl::OkStatus();
    if (absl::StrContains("([{", c)) return Open();
    if (absl::StrContains(")]}", c)) return Close();
    // After these, another part of the same level begins.
    if (c == ',' || c == ':' || c == ';') return Part();
    return Link();
  }

  absl::Status Skip(size_t to) {
    at_ = std::min(to, text_.size());
    return absl::OkStatus();
  }

  absl::Status SkipQuoted() {
    const char quote = text_[at_];
    const bool is_long = text_.substr(at_, 3) == std::string(3, quote);
    const std::string end(is_long ? 3 : 1, quote);
    for (at_ += end.size(); at_ < text_.size(); ++at_) {
      if (text_.substr(at_, end.size()) == end) return Skip(at_ + end.size());
      if (text_[at_] == '\\') ++at_;
      if (at_ < text_.size() && text_[at_] == '\n') {
        if (!is_long) break;
        ++line_;
      }
    }
    return InvalidArgument("a text in quotes does not end");
  }

  // Blocks are told by how far lines are moved in.
  absl::Status EndLine() {
    ++line_;
    ++at_;
    if (!open_.empty()) return absl::OkStatus();
    links_ = 0;
    const size_t begin = std::min(text_.find_first_not_of(" \t", at_), text_.size());
    if (begin == text_.size() || text_[begin] == '\n') return absl::OkStatus();
    const size_t indent = begin - at_;
    while (!blocks_.empty() && blocks_.back() >= indent) blocks_.pop_back();
    if (indent > 0) blocks_.push_back(indent);
    if (blocks_.size() <= kMaxBlockDepth) return absl::OkStatus();
    return InvalidArgument("more than ", kMaxBlockDepth, " blocks stand in each other");
  }

  absl::Status Word() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsWordCharacter(text_[at_])) ++at_;
    const absl::string_view word = text_.substr(begin, at_ - begin);
    if (word == "__setstate__") {
      return InvalidArgument(
          "__setstate__ would run while the file is loaded; export a module without it, so one "
          "that "
          "is not quantized");
    }
    if (word == "classes" && absl::EndsWith(text_.substr(0, begin), "torch.")) {
      return InvalidArgument("a class of torch.classes is code that is not in the file");
    }
    if ((word == "def" || word == "class") && ++definitions_ > kMaxDefinitions)
      return InvalidArgument("more than ", kMaxDefinitions, " classes and functions");
    for (absl::string_view joins :
         {"if", "else", "not", "and", "or", "in", "is", "for", "lambda"}) {
      if (word == joins) return Link();
    }
    return absl::OkStatus();
  }

  absl::Status Open() {
    UNIVAL_RETURN_IF_ERROR(Link());
    open_.push_back(links_);
    return absl::OkStatus();
  }
  absl::Status Close() {
    if (open_.empty()) return InvalidArgument("a bracket is closed that was not opened");
    links_ = open_.back();
    open_.pop_back();
    return absl::OkStatus();
  }
  absl::Status Part() {
    links_ = open_.empty() ? 0 : open_.back();
    return absl::OkStatus();
  }
  absl::Status Link() {
    if (++links_ <= kMaxExpressionDepth) return absl::OkStatus();
    return InvalidArgument("more than ", kMaxExpressionDepth,
                           " operations stand in each other in one expression");
  }

  const absl::string_view text_;
  size_t at_ = 0;
  int64_t line_ = 1, definitions_ = 0;
  int links_ = 0;               // on the way to this place of the statement
  std::vector<int> open_;       // links_ where each open bracket began
  std::vector<size_t> blocks_;  // how far each open block is moved in
};

}  // namespace

absl::Status CheckScriptSource(absl::string_view text) { return SourceWalk(text).Run(); }

int BracketDepth(absl::string_view text) {
  int depth = 0, most = 0;
  for (char c : text) {
    if (absl::StrContains("([{", c)) most = std::max(most, ++depth);
    if (absl::StrContains(")]}", c)) --depth;
  }
  return most;
}

}  // namespace unival
