#include "tasks/metrics/caption_scores.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "tasks/metrics/ngrams.h"

namespace unival {
namespace {

// Bytes of the white space that `text` begins with, 0 for none: one character.
size_t BlankLength(absl::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte == ' ' || (byte >= 0x9 && byte <= 0xD) || (byte >= 0x1C && byte <= 0x1F)) return 1;
  if (byte < 0x80) return 0;
  for (const char* wide : {"\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
                           "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A",
                           "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"}) {
    if (absl::StartsWith(text, wide)) return absl::string_view(wide).size();
  }
  return 0;
}

// Number of n-grams of the candidate that occur in a reference. An n-gram counts at most as often
// as it occurs in one reference, so that repeating a word gains nothing.
double ClippedMatches(const NumberedWords& candidate, const std::vector<NumberedWords>& references,
                      size_t n) {
  NgramMap most;
  for (const NumberedWords& reference : references) {
    for (const auto& [ngram, count] : CountNgrams(reference, n)) {
      double& of_one = most[ngram];
      of_one = std::max(of_one, count);
    }
  }
  double matches = 0;
  for (const auto& [ngram, count] : CountNgrams(candidate, n)) {
    const auto found = most.find(ngram);
    if (found != most.end()) matches += std::min(count, found->second);
  }
  return matches;
}

size_t ClosestLength(const std::vector<NumberedWords>& references, size_t length) {
  size_t best = 0, best_distance = static_cast<size_t>(-1);
  for (const NumberedWords& reference : references) {
    const size_t size = reference.size();
    const size_t distance = size > length ? size - length : length - size;
    if (distance < best_distance || (distance == best_distance && size < best)) {
      best = size;
      best_distance = distance;
    }
  }
  return best;
}

size_t LongestCommonSubsequence(const Words& a, const Words& b) {
  std::vector<size_t> row(b.size() + 1, 0);
  for (const absl::string_view word : a) {
    size_t diagonal = 0;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = word == b[j - 1] ? diagonal + 1 : std::max(above, row[j - 1]);
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

std::vector<absl::string_view> SplitWords(absl::string_view text) {
  Words words;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size();) {
    const size_t blank = i < text.size() ? BlankLength(text.substr(i)) : 1;
    if (blank == 0) {
      ++i;
      continue;
    }
    if (i > begin) words.push_back(text.substr(begin, i - begin));
    begin = i += blank;
  }
  return words;
}

BleuCounts CountBleu(const CaptionItem& item) {
  BleuCounts counts = {};
  WordNumbers numbers;
  const NumberedWords candidate = numbers.Of(SplitWords(item.candidate));
  std::vector<NumberedWords> references;
  for (const std::string& text : item.references)
    references.push_back(numbers.Of(SplitWords(text)));
  for (size_t n = 0; n < kNgramOrders; ++n) {
    counts[n] = ClippedMatches(candidate, references, n + 1);
    if (candidate.size() > n) counts[4 + n] = static_cast<double>(candidate.size() - n);
  }
  counts[8] = static_cast<double>(candidate.size());
  counts[9] = static_cast<double>(ClosestLength(references, candidate.size()));
  return counts;
}

std::array<double, 4> BleuOfCounts(const BleuCounts& counts) {
  constexpr double kTiny = 1e-15, kSmall = 1e-9;  // the original's guards against zeros
  const double ratio = (counts[8] + kTiny) / (counts[9] + kSmall);
  const double brevity = ratio < 1 ? std::exp(1 - 1 / ratio) : 1;
  std::array<double, 4> bleu = {};
  double product = 1;
  for (size_t n = 0; n < kNgramOrders; ++n) {
    product *= (counts[n] + kTiny) / (counts[4 + n] + kSmall);
    bleu[n] = std::pow(product, 1.0 / static_cast<double>(n + 1)) * brevity;
  }
  return bleu;
}

std::array<double, 4> Bleu(const std::vector<CaptionItem>& items) {
  if (items.empty()) return {};
  BleuCounts sums = {};
  for (const CaptionItem& item : items) {
    const BleuCounts counts = CountBleu(item);
    for (size_t k = 0; k < sums.size(); ++k) sums[k] += counts[k];
  }
  return BleuOfCounts(sums);
}

double RougeL(const CaptionItem& item) {
  constexpr double kBeta2 = 1.2 * 1.2;
  // The original splits at single blanks, so that an empty text has one word, the empty one.
  const Words candidate = absl::StrSplit(item.candidate, ' ');
  double precision = 0, recall = 0;
  for (const std::string& text : item.references) {
    const Words reference = absl::StrSplit(text, ' ');
    const auto common = static_cast<double>(LongestCommonSubsequence(candidate, reference));
    precision = std::max(precision, common / static_cast<double>(candidate.size()));
    recall = std::max(recall, common / static_cast<double>(reference.size()));
  }
  if (precision == 0 || recall == 0) return 0;
  return (1 + kBeta2) * precision * recall / (recall + kBeta2 * precision);
}

}  // namespace unival
