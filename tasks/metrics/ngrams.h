// unival: ngrams.h - counts of word sequences, for metrics of captions.
#ifndef UNIVAL_TASKS_METRICS_NGRAMS_H_
#define UNIVAL_TASKS_METRICS_NGRAMS_H_

#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"

namespace unival {

constexpr size_t kNgramOrders = 4;  // n-grams of 1..4 words

using Words = std::vector<absl::string_view>;
using NgramCounts = std::unordered_map<std::string, double>;

// Counts of the n-grams of order `n`, their words joined by blanks.
NgramCounts CountNgrams(const Words& words, size_t n);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_NGRAMS_H_
