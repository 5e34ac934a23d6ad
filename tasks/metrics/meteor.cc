#include "tasks/metrics/meteor.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tasks/metrics/meteor_alignment.h"

namespace unival {
namespace {

// Letters that METEOR's normaliser knows: Latin and Cyrillic.
#define UNIVAL_METEOR_LETTERS "A-Za-zŠŽšžŸÀ-ÖØ-öø-žЀ-ӿԀ-ԧꙀ-ꙮ꙾-ꚗᴀ-ᵿ"

struct Replacement {
  std::unique_ptr<RE2> pattern;
  const char* with;
};

// The replacements, in the order in which they are applied. The matches of one replacement never
// overlap: text that a match has consumed cannot begin the next match.
const std::vector<Replacement>& MeteorReplacements() {
  static const auto* const kReplacements = [] {
    const std::string letter = "[" UNIVAL_METEOR_LETTERS "]",
                      other = "[^" UNIVAL_METEOR_LETTERS "]";
    const std::string alnum = "[0-9" UNIVAL_METEOR_LETTERS "]";
    auto* list = new std::vector<Replacement>;
    const auto add = [list](const std::string& pattern, const char* with) {
      list->push_back({std::make_unique<RE2>(pattern), with});
    };
    add("([^0-9" UNIVAL_METEOR_LETTERS R"(\s.'`,\-‘’]))", R"( \1 )");  // marks stand alone
    add(R"(([.]{2,}))", R"( \1 )");
    add("([^0-9]),([^0-9])", R"(\1 , \2)");  // commas outside numbers
    add("([0-9]),([^0-9])", R"(\1 , \2)");
    add("([^0-9]),([0-9])", R"(\1 , \2)");
    add("[`‘’]", "'");
    add("[“”]|''", " \" ");
    add("–", "-");
    add("--", "-");
    add(absl::StrCat("([.0-9" UNIVAL_METEOR_LETTERS "])-(", alnum, ")"), R"(\1 \2)");
    add(absl::StrCat("(", other, ")'(", other, ")"), R"(\1 ' \2)");
    add(absl::StrCat("([^0-9" UNIVAL_METEOR_LETTERS "])'(", letter, ")"), R"(\1 ' \2)");
    add(absl::StrCat("(", letter, ")'(", other, ")"), R"(\1 ' \2)");
    add(absl::StrCat("(", letter, ")'(", letter, ")"), R"(\1 '\2)");
    add("([0-9])'(s)", R"(\1 '\2)");
    return list;
  }();
  return *kReplacements;
}

bool EndsSentence(const std::string& word, const std::string* next) {
  if (word.size() < 2 || word.back() != '.' || word[word.size() - 2] == '.') return false;
  if (next != nullptr && (*next)[0] >= 'a' && (*next)[0] <= 'z') return false;
  if (word == "v." || word == "vs." || word == "rev.") return false;
  return word != "pp." || next == nullptr || (*next)[0] < '0' || (*next)[0] > '9';
}

// A period at the end of a word is a word of its own where a sentence ends; "u.s." loses its.
std::string PartPeriod(const std::string& word, const std::string* next) {
  static const RE2* const kAbbreviation = new RE2(R"(.*\..*\.)");
  static const RE2* const kLetter = new RE2("[" UNIVAL_METEOR_LETTERS "]");
  if (RE2::FullMatch(word, *kAbbreviation) && RE2::PartialMatch(word, *kLetter)) {
    return absl::StrReplaceAll(word, {{".", ""}});
  }
  return EndsSentence(word, next) ? absl::StrCat(word.substr(0, word.size() - 1), " .") : word;
}

#undef UNIVAL_METEOR_LETTERS

// Words that carry little meaning: those that METEOR 1.5 counts as function words of English.
bool IsFunctionWord(const std::string& word) {
  static const auto* const kWords = new absl::flat_hash_set<absl::string_view>(absl::StrSplit(
      "the , . to of and a in that for \" is on 's it with was as said at he by be from have has "
      "are his but an this not i will ’ they ) -rrb- ( -lrb- who their had we which were been more "
      "or s its would about new one after you : also up when there than $ all out her people she "
      "year two - can if last first “ over other ” into some what so -- no time years could ? 't — "
      "'",
      ' '));
  return kWords->count(word) > 0;
}

double CountFunctionWords(const std::vector<std::string>& words) {
  double count = 0;
  for (const std::string& word : words) count += IsFunctionWord(word) ? 1 : 0;
  return count;
}

std::vector<std::string> MeteorWords(absl::string_view text) {
  return absl::StrSplit(MeteorText(text), ' ', absl::SkipEmpty());
}

MeteorCounts CountPair(const std::vector<std::string>& candidate,
                       const std::vector<std::string>& reference) {
  MeteorCounts counts = {};
  counts[kCandidateWords] = static_cast<double>(candidate.size());
  counts[kReferenceWords] = static_cast<double>(reference.size());
  counts[kCandidateFunctionWords] = CountFunctionWords(candidate);
  counts[kReferenceFunctionWords] = CountFunctionWords(reference);
  const std::vector<MeteorMatch> matches = AlignWords(candidate, reference);
  for (size_t j = 0; j < matches.size(); ++j) {
    if (matches[j].candidate < 0) continue;
    const int module = matches[j].by_stem ? 2 : 0;
    const std::string& said = candidate[static_cast<size_t>(matches[j].candidate)];
    counts[kCandidateExact + module + (IsFunctionWord(said) ? 1 : 0)] += 1;
    counts[kReferenceExact + module + (IsFunctionWord(reference[j]) ? 1 : 0)] += 1;
  }
  counts[kChunks] = CountChunks(matches);
  return counts;
}

// Words, or matched words from `first` on, weighed: function words little, stems less.
double WeighedMatches(const MeteorCounts& counts, int first) {
  constexpr double kDelta = 0.75, kStem = 0.6;
  return kDelta * (counts[first] + kStem * counts[first + 2]) +
         (1 - kDelta) * (counts[first + 1] + kStem * counts[first + 3]);
}

double WeighedWords(double words, double function_words) {
  constexpr double kDelta = 0.75;
  return kDelta * (words - function_words) + (1 - kDelta) * function_words;
}

double Matches(const MeteorCounts& counts, int first) {
  return counts[first] + counts[first + 1] + counts[first + 2] + counts[first + 3];
}

}  // namespace

std::string MeteorText(absl::string_view text) {
  // Without marks there is nothing to be replaced and no period to be parted.
  const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c == ' ' || absl::ascii_isalnum(static_cast<unsigned char>(c));
  });
  if (is_plain) return absl::StrJoin(SplitWords(text), " ");
  std::string line = absl::StrCat(" ", text, " ");
  for (const Replacement& replacement : MeteorReplacements()) {
    RE2::GlobalReplace(&line, *replacement.pattern, replacement.with);
  }
  std::vector<std::string> words;
  for (const absl::string_view word : SplitWords(line)) words.emplace_back(word);
  std::vector<std::string> parted;
  for (size_t i = 0; i < words.size(); ++i) {
    parted.push_back(PartPeriod(words[i], i + 1 < words.size() ? &words[i + 1] : nullptr));
  }
  return absl::StrJoin(parted, " ");
}

