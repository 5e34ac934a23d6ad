// unival: ngrams.h - counts of word sequences, for metrics of captions.
//
//   WordNumbers numbers;
//   for (const NgramCount& one : CountNgrams(numbers.Of(SplitWords(text)), 2)) ...
#ifndef UNIVAL_TASKS_METRICS_NGRAMS_H_
#define UNIVAL_TASKS_METRICS_NGRAMS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace unival {

constexpr size_t kNgramOrders = 4;  // n-grams of 1..4 words

using Words = std::vector<absl::string_view>;
using NumberedWords = std::vector<uint32_t>;

// A number for each word, so that sequences are compared without their texts. For one thread.
class WordNumbers {
 public:
  // The words' texts have to live as long as this.
  NumberedWords Of(const Words& words);

 private:
  absl::flat_hash_map<absl::string_view, uint32_t> numbers_;
};

// The words of an n-gram; places that it has not hold kNoWord.
constexpr uint32_t kNoWord = 0xFFFFFFFF;
using Ngram = std::array<uint32_t, kNgramOrders>;
// Whether two are equal. The array's own comparison calls memcmp, which costs more than all the
// rest of counting.
struct SameNgram {
  bool operator()(const Ngram& a, const Ngram& b) const {
    uint32_t difference = 0;
    for (size_t i = 0; i < kNgramOrders; ++i) difference |= a[i] ^ b[i];
    return difference == 0;
  }
};
using NgramMap = absl::flat_hash_map<Ngram, double, absl::Hash<Ngram>, SameNgram>;

struct NgramCount {
  Ngram ngram;
  double count = 0;
};

// The n-grams of order `n` with how often each occurs, in the order of their first occurrence: what
// is summed over them is the same in every run.
std::vector<NgramCount> CountNgrams(const NumberedWords& words, size_t n);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_NGRAMS_H_
