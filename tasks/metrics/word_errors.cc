#include "tasks/metrics/word_errors.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "tasks/metrics/caption_scores.h"
#include "tasks/metrics/families.h"
#include "tasks/metrics/ptb_tokenizer.h"
#include "tasks/metrics/sum_metric.h"

namespace unival {
namespace {

std::vector<std::string> SpokenWords(absl::string_view text) {
  std::vector<std::string> words;
  for (absl::string_view word : SplitWords(text)) {
    const auto is_mark = [](char c) {
      return absl::string_view(".,?!;:\"").find(c) != absl::string_view::npos;
    };
    while (!word.empty() && is_mark(word.front())) word.remove_prefix(1);
    while (!word.empty() && is_mark(word.back())) word.remove_suffix(1);
    if (!word.empty()) words.push_back(LowerCase(std::string(word)));
  }
  return words;
}

// Errors over words of the reference with the lowest rate.
std::vector<Statistics> WordErrorRows(const std::vector<ScoredText>& texts) {
  std::vector<Statistics> rows;
  for (const ScoredText& text : texts) {
    WordErrors best{1, 1};  // a failure without references
    double lowest = -1;
    for (const std::string& reference : text.references) {
      const WordErrors errors = CountWordErrors(text.text, reference);
      const double rate = errors.errors / std::max(1.0, errors.words);
      if (lowest < 0 || rate < lowest) best = errors, lowest = rate;
    }
    rows.push_back({best.errors, best.words});
  }
  return rows;
}

}  // namespace

WordErrors CountWordErrors(absl::string_view said, absl::string_view reference) {
  const std::vector<std::string> a = SpokenWords(said), b = SpokenWords(reference);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return {static_cast<double>(row.back()), static_cast<double>(b.size())};
}

std::vector<MetricFactory> SpeechMetrics() {
  SumScorer scorer;
  scorer.infos = {{"wer", ScoreOrder::kLessIsBetter}};
  scorer.most_words = 20000;  // the work grows with the product of the two lengths
  scorer.statistics = &WordErrorRows;
  scorer.scores = [](const Statistics& sums, double) -> std::vector<double> {
    return {sums[0] / std::max(1.0, sums[1])};
  };
  return {SumMetricFactory("wer",
                           "word error rate: errors of all answers over words of all references; "
                           "less is better",
                           std::move(scorer))};
}

}  // namespace unival
