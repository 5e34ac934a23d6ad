// Metrics that score all captions together.
#include "tasks/metrics/caption_metrics.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "tasks/metrics/caption_scores.h"
#include "tasks/metrics/families.h"
#include "tasks/metrics/meteor.h"
#include "tasks/metrics/ptb_tokenizer.h"
#include "tasks/metrics/sum_metric.h"

namespace unival {
namespace {

using Items = std::vector<CaptionItem>;

// The texts as words. References are read in one go, and so are candidates, as the original does.
Items MakeItems(const std::vector<ScoredText>& texts, CaptionWords words) {
  std::vector<std::string> said, right;
  for (const ScoredText& text : texts) {
    said.push_back(text.text);
    right.insert(right.end(), text.references.begin(), text.references.end());
  }
  if (words == CaptionWords::kPennTreebank) {
    said = TokenizeCaptions(said);
    right = TokenizeCaptions(right);
  }
  Items items;
  auto next = right.begin();
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto end = next + static_cast<std::ptrdiff_t>(texts[i].references.size());
    items.push_back({said[i], {next, end}});
    next = end;
  }
  return items;
}

// Keeps the words of the last texts it was asked for. The metrics of a run ask for the same texts
// one after another, and splitting texts into words takes most of the time of most metrics.
// Thread-safe; no lock is held while texts are split.
class LastItems {
 public:
  std::shared_ptr<const Items> Of(const std::vector<ScoredText>& texts, CaptionWords words) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (last_ != nullptr && IsSame(last_->texts, texts)) return {last_, &last_->items};
    }
    const auto fresh = std::make_shared<const Entry>(Entry{texts, MakeItems(texts, words)});
    const std::lock_guard<std::mutex> lock(mutex_);
    last_ = fresh;
    return {fresh, &fresh->items};
  }

 private:
  struct Entry {
    std::vector<ScoredText> texts;
    Items items;
  };

  static bool IsSame(const std::vector<ScoredText>& a, const std::vector<ScoredText>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const ScoredText& one, const ScoredText& other) {
                        return one.text == other.text && one.references == other.references;
                      });
  }

  std::mutex mutex_;
  std::shared_ptr<const Entry> last_;
};

// `row_of` each item, on all threads: items do not see each other.
template <typename RowOf>
std::vector<Statistics> RowsOf(const Items& items, const RowOf& row_of) {
  std::vector<Statistics> rows(items.size());
  constexpr int64_t kTogether = 256;
  at::parallel_for(0, static_cast<int64_t>(items.size()), kTogether,
                   [&](int64_t begin, int64_t end) {
                     for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
                       rows[i] = row_of(items[i]);
                   });
  return rows;
}

std::vector<Statistics> BleuRows(const Items& items) {
  return RowsOf(items, [](const CaptionItem& item) {
    const BleuCounts counts = CountBleu(item);
    return Statistics(counts.begin(), counts.end());
  });
}

std::vector<double> BleuOfSums(const Statistics& sums, double /*count*/) {
  BleuCounts counts;
  std::copy(sums.begin(), sums.end(), counts.begin());
  const std::array<double, 4> bleu = BleuOfCounts(counts);
  return {bleu.begin(), bleu.end()};
}

std::vector<Statistics> MeteorRows(const Items& items) {
  return RowsOf(items, [](const CaptionItem& item) {
    const MeteorCounts counts = CountMeteor(item);
    return Statistics(counts.begin(), counts.end());
  });
}

std::vector<double> MeteorOfSums(const Statistics& sums, double /*count*/) {
  MeteorCounts counts;
  std::copy(sums.begin(), sums.end(), counts.begin());
  return {MeteorScore(counts)};
}

std::vector<Statistics> RougeRows(const Items& items) {
  return RowsOf(items, [](const CaptionItem& item) { return Statistics{RougeL(item)}; });
}

std::vector<Statistics> Column(const std::vector<double>& values) {
  std::vector<Statistics> rows;
  for (const double value : values) rows.push_back({value});
  return rows;
}

std::vector<double> MeanOfSums(const Statistics& sums, double count) { return {sums[0] / count}; }

// Words of a text: two of so many take a second or two.
constexpr int64_t kMostCompared = 20000, kMostAligned = 4000;

ScoreInfo Ranked(const char* name, int rank) { return {name, ScoreOrder::kMoreIsBetter, rank}; }

ScoreInfo Remarked(const char* name, const char* remark) {
  ScoreInfo info;
  info.name = name;
  info.remark = remark;
  return info;
}

using Rows = std::vector<Statistics> (*)(const Items&);

// How a metric gets the words of its texts.
using ItemsOf = std::function<std::shared_ptr<const Items>(const std::vector<ScoredText>&)>;

MetricFactory Captions(const std::string& name, const std::string& summary, const ItemsOf& words,
                       std::vector<ScoreInfo> scores, Rows rows,
                       std::vector<double> (*of_sums)(const Statistics&, double),
                       int64_t most_words = 0) {
  SumScorer scorer;
  scorer.most_words = most_words;
  scorer.infos = std::move(scores);
  scorer.statistics = [words, rows](const std::vector<ScoredText>& texts) {
    return rows(*words(texts));
  };
  scorer.scores = of_sums;
  return SumMetricFactory(name, summary, std::move(scorer));
}

}  // namespace

std::vector<MetricFactory> CaptionMetricsOver(CaptionWords kind) {
  const auto last = std::make_shared<LastItems>();
  const ItemsOf words = [last, kind](const std::vector<ScoredText>& texts) {
    return last->Of(texts, kind);
  };
  const Rows damped = [](const Items& items) { return Column(CiderD(items)); };
  const Rows plain = [](const Items& items) { return Column(PlainCider(items)); };
  return {
      Captions("bleu", "corpus BLEU-1 to BLEU-4, closest reference length", words,
               {{"bleu_1"}, {"bleu_2"}, {"bleu_3"}, Ranked("bleu_4", 10)}, &BleuRows, &BleuOfSums),
      Captions("rouge_l", "ROUGE-L F, beta 1.2", words, {Ranked("rouge_l", 20)}, &RougeRows,
               &MeanOfSums, kMostCompared),
      Captions("cider",
               "what the COCO caption evaluation prints, and papers quote, as CIDEr: the same as "
               "cider_d",
               words, {Ranked("cider", 30)}, damped, &MeanOfSums),
      Captions("cider_d", "CIDEr-D, document frequencies from the references", words,
               {ScoreInfo{"cider_d"}}, damped, &MeanOfSums),
      Captions("cider_plain",
               "CIDEr as first defined, without CIDEr-D's clipping and length factor", words,
               {ScoreInfo{"cider_plain"}}, plain, &MeanOfSums),
      Captions("meteor",
               absl::StrCat("METEOR 1.5, ", kMeteorModules, "; no synonyms, no paraphrases"), words,
               {Remarked("meteor", kMeteorModules)}, &MeteorRows, &MeteorOfSums, kMostAligned),
  };
}

std::vector<MetricFactory> CaptionMetrics() {
  return CaptionMetricsOver(CaptionWords::kPennTreebank);
}

}  // namespace unival
