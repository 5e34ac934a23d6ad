#include <algorithm>
#include <cmath>
#include <set>

#include "tasks/metrics/caption_scores.h"
#include "tasks/metrics/ngrams.h"

namespace unival {
namespace {

// A caption as tf-idf vectors, one per order.
struct CiderVector {
  std::array<NgramCounts, kNgramOrders> weights;
  std::array<double, kNgramOrders> norms = {};
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
    for (size_t n = 0; n < kNgramOrders; ++n) {
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
      for (size_t n = 1; n <= kNgramOrders; ++n) {
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
  NgramCounts frequencies_;
};

// The cosine of the two vectors, averaged over orders. `damped` gives CIDEr-D: counts are clipped,
// and the value falls as the lengths differ more.
double Similarity(const CiderVector& candidate, const CiderVector& reference, bool damped) {
  constexpr double kSigma = 6;
  const double delta = candidate.length - reference.length;
  const double damping = damped ? std::exp(-delta * delta / (2 * kSigma * kSigma)) : 1;
  double sum = 0;
  for (size_t n = 0; n < kNgramOrders; ++n) {
    double product = 0;
    for (const auto& [ngram, weight] : candidate.weights[n]) {
      const auto found = reference.weights[n].find(ngram);
      if (found != reference.weights[n].end()) {
        product += (damped ? std::min(weight, found->second) : weight) * found->second;
      }
    }
    const double norms = candidate.norms[n] * reference.norms[n];
    if (norms != 0) product /= norms;
    sum += product * damping;
  }
  return sum / kNgramOrders;
}

std::vector<double> CiderOf(const std::vector<CaptionItem>& items, bool damped) {
  const DocumentFrequencies frequencies(items);
  std::vector<double> scores;
  for (const CaptionItem& item : items) {
    const CiderVector candidate = frequencies.Vector(item.candidate);
    double sum = 0;
    for (const std::string& reference : item.references) {
      sum += Similarity(candidate, frequencies.Vector(reference), damped);
    }
    const double count = static_cast<double>(std::max<size_t>(1, item.references.size()));
    scores.push_back(10 * sum / count);
  }
  return scores;
}

}  // namespace

std::vector<double> CiderD(const std::vector<CaptionItem>& items) {
  return CiderOf(items, /*damped=*/true);
}

std::vector<double> PlainCider(const std::vector<CaptionItem>& items) {
  return CiderOf(items, /*damped=*/false);
}

}  // namespace unival
