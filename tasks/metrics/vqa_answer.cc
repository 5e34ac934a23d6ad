#include "tasks/metrics/vqa_answer.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tasks/metrics/caption_scores.h"
#include "tasks/metrics/ptb_tokenizer.h"

namespace unival {
namespace {

bool IsDigit(absl::string_view text, size_t i) {
  return i < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[i]));
}

bool HasNumberWithComma(absl::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == ',' && IsDigit(text, i - 1) && IsDigit(text, i + 1)) return true;
  }
  return false;
}

// A punctuation mark vanishes where it stands beside a blank somewhere in the text, or where the
// text has a number like "1,000"; else it becomes a blank. Periods vanish except before digits, but
// only 32 of them: the original evaluation passes a flag of the value 32 where a count is expected.
std::string WithoutPunctuation(absl::string_view text) {
  std::string kept(text);
  const bool has_comma = HasNumberWithComma(text);
  for (const char mark : absl::string_view(";/[]\"{}()=+\\_-><@`,?!")) {
    const std::string one(1, mark);
    const bool beside_blank = absl::StrContains(text, absl::StrCat(one, " ")) ||
                              absl::StrContains(text, absl::StrCat(" ", one));
    kept = absl::StrReplaceAll(kept, {{one, beside_blank || has_comma ? "" : " "}});
  }
  std::string result;
  int periods = 0;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] == '.' && !IsDigit(kept, i + 1) && periods++ < 32) continue;
    result += kept[i];
  }
  return result;
}

// What people write without one of its apostrophes, by what they wrote.
const std::map<std::string, std::string>& Contractions() {
  static const auto* const kContractions = [] {
    constexpr char kRight[] =
        "'ow's'at 'twas ain't aren't can't could've couldn't couldn't've didn't doesn't don't "
        "hadn't hadn't've hasn't haven't he'd he'd've he's how'd how'll how's isn't it'd it'd've "
        "it'll ma'am might've mightn't mightn't've must've mustn't needn't not've o'clock oughtn't "
        "shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's "
        "someone'd someone'd've someone'll someone's something'd something'd've something'll "
        "that's there'd there'd've there're there's they'd they'd've they'll they're they've "
        "wasn't we'd've we've weren't what'll what're what's what've when's where'd where's "
        "where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't "
        "wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll you're you've";
    // The one entry of the evaluation's table that takes an apostrophe away.
    auto* table = new std::map<std::string, std::string>{{"somebody'd", "somebodyd"}};
    for (const std::string& right : std::vector<std::string>(absl::StrSplit(kRight, ' '))) {
      for (size_t i = 0; i < right.size(); ++i) {
        if (right[i] == '\'') (*table)[right.substr(0, i) + right.substr(i + 1)] = right;
      }
    }
    return table;
  }();
  return *kContractions;
}

std::string NumberOrWord(const std::string& word) {
  constexpr std::array<const char*, 11> kNumbers = {
      "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"};
  if (word == "none") return "0";
  const auto found = std::find(kNumbers.begin(), kNumbers.end(), word);
  return found == kNumbers.end() ? word : absl::StrCat(found - kNumbers.begin());
}

// Line ends and tabs are blanks to the evaluation before it compares anything.
std::string Trimmed(absl::string_view text) {
  return std::string(
      absl::StripAsciiWhitespace(absl::StrReplaceAll(text, {{"\n", " "}, {"\t", " "}})));
}

double LeaveOneOut(const std::string& answer, const std::vector<std::string>& answers) {
  const auto matches = static_cast<double>(std::count(answers.begin(), answers.end(), answer));
  double sum = 0;
  for (const std::string& left_out : answers) {
    sum += std::min(1.0, (matches - (left_out == answer ? 1 : 0)) / 3);
  }
  return sum / static_cast<double>(answers.size());
}

}  // namespace

std::string NormalizeVqaAnswer(absl::string_view answer) {
  std::vector<std::string> words;
  const std::string lower = LowerCase(WithoutPunctuation(answer));
  for (const absl::string_view part : SplitWords(lower)) {
    std::string word = NumberOrWord(std::string(part));
    if (word == "a" || word == "an" || word == "the") continue;
    const auto contraction = Contractions().find(word);
    words.push_back(contraction == Contractions().end() ? word : contraction->second);
  }
  return absl::StrJoin(words, " ");
}

double VqaAccuracy(absl::string_view answer, const std::vector<std::string>& answers) {
  if (answers.empty()) return 0;
  std::vector<std::string> right;
  for (const std::string& text : answers) right.push_back(Trimmed(text));
  std::string said = Trimmed(answer);
  if (right.size() == 1) return NormalizeVqaAnswer(said) == NormalizeVqaAnswer(right[0]) ? 1 : 0;
  const bool all_same =
      std::all_of(right.begin(), right.end(), [&](const auto& text) { return text == right[0]; });
  if (!all_same) {
    said = NormalizeVqaAnswer(said);
    for (std::string& text : right) text = NormalizeVqaAnswer(text);
  }
  return LeaveOneOut(said, right);
}

}  // namespace unival
