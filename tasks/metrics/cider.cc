#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "absl/container/flat_hash_set.h"
#include "tasks/metrics/caption_scores.h"
#include "tasks/metrics/ngrams.h"

namespace unival {
namespace {

// A caption as tf-idf vectors, one per order.
struct CiderVector {
  std::array<std::vector<NgramCount>, kNgramOrders> weights;
  std::array<double, kNgramOrders> norms = {};
  double length = 0;  // bigrams, as the original counts length
};

// The texts of an item as numbers of words.
struct NumberedItem {
  NumberedWords candidate;
  std::vector<NumberedWords> references;
};

std::vector<NumberedItem> Numbered(const std::vector<CaptionItem>& items) {
  WordNumbers numbers;
  std::vector<NumberedItem> numbered(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    numbered[i].candidate = numbers.Of(SplitWords(items[i].candidate));
    for (const std::string& reference : items[i].references)
      numbered[i].references.push_back(numbers.Of(SplitWords(reference)));
  }
  return numbered;
}

// How often n-grams occur, in how many items.
class DocumentFrequencies {
 public:
  explicit DocumentFrequencies(const std::vector<NumberedItem>& items)
      : log_items_(std::log(static_cast<double>(items.size()))) {
    for (const NumberedItem& item : items) AddItem(item);
    for (auto& frequency : log_frequencies_) frequency.second = std::log(frequency.second);
  }

  CiderVector Vector(const NumberedWords& words) const {
    CiderVector vector;
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
  void AddItem(const NumberedItem& item) {
    absl::flat_hash_set<Ngram, absl::Hash<Ngram>, SameNgram> seen;
    for (const NumberedWords& words : item.references) {
      for (size_t n = 1; n <= kNgramOrders; ++n) {
        for (const NgramCount& one : CountNgrams(words, n)) {
          if (seen.insert(one.ngram).second) log_frequencies_[one.ngram] += 1;
        }
      }
    }
  }

  double LogFrequency(const Ngram& ngram) const {
    const auto found = log_frequencies_.find(ngram);
    return found == log_frequencies_.end() ? 0 : found->second;
  }

  const double log_items_;
  NgramMap log_frequencies_;  // while items are added, the frequencies themselves
};

// Finds the weights of n-grams: a table for long texts; most are so short that looking through them
// takes less than making one.
class WeightOf {
 public:
  explicit WeightOf(const std::vector<NgramCount>& weights) : weights_(weights) {
    if (weights.size() <= kFewNgrams) return;
    for (const NgramCount& one : weights) table_.emplace(one.ngram, one.count);
  }

  // Null where it does not occur.
  const double* Find(const Ngram& ngram) const {
    if (weights_.size() > kFewNgrams) {
      const auto found = table_.find(ngram);
      return found == table_.end() ? nullptr : &found->second;
    }
    for (const NgramCount& one : weights_) {
      if (SameNgram()(one.ngram, ngram)) return &one.count;
    }
    return nullptr;
  }

 private:
  static constexpr size_t kFewNgrams = 24;
  const std::vector<NgramCount>& weights_;
  NgramMap table_;
};

// The cosine of the two vectors, averaged over orders. `damped` gives CIDEr-D: counts are clipped,
// and the value falls as the lengths differ more.
double Similarity(const CiderVector& candidate, const CiderVector& reference, bool damped) {
  constexpr double kSigma = 6;
  const double delta = candidate.length - reference.length;
  const double damping = damped ? std::exp(-delta * delta / (2 * kSigma * kSigma)) : 1;
  double sum = 0;
  for (size_t n = 0; n < kNgramOrders; ++n) {
    const WeightOf weight_of(reference.weights[n]);
    double product = 0;
    for (const auto& [ngram, weight] : candidate.weights[n]) {
      const double* of_reference = weight_of.Find(ngram);
      if (of_reference == nullptr) continue;
      product += (damped ? std::min(weight, *of_reference) : weight) * *of_reference;
    }
    const double norms = candidate.norms[n] * reference.norms[n];
    if (norms != 0) product /= norms;
    sum += product * damping;
  }
  return sum / kNgramOrders;
}

std::vector<double> CiderOf(const std::vector<CaptionItem>& items, bool damped) {
  const std::vector<NumberedItem> numbered = Numbered(items);
  const DocumentFrequencies frequencies(numbered);
  std::vector<double> scores(items.size());
  constexpr int64_t kTogether = 256;
  at::parallel_for(
      0, static_cast<int64_t>(items.size()), kTogether, [&](int64_t begin, int64_t end) {
        for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
          const NumberedItem& item = numbered[i];
          const CiderVector candidate = frequencies.Vector(item.candidate);
          double sum = 0;
          for (const NumberedWords& reference : item.references) {
            sum += Similarity(candidate, frequencies.Vector(reference), damped);
          }
          const double count = static_cast<double>(std::max<size_t>(1, item.references.size()));
          scores[i] = 10 * sum / count;
        }
      });
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
