#include "tasks/metrics/sum_metric.h"

#include <map>
#include <memory>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/caption_scores.h"
#include "tasks/metrics/scored_metric.h"

namespace unival {
namespace {

class SumMetric : public ScoredMetric {
 public:
  SumMetric(std::string name, SumScorer scorer, ReferenceReader reader)
      : name_(std::move(name)), scorer_(std::move(scorer)), reader_(std::move(reader)) {}

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(References references, ReadTexts(reader_, reference));
    ScoredText text{prediction.text, std::move(references.texts), {}};
    UNIVAL_RETURN_IF_ERROR(CheckLength(reference.key, text.text));
    for (const std::string& right : text.references) {
      UNIVAL_RETURN_IF_ERROR(CheckLength(reference.key, right));
    }
    if (scorer_.needs_objects) UNIVAL_RETURN_IF_ERROR(ReadObjects(reference, &text.objects));
    texts_.push_back(std::move(text));
    prepared_ = 0;
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample& reference) override {
    if (Add(reference, Prediction()).ok()) return;
    texts_.push_back(ScoredText());  // not even references: an empty answer that matches nothing
    prepared_ = 0;
  }

  int64_t samples() const override { return static_cast<int64_t>(texts_.size()); }

  std::vector<MetricColumn> Columns() const override {
    if (!scorer_.needs_objects) return {};
    return {{kObjectsColumn, name_, /*is_list=*/true}};
  }

  std::map<std::string, double> Scores(const std::vector<double>& draws) const override {
    Prepare();
    Statistics sums(width_, 0);
    const double* row = statistics_.data();
    for (size_t i = 0; i < draws.size(); ++i, row += width_) {
      for (size_t k = 0; k < width_; ++k) sums[k] += draws[i] * row[k];
    }
    const double count = std::accumulate(draws.begin(), draws.end(), 0.0);
    std::vector<double> scores(scorer_.infos.size(), 0);
    if (count > 0) scores = scorer_.scores(sums, count);
    std::map<std::string, double> result;
    for (size_t k = 0; k < scores.size(); ++k) result[scorer_.infos[k].name] = scores[k];
    return result;
  }

  SampleValues PerSample() const override {
    Prepare();
    std::vector<std::vector<double>> columns(scorer_.infos.size());
    for (size_t i = 0; i < texts_.size(); ++i) {
      const double* row = statistics_.data() + i * width_;
      const std::vector<double> scores = scorer_.scores(Statistics(row, row + width_), 1);
      for (size_t k = 0; k < scores.size(); ++k) columns[k].push_back(scores[k]);
    }
    SampleValues values;
    if (texts_.empty()) return values;
    for (size_t k = 0; k < columns.size(); ++k)
      values[scorer_.infos[k].name] = std::move(columns[k]);
    return values;
  }

 private:
  absl::Status CheckLength(const std::string& key, absl::string_view text) const {
    if (scorer_.most_words == 0) return absl::OkStatus();
    const auto words = static_cast<int64_t>(SplitWords(text).size());
    if (words <= scorer_.most_words) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        key, ": ", scorer_.infos[0].name, ": expected texts of at most ", scorer_.most_words,
        " words, got one of ", words, "; leave the record out, or choose another metric"));
  }

  static absl::Status ReadObjects(const TaskSample& sample, std::vector<std::string>* objects) {
    const auto found = sample.fields.find(kObjectsColumn);
    const auto* list = found == sample.fields.end()
                           ? nullptr
                           : std::get_if<std::vector<std::string>>(&found->second);
    if (list == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(sample.key,
                       ": expected column \"objects\" with a list of texts, the things "
                       "that the picture shows; add it (an empty list for none)"));
    }
    *objects = *list;
    return absl::OkStatus();
  }

  // Makes the statistics of all samples when they are first asked for.
  void Prepare() const {
    if (prepared_ == texts_.size()) return;
    const std::vector<Statistics> rows = scorer_.statistics(texts_);
    width_ = rows.empty() ? 0 : rows[0].size();
    statistics_.clear();
    statistics_.reserve(rows.size() * width_);
    for (const Statistics& row : rows)
      statistics_.insert(statistics_.end(), row.begin(), row.end());
    prepared_ = texts_.size();
  }

  const std::string name_;
  const SumScorer scorer_;
  const ReferenceReader reader_;
  std::vector<ScoredText> texts_;
  // Rows of `width_` numbers, one for each text, in one piece: resampling reads them a thousand
  // times. Of no texts there is nothing to prepare.
  mutable std::vector<double> statistics_;
  mutable size_t width_ = 0, prepared_ = 0;
};

}  // namespace

MetricFactory SumMetricFactory(const std::string& name, const std::string& summary,
                               SumScorer scorer) {
  const auto create = [name, scorer](ReferenceReader reader) {
    return std::unique_ptr<Metric>(new SumMetric(name, scorer, std::move(reader)));
  };
  return {name, summary, /*needs_box=*/false, create, scorer.infos};
}

}  // namespace unival
