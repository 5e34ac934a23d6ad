#include "tasks/metrics/ngrams.h"

#include <algorithm>

namespace unival {

NumberedWords WordNumbers::Of(const Words& words) {
  NumberedWords numbers;
  numbers.reserve(words.size());
  for (const absl::string_view word : words) {
    const auto next = static_cast<uint32_t>(numbers_.size());
    numbers.push_back(numbers_.emplace(word, next).first->second);
  }
  return numbers;
}

std::vector<NgramCount> CountNgrams(const NumberedWords& words, size_t n) {
  std::vector<NgramCount> counts;
  if (words.size() < n) return counts;
  const size_t places = words.size() - n + 1;
  counts.reserve(places);
  // Most texts are short: looking through what is there takes less than a table.
  constexpr size_t kFew = 24;
  absl::flat_hash_map<Ngram, size_t, absl::Hash<Ngram>, SameNgram> index;
  for (size_t i = 0; i < places; ++i) {
    Ngram ngram;
    ngram.fill(kNoWord);
    std::copy_n(words.begin() + static_cast<std::ptrdiff_t>(i), n, ngram.begin());
    size_t at = counts.size();
    if (places > kFew) {
      at = index.emplace(ngram, at).first->second;
    } else {
      const auto same = std::find_if(counts.begin(), counts.end(), [&ngram](const NgramCount& one) {
        return SameNgram()(one.ngram, ngram);
      });
      at = static_cast<size_t>(same - counts.begin());
    }
    if (at == counts.size()) counts.push_back({ngram, 0});
    counts[at].count += 1;
  }
  return counts;
}

}  // namespace unival