MeteorCounts CountMeteor(const CaptionItem& item) {
  const std::vector<std::string> candidate = MeteorWords(item.candidate);
  MeteorCounts best = {};
  double best_score = -1;
  for (const std::string& text : item.references) {
    const MeteorCounts counts = CountPair(candidate, MeteorWords(text));
    const double score = MeteorScore(counts);
    if (score > best_score) best = counts, best_score = score;
  }
  return best;
}

double MeteorScore(const MeteorCounts& counts) {
  constexpr double kAlpha = 0.85, kBeta = 0.2, kGamma = 0.6;
  const double said = Matches(counts, kCandidateExact), right = Matches(counts, kReferenceExact);
  if (said == 0 || right == 0) return 0;
  const double precision = WeighedMatches(counts, kCandidateExact) /
                           WeighedWords(counts[kCandidateWords], counts[kCandidateFunctionWords]);
  const double recall = WeighedMatches(counts, kReferenceExact) /
                        WeighedWords(counts[kReferenceWords], counts[kReferenceFunctionWords]);
  const double mean = 1 / ((1 - kAlpha) / precision + kAlpha / recall);
  const bool same =
      said == counts[kCandidateWords] && right == counts[kReferenceWords] && counts[kChunks] == 1;
  const double fragments = same ? 0 : counts[kChunks] / ((said + right) / 2);
  return std::max(0.0, mean * (1 - kGamma * std::pow(fragments, kBeta)));
}

}  // namespace unival
