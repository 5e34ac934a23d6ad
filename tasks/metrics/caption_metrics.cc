// Metrics that score all captions together.
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "sdk/base/status_macros.h"
#include "tasks/metrics/caption_scores.h"
#include "tasks/metrics/families.h"
#include "tasks/metrics/normalize_text.h"

namespace unival {
namespace {

using CaptionScores = std::map<std::string, double>;

CaptionScores BleuScores(const std::vector<CaptionItem>& items) {
  const std::array<double, 4> bleu = Bleu(items);
  return {{"bleu_1", bleu[0]}, {"bleu_2", bleu[1]}, {"bleu_3", bleu[2]}, {"bleu_4", bleu[3]}};
}

double MeanOf(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

CaptionScores RougeScores(const std::vector<CaptionItem>& items) {
  std::vector<double> scores;
  for (const CaptionItem& item : items) scores.push_back(RougeL(item));
  return {{"rouge_l", MeanOf(scores)}};
}

CaptionScores CiderScores(const std::vector<CaptionItem>& items) {
  return {{"cider", MeanOf(CiderD(items))}};
}

// Collects captions, lower-cased and without ASCII punctuation, and scores them together.
class CaptionMetric : public Metric {
 public:
  using Scorer = CaptionScores (*)(const std::vector<CaptionItem>&);
  CaptionMetric(Scorer scorer, ReferenceReader reader)
      : scorer_(scorer), reader_(std::move(reader)) {}

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(References references, reader_(reference));
    CaptionItem item{NormalizeText(prediction.text, true), std::move(references.texts)};
    for (std::string& text : item.references) text = NormalizeText(text, true);
    items_.push_back(std::move(item));
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample& reference) override {
    if (Add(reference, Prediction()).ok()) return;
    items_.push_back(CaptionItem());  // not even references: an empty answer that matches nothing
  }
  std::map<std::string, double> Result() const override { return scorer_(items_); }

 private:
  const Scorer scorer_;
  const ReferenceReader reader_;
  std::vector<CaptionItem> items_;
};

MetricFactory CaptionMetricFactory(const char* name, const char* summary,
                                   CaptionMetric::Scorer scorer) {
  return {name, summary, /*needs_box=*/false, [scorer](ReferenceReader reader) {
            return std::unique_ptr<Metric>(new CaptionMetric(scorer, std::move(reader)));
          }};
}

}  // namespace

std::vector<MetricFactory> CaptionMetrics() {
  return {CaptionMetricFactory("bleu", "corpus BLEU-1 to BLEU-4, closest reference length",
                               &BleuScores),
          CaptionMetricFactory("rouge_l", "ROUGE-L F, beta 1.2", &RougeScores),
          CaptionMetricFactory("cider", "CIDEr-D, document frequencies from the references",
                               &CiderScores)};
}

}  // namespace unival
