#include "tasks/metrics/metrics.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/boxes.h"
#include "tasks/metrics/caption_scores.h"

namespace unival {
namespace {

// Lower case, single blanks; without ASCII punctuation if asked.
std::string Normalize(absl::string_view text, bool drop_punctuation) {
  std::string kept;
  for (const char c : text) {
    if (drop_punctuation && absl::ascii_ispunct(static_cast<unsigned char>(c))) continue;
    kept += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  absl::RemoveExtraAsciiWhitespace(&kept);
  return kept;
}

std::string LastWord(absl::string_view text) {
  const std::string words = Normalize(text, /*drop_punctuation=*/true);
  return words.substr(words.rfind(' ') + 1);
}

template <typename Matches>
double AnyMatches(const References& references, Matches matches) {
  return std::any_of(references.texts.begin(), references.texts.end(), matches) ? 1 : 0;
}

double ExactMatch(const References& references, const Prediction& prediction) {
  const std::string answer = Normalize(prediction.text, false);
  return AnyMatches(references,
                    [&](const std::string& text) { return Normalize(text, false) == answer; });
}

double Accuracy(const References& references, const Prediction& prediction) {
  const std::string answer = Normalize(prediction.text, true);
  return AnyMatches(references,
                    [&](const std::string& text) { return Normalize(text, true) == answer; });
}

double LastWordMatch(const References& references, const Prediction& prediction) {
  const std::string answer = LastWord(prediction.text);
  return AnyMatches(references, [&](const std::string& text) { return LastWord(text) == answer; });
}

double Contains(const References& references, const Prediction& prediction) {
  const std::string answer = absl::StrCat(" ", Normalize(prediction.text, true), " ");
  return AnyMatches(references, [&](const std::string& text) {
    return absl::StrContains(answer, absl::StrCat(" ", Normalize(text, true), " "));
  });
}

double BoxOverlap(const References& references, const Prediction& prediction) {
  if (!references.box.has_value() || !prediction.box.has_value()) return 0;
  return IntersectionOverUnion(*references.box, *prediction.box);
}

double BoxHit(const References& references, const Prediction& prediction) {
  return BoxOverlap(references, prediction) >= 0.5 ? 1 : 0;
}

using Score = double (*)(const References&, const Prediction&);

// The mean of a score over samples, in all and per `kind`.
class MeanMetric : public Metric {
 public:
  MeanMetric(std::string name, Score score, ReferenceReader reader)
      : name_(std::move(name)), score_(score), reader_(std::move(reader)) {}

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(const References references, reader_(reference));
    Record(reference, score_(references, prediction));
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample& reference) override { Record(reference, 0); }

  std::map<std::string, double> Result() const override {
    std::map<std::string, double> result;
    for (const auto& [key, mean] : means_) result[key] = mean.sum / mean.count;
    if (means_.empty()) result[name_] = 0;
    return result;
  }

 private:
  struct Mean {
    double sum = 0, count = 0;
    void Add(double value) {
      sum += value;
      count += 1;
    }
  };

  void Record(const TaskSample& sample, double value) {
    means_[name_].Add(value);
    const auto kind = sample.fields.find("kind");
    if (kind == sample.fields.end()) return;
    const auto* text = std::get_if<std::string>(&kind->second);
    if (text != nullptr) means_[absl::StrCat(name_, "/kind=", *text)].Add(value);
  }

  const std::string name_;
  const Score score_;
  const ReferenceReader reader_;
  std::map<std::string, Mean> means_;
};

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
    CaptionItem item{Normalize(prediction.text, true), std::move(references.texts)};
    for (std::string& text : item.references) text = Normalize(text, true);
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

class CombinedMetric : public Metric {
 public:
  explicit CombinedMetric(std::vector<std::unique_ptr<Metric>> metrics)
      : metrics_(std::move(metrics)) {}

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    for (const auto& metric : metrics_) {
      UNIVAL_RETURN_IF_ERROR(metric->Add(reference, prediction));
    }
    ++samples_;
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample& reference) override {
    for (const auto& metric : metrics_) metric->AddFailure(reference);
    ++samples_;
    ++failures_;
  }
  std::map<std::string, double> Result() const override {
    std::map<std::string, double> result = {{"samples", samples_}, {"failures", failures_}};
    for (const auto& metric : metrics_) result.merge(metric->Result());
    return result;
  }

 private:
  const std::vector<std::unique_ptr<Metric>> metrics_;
  double samples_ = 0, failures_ = 0;
};

struct MeanEntry {
  absl::string_view name, result;
  Score score;
  bool needs_box;
};
constexpr MeanEntry kMeans[] = {
    {"exact_match", "exact_match", &ExactMatch, false}, {"accuracy", "accuracy", &Accuracy, false},
    {"last_word", "last_word", &LastWordMatch, false},  {"contains", "contains", &Contains, false},
    {"mean_iou", "mean_iou", &BoxOverlap, true},        {"iou", "iou@0.5", &BoxHit, true}};

struct CaptionEntry {
  absl::string_view name;
  CaptionMetric::Scorer scorer;
};
constexpr CaptionEntry kCaptions[] = {
    {"bleu", &BleuScores}, {"rouge_l", &RougeScores}, {"cider", &CiderScores}};

}  // namespace

absl::StatusOr<std::unique_ptr<Metric>> CreateMetric(absl::string_view name,
                                                     ReferenceReader reader) {
  for (const MeanEntry& entry : kMeans) {
    if (entry.name != name) continue;
    return std::unique_ptr<Metric>(
        new MeanMetric(std::string(entry.result), entry.score, std::move(reader)));
  }
  for (const CaptionEntry& entry : kCaptions) {
    if (entry.name != name) continue;
    return std::unique_ptr<Metric>(new CaptionMetric(entry.scorer, std::move(reader)));
  }
  return CheckMetricName(name);
}

absl::Status CheckMetricName(absl::string_view name) {
  const std::vector<std::string> known = MetricNames();
  if (std::find(known.begin(), known.end(), name) != known.end()) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("unknown metric '", name, "'; known: ", absl::StrJoin(known, ", ")));
}

bool MetricNeedsBox(absl::string_view name) {
  return std::any_of(std::begin(kMeans), std::end(kMeans),
                     [&](const MeanEntry& entry) { return entry.name == name && entry.needs_box; });
}

std::vector<std::string> MetricNames() {
  std::vector<std::string> names;
  for (const MeanEntry& entry : kMeans) names.emplace_back(entry.name);
  for (const CaptionEntry& entry : kCaptions) names.emplace_back(entry.name);
  std::sort(names.begin(), names.end());
  return names;
}

std::unique_ptr<Metric> CombineMetrics(std::vector<std::unique_ptr<Metric>> metrics) {
  return std::make_unique<CombinedMetric>(std::move(metrics));
}

}  // namespace unival
