#include "tasks/metrics/ptb_spelling.h"

#include "absl/strings/str_replace.h"

namespace unival {
namespace {

// "1/2" for one character.
std::string Fraction(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"¼", "1/4"}, {"½", "1/2"}, {"¾", "3/4"}, {"⅓", "1/3"}, {"⅔", "2/3"}});
}

std::string Currency(absl::string_view text) {
  return absl::StrReplaceAll(
      text,
      {{"¢", "cents"}, {"£", "#"}, {"\u0080", "$"}, {"¤", "$"}, {"\u20A0", "$"}, {"\u20AC", "$"}});
}

std::string Brackets(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"(", "-LRB-"}, {")", "-RRB-"}});
}

std::string AnyBracket(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"(", "-LRB-"},
                                    {")", "-RRB-"},
                                    {"{", "-LCB-"},
                                    {"}", "-RCB-"},
                                    {"[", "-LSB-"},
                                    {"]", "-RSB-"}});
}

std::string NoBreakSpaces(absl::string_view text) {
  return absl::StrReplaceAll(text, {{" ", "\u00A0"}});
}

// Without soft hyphens, unless there is nothing else.
std::string Hyphenless(absl::string_view text) {
  std::string kept = absl::StrReplaceAll(text, {{"\u00AD", ""}});
  return kept.empty() ? "-" : kept;
}

// Straight quotes open or close as said, curly ones as they are curled.
std::string LatexQuotes(absl::string_view text, bool open) {
  const std::string one = open ? "`" : "'";
  std::string result = absl::StrReplaceAll(
      text, {{"&apos;", one}, {"'", one}, {"\"", one + one}, {"&quot;", one + one}});
  return absl::StrReplaceAll(result, {{"\u0091", "`"},
                                      {"\u2018", "`"},
                                      {"\u201B", "`"},
                                      {"\u2039", "`"},
                                      {"\u0092", "'"},
                                      {"\u2019", "'"},
                                      {"\u203A", "'"},
                                      {"\u0093", "``"},
                                      {"\u201C", "``"},
                                      {"\u00AB", "``"},
                                      {"\u0094", "''"},
                                      {"\u201D", "''"},
                                      {"\u00BB", "''"}});
}

}  // namespace

std::string PtbSpelled(PtbAction action, absl::string_view text) {
  switch (action) {
    case PtbAction::kKeepSpaces:
      return NoBreakSpaces(text);
    case PtbAction::kWord:
      return Hyphenless(text);
    case PtbAction::kDash:
      return "--";
    case PtbAction::kHyphens:
      return text.size() == 3 || text.size() == 4 ? "--" : std::string(text);
    case PtbAction::kAmpersand:
      return absl::StrReplaceAll(text, {{"&amp;", "&"}, {"&AMP;", "&"}});
    case PtbAction::kFraction:
      return Fraction(text);
    case PtbAction::kCurrency:
      return Currency(text);
    case PtbAction::kPhone:
      return Brackets(NoBreakSpaces(text));
    case PtbAction::kSmiley:
      return Brackets(text);
    case PtbAction::kOpenQuote:
    case PtbAction::kCloseQuote:
      return LatexQuotes(text, action == PtbAction::kOpenQuote);
    case PtbAction::kLess:
      return "<";
    case PtbAction::kGreater:
      return ">";
    case PtbAction::kBracket:
      return AnyBracket(text);
    case PtbAction::kEllipsis:
      return "...";
    default:
      return std::string(text);
  }
}

}  // namespace unival
