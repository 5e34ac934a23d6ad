#include "examples/english/sentences.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace unival::english {
namespace {

using world::Random;

constexpr char kPunctuation[] = ".,;:!?\"'()";
const char* const kNumbers[] = {"zero", "one",   "two",   "three", "four", "five",
                                "six",  "seven", "eight", "nine",  "ten"};

std::string Bare(absl::string_view text) {
  const size_t first = text.find_first_not_of(kPunctuation);
  if (first == absl::string_view::npos) return std::string(text);
  return std::string(text.substr(first, text.find_last_not_of(kPunctuation) - first + 1));
}

// "It rains" has a capital because it begins the sentence; "I", "USA" and "McGregor" keep theirs.
bool BeginsWithPlainCapital(absl::string_view text) {
  const absl::string_view word = text.substr(0, text.find(' '));
  if (word.size() < 2 || !absl::ascii_isupper(word[0])) return word == "A";
  return std::none_of(word.begin() + 1, word.end(),
                      [](char c) { return absl::ascii_isupper(c); }) &&
         word.substr(0, 2) != "I'";
}

ReadingQuestion AskBeside(Random& random, const Words& words) {
  const int at = random.Below(static_cast<int>(words.size()) - 1);
  const std::string first = Bare(words[at]), second = Bare(words[at + 1]);
  if (random.Chance(0.5)) return {absl::StrCat("which word comes after \"", first, "\"?"), second};
  return {absl::StrCat("which word comes before \"", second, "\"?"), first};
}

ReadingQuestion AskWhether(Random& random, const Words& words, const Words& lexicon) {
  const std::string word = Bare(random.Pick(random.Chance(0.5) ? words : lexicon));
  const bool there = std::any_of(words.begin(), words.end(),
                                 [&](const std::string& other) { return Bare(other) == word; });
  return {absl::StrCat("is the word \"", word, "\" there?"), there ? "yes" : "no"};
}

}  // namespace

Words SplitWords(absl::string_view sentence) {
  return absl::StrSplit(sentence, ' ', absl::SkipEmpty());
}

std::string Plain(absl::string_view sentence) {
  std::string text(sentence);
  if (!text.empty() && text.back() == '.') text.pop_back();
  if (BeginsWithPlainCapital(text)) text[0] = absl::ascii_tolower(text[0]);
  return text;
}

std::string Phrase(Random& random, const Words& words, int count) {
  const int size = static_cast<int>(words.size()), length = std::max(1, std::min(count, size));
  const auto begin = words.begin() + random.Between(0, size - length);
  return Plain(Bare(absl::StrJoin(begin, begin + length, " ")));
}

std::string Varied(Random& random, absl::string_view sentence, absl::string_view other) {
  const double kind = random.Uniform(0, 1);
  if (kind < 0.4) return std::string(sentence);
  if (kind < 0.65) return Plain(sentence);
  const std::string phrase = Phrase(random, SplitWords(sentence), random.Between(2, 8));
  if (kind < 0.85) return phrase;
  return absl::StrCat(phrase, ", ", Phrase(random, SplitWords(other), random.Between(1, 5)));
}

std::string Shuffled(Random& random, Words words) {
  random.Shuffle(&words);
  return absl::StrJoin(words, " ");
}

std::string MadeWord(Random& random, const Words& lexicon) {
  const std::string &first = random.Pick(lexicon), &second = random.Pick(lexicon);
  const size_t end = static_cast<size_t>(random.Between(1, static_cast<int>(first.size())));
  const size_t begin = static_cast<size_t>(random.Below(static_cast<int>(second.size())));
  return first.substr(0, end) + second.substr(begin);
}

ReadingQuestion AskAbout(Random& random, const Words& words, const Words& lexicon) {
  switch (random.Below(6)) {
    case 0:
      return {"what is the first word?", Bare(words.front())};
    case 1:
      return {"what is the last word?", Bare(words.back())};
    case 2:
      return {"how many words are there?", kNumbers[words.size()]};
    case 3:
      return AskWhether(random, words, lexicon);
    default:
      return AskBeside(random, words);
  }
}

}  // namespace unival::english
