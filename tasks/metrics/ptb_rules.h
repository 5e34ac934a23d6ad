// unival: ptb_rules.h - the tokens of English text as patterns, see ptb_tokenizer.h.
#ifndef UNIVAL_TASKS_METRICS_PTB_RULES_H_
#define UNIVAL_TASKS_METRICS_PTB_RULES_H_

#include <re2/re2.h>

#include <memory>
#include <vector>

#include "absl/strings/string_view.h"

namespace unival {

// What becomes of what a rule found.
enum class PtbAction {
  kKeep,        // a token as it stands
  kKeepSpaces,  // a token; blanks in it become no-break spaces
  kWord,        // a token without its soft hyphens
  kShorten2,    // a token without its last two characters, which are read again
  kShorten3,    // the same with three
  kReadDot,     // a token whose period is read again as a token of its own
  kInitial,     // an abbreviation before a word that begins sentences
  kDash,        // "--"
  kHyphens,     // "--" for three or four
  kAmpersand,   // "&amp;" becomes "&"
  kFraction,    // U+00BD becomes "1/2"
  kCurrency,    // the dollar sign stands for others
  kPhone,       // blanks and brackets made harmless
  kSmiley,      // brackets made harmless
  kOpenQuote,   // "``"
  kCloseQuote,  // "''"
  kLess,        // "<"
  kGreater,     // ">"
  kBracket,     // "-LRB-" and the like
  kEllipsis,    // "..."
  kNewLine,     // the end of a line
  kDrop,        // nothing
};

// A rule finds the longest text `head` that `tail` follows, where there is one. Of several rules
// the one whose head and tail together are longest wins, then the first.
struct PtbRule {
  PtbAction action;
  std::unique_ptr<RE2> whole, head, tail;  // the latter two null where nothing must follow
  bool at_letter, at_digit, at_other;      // ASCII characters that it can begin with
};

// All rules in their order of precedence; made once.
const std::vector<PtbRule>& PtbRules();

// Whether `word`, ASCII letters, is one of the abbreviations that rules of the table know with a
// period behind them: "etc", "Mr", "p".
bool IsPtbAbbreviation(absl::string_view word);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_PTB_RULES_H_
