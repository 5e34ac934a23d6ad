#include "tasks/metrics/caption_scores.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <unordered_map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace unival {
namespace {

constexpr size_t kOrders = 4;  // n-grams of 1..4 words
using Words = std::vector<absl::string_view>;
using Counts = std::unordered_map<std::string, double>;

Words SplitWords(absl::string_view text) {
  return absl::StrSplit(text, absl::ByAnyChar(" \t\r\n\v\f"), absl::SkipEmpty());
}

// Counts of the n-grams of order `n`.
Counts CountNgrams(const Words& words, size_t n) {
  Counts counts;
  for (size_t i = 0; i + n <= words.size(); ++i) {
    counts[absl::StrJoin(words.begin() + i, words.begin() + i + n, " ")] += 1;
  }
  return counts;
}

// Number of n-grams of the candidate that occur in a reference. An n-gram counts at most as often
// as it occurs in one reference, so that repeating a word gains nothing.
double ClippedMatches(const Words& candidate, const std::vector<Words>& references, size_t n) {
  Counts most;
  for (const Words& reference : references) {
    for (const auto& [ngram, count] : CountNgrams(reference, n)) {
      most[ngram] = std::max(most[ngram], count);
    }
  }
  double matches = 0;
  for (const auto& [ngram, count] : CountNgrams(candidate, n)) {
    const auto found = most.find(ngram);
    if (found != most.end()) matches += std::min(count, found->second);
  }
  return matches;
}

size_t ClosestLength(const std::vector<Words>& references, size_t length) {
  size_t best = 0, best_distance = static_cast<size_t>(-1);
  for (const Words& reference : references) {
    const size_t size = reference.size();
    const size_t distance = size > length ? size - length : length - size;
    if (distance < best_distance || (distance == best_distance && size < best)) {
      best = size;
      best_distance = distance;
    }
  }
  return best;
}

std::vector<Words> SplitAll(const std::vector<std::string>& texts) {
  std::vector<Words> words;
  for (const std::string& text : texts) words.push_back(SplitWords(text));
  return words;
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

// A caption as tf-idf vectors, one per order.
struct CiderVector {
  std::array<Counts, kOrders> weights;
  std::array<double, kOrders> norms = {};
  double length = 0;  // bigrams, as the original counts length
};

// How often n-grams occur, in how many items.
class DocumentFrequencies {
 public:
  explicit DocumentFrequencies(const std::vector<CaptionItem>& items)
      : log_items_(std::log(static_cast<double>(items.size()))) {
    for (const CaptionItem& item : items) AddItem(item);
  }

  CiderVector Vector(const std::string& text) const {
    CiderVector vector;
    const Words words = SplitWords(text);
    for (size_t n = 0; n < kOrders; ++n) {
      vector.weights[n] = CountNgrams(words, n + 1);
      for (auto& [ngram, weight] : vector.weights[n]) {
        if (n == 1) vector.length += weight;
        weight *= log_items_ - LogFrequency(ngram);
        vector.norms[n] += weight * weight;
      }
      vector.norms[n] = std::sqrt(vector.norms[n]);
    }
    return vector;
  }

 private:
  void AddItem(const CaptionItem& item) {
    std::set<std::string> seen;
    for (const std::string& reference : item.references) {
      const Words words = SplitWords(reference);
      for (size_t n = 1; n <= kOrders; ++n) {
        for (const auto& ngram : CountNgrams(words, n)) seen.insert(ngram.first);
      }
    }
    for (const std::string& ngram : seen) frequencies_[ngram] += 1;
  }

  double LogFrequency(const std::string& ngram) const {
    const auto found = frequencies_.find(ngram);
    return found == frequencies_.end() ? 0 : std::log(found->second);
  }

  const double log_items_;
  Counts frequencies_;
};

// Mean over orders of the clipped cosine, damped by the difference in length.
double Similarity(const CiderVector& candidate, const CiderVector& reference) {
  constexpr double kSigma = 6;
  const double delta = candidate.length - reference.length;
  const double damping = std::exp(-delta * delta / (2 * kSigma * kSigma));
  double sum = 0;
  for (size_t n = 0; n < kOrders; ++n) {
    double product = 0;
    for (const auto& [ngram, weight] : candidate.weights[n]) {
      const auto found = reference.weights[n].find(ngram);
      if (found != reference.weights[n].end()) {
        product += std::min(weight, found->second) * found->second;
      }
    }
    const double norms = candidate.norms[n] * reference.norms[n];
    if (norms != 0) product /= norms;
    sum += product * damping;
  }
  return sum / kOrders;
}

}  // namespace

std::array<double, 4> Bleu(const std::vector<CaptionItem>& items) {
  constexpr double kTiny = 1e-15, kSmall = 1e-9;  // the original's guards against zeros
  std::array<double, kOrders> correct = {}, guessed = {};
  double candidate_length = 0, reference_length = 0;
  for (const CaptionItem& item : items) {
    const Words candidate = SplitWords(item.candidate);
    const std::vector<Words> references = SplitAll(item.references);
    candidate_length += static_cast<double>(candidate.size());
    reference_length += static_cast<double>(ClosestLength(references, candidate.size()));
    for (size_t n = 0; n < kOrders; ++n) {
      if (candidate.size() > n) guessed[n] += static_cast<double>(candidate.size() - n);
      correct[n] += ClippedMatches(candidate, references, n + 1);
    }
  }
  std::array<double, 4> bleu = {};
  if (items.empty()) return bleu;
  const double ratio = (candidate_length + kTiny) / (reference_length + kSmall);
  const double brevity = ratio < 1 ? std::exp(1 - 1 / ratio) : 1;
  double product = 1;
  for (size_t n = 0; n < kOrders; ++n) {
    product *= (correct[n] + kTiny) / (guessed[n] + kSmall);
    bleu[n] = std::pow(product, 1.0 / static_cast<double>(n + 1)) * brevity;
  }
  return bleu;
}

double RougeL(const CaptionItem& item) {
  constexpr double kBeta2 = 1.2 * 1.2;
  const Words candidate = SplitWords(item.candidate);
  double precision = 0, recall = 0;
  for (const std::string& text : item.references) {
    const Words reference = SplitWords(text);
    if (candidate.empty() || reference.empty()) continue;
    const auto common = static_cast<double>(LongestCommonSubsequence(candidate, reference));
    precision = std::max(precision, common / static_cast<double>(candidate.size()));
    recall = std::max(recall, common / static_cast<double>(reference.size()));
  }
  if (precision == 0 || recall == 0) return 0;
  return (1 + kBeta2) * precision * recall / (recall + kBeta2 * precision);
}

std::vector<double> CiderD(const std::vector<CaptionItem>& items) {
  const DocumentFrequencies frequencies(items);
  std::vector<double> scores;
  for (const CaptionItem& item : items) {
    const CiderVector candidate = frequencies.Vector(item.candidate);
    double sum = 0;
    for (const std::string& reference : item.references) {
      sum += Similarity(candidate, frequencies.Vector(reference));
    }
    const double count = static_cast<double>(std::max<size_t>(1, item.references.size()));
    scores.push_back(10 * sum / count);
  }
  return scores;
}

}  // namespace unival
