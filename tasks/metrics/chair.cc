// CHAIR: Rohrbach et al., "Object Hallucination in Image Captioning", 2018.
#include "tasks/metrics/chair.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tasks/metrics/caption_scores.h"
#include "tasks/metrics/families.h"
#include "tasks/metrics/meteor_alignment.h"
#include "tasks/metrics/ptb_tokenizer.h"
#include "tasks/metrics/sum_metric.h"

namespace unival {
namespace {

std::vector<std::string> StemmedWords(const std::string& text) {
  std::vector<std::string> words;
  const std::string tokens = TokenizeCaptions({text})[0];
  for (const absl::string_view word : SplitWords(tokens)) words.emplace_back(word);
  return Stems(words);
}

// Mentions, those of things that are not there, and whether there is one.
std::vector<Statistics> ChairRows(const std::vector<ScoredText>& texts) {
  ObjectLexicon lexicon;
  for (const ScoredText& text : texts) {
    for (const std::string& object : text.objects) lexicon.Add(object);
  }
  std::vector<Statistics> rows;
  for (const ScoredText& text : texts) {
    std::set<std::string> there;
    for (const std::string& object : text.objects) there.insert(lexicon.FirstName(object));
    for (const std::string& reference : text.references) {
      for (std::string& name : lexicon.Mentions(reference)) there.insert(std::move(name));
    }
    double mentions = 0, absent = 0;
    for (const std::string& name : lexicon.Mentions(text.text)) {
      mentions += 1;
      absent += there.count(name) > 0 ? 0 : 1;
    }
    rows.push_back({mentions, absent, absent > 0 ? 1.0 : 0.0});
  }
  return rows;
}

}  // namespace

void ObjectLexicon::Add(const std::string& entry) {
  const std::vector<std::string> names = absl::StrSplit(entry, '|');
  const std::string first = FirstName(entry);
  for (const std::string& name : names) {
    const std::vector<std::string> stems = StemmedWords(name);
    if (stems.empty()) continue;
    first_names_.emplace(absl::StrJoin(stems, " "), first);
    longest_ = std::max(longest_, stems.size());
  }
}

std::string ObjectLexicon::FirstName(const std::string& entry) const {
  const std::string name = entry.substr(0, entry.find('|'));
  const std::string stems = absl::StrJoin(StemmedWords(name), " ");
  const auto found = first_names_.find(stems);
  return found == first_names_.end() ? stems : found->second;
}

std::vector<std::string> ObjectLexicon::Mentions(const std::string& text) const {
  const std::vector<std::string> stems = StemmedWords(text);
  std::vector<std::string> mentions;
  for (size_t i = 0; i < stems.size();) {
    size_t taken = 0;
    for (size_t n = std::min(longest_, stems.size() - i); n > 0 && taken == 0; --n) {
      const auto begin = stems.begin() + static_cast<std::ptrdiff_t>(i);
      const auto found =
          first_names_.find(absl::StrJoin(begin, begin + static_cast<std::ptrdiff_t>(n), " "));
      if (found == first_names_.end()) continue;
      mentions.push_back(found->second);
      taken = n;
    }
    i += std::max<size_t>(1, taken);
  }
  return mentions;
}

std::vector<MetricFactory> HallucinationMetrics() {
  SumScorer scorer;
  scorer.infos = {{"chair_i", ScoreOrder::kLessIsBetter}, {"chair_s", ScoreOrder::kLessIsBetter}};
  scorer.statistics = &ChairRows;
  scorer.scores = [](const Statistics& sums, double count) -> std::vector<double> {
    return {sums[1] / std::max(1.0, sums[0]), sums[2] / count};
  };
  scorer.needs_objects = true;
  return {SumMetricFactory("chair",
                           "CHAIR: share of mentioned objects that are not there (chair_i) and of "
                           "captions that mention one (chair_s), by column `objects`; less is "
                           "better",
                           std::move(scorer))};
}

}  // namespace unival
