#include "training/evaluation/constant_answer.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/metric_columns.h"
#include "tasks/metrics/scored_metric.h"

namespace unival {
namespace {

constexpr char kOfKind[] = "/kind=";

using Counts = std::map<std::string, int64_t>;

struct AnswerCounts {
  Counts all;
  std::map<std::string, Counts> of_kind;
};

// How often each text is the answer. Nothing where answers are no texts.
absl::StatusOr<AnswerCounts> CountAnswers(const Task& task, const Source& source) {
  AnswerCounts counts;
  for (int64_t i = 0; i < source.size(); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.Read(i));
    const absl::StatusOr<Prediction> answer = ReferenceAnswer(task, sample);
    if (!answer.ok()) continue;
    if (answer->box || !answer->codes.empty()) return AnswerCounts();
    ++counts.all[answer->text];
    const std::string* kind = TextColumn(sample, kKindColumn);
    if (kind != nullptr) ++counts.of_kind[*kind][answer->text];
  }
  return counts;
}

// The most frequent text; of several the first in their order.
std::string MostFrequent(const Counts& counts) {
  std::string best;
  int64_t most = 0;
  for (const auto& [text, count] : counts) {
    if (count > most) best = text, most = count;
  }
  return best;
}

// The task's metrics where `text_of` says the answer to each record.
template <typename TextOf>
absl::StatusOr<std::map<std::string, double>> ScoreTexts(const Task& task, const Source& source,
                                                         TextOf text_of) {
  const std::unique_ptr<Metric> metric = task.NewMetric();
  Prediction said;
  for (int64_t i = 0; i < source.size(); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.Read(i));
    said.text = text_of(sample);
    if (!metric->Add(sample, said).ok()) metric->AddFailure(sample);
  }
  return metric->Result();
}

}  // namespace

const std::string& ConstantAnswer::TextOf(const std::string& metric) const {
  const size_t at = metric.find(kOfKind);
  if (at == std::string::npos) return text;
  const auto found = text_of_kind.find(metric.substr(at + sizeof(kOfKind) - 1));
  return found == text_of_kind.end() ? text : found->second;
}

absl::StatusOr<absl::optional<ConstantAnswer>> ScoreConstantAnswer(const Task& task,
                                                                   const Source& source) {
  UNIVAL_ASSIGN_OR_RETURN(const AnswerCounts counts, CountAnswers(task, source));
  ConstantAnswer constant;
  constant.text = MostFrequent(counts.all);
  if (constant.text.empty()) return absl::optional<ConstantAnswer>();
  UNIVAL_ASSIGN_OR_RETURN(
      constant.metrics, ScoreTexts(task, source, [&](const TaskSample&) { return constant.text; }));
  if (counts.of_kind.empty()) return absl::optional<ConstantAnswer>(std::move(constant));
  for (const auto& [kind, answers] : counts.of_kind) {
    constant.text_of_kind[kind] = MostFrequent(answers);
  }
  const auto of_its_kind = [&](const TaskSample& sample) {
    const std::string* kind = TextColumn(sample, kKindColumn);
    return kind == nullptr ? constant.text : constant.TextOf(absl::StrCat(kOfKind, *kind));
  };
  UNIVAL_ASSIGN_OR_RETURN(const auto by_kind, ScoreTexts(task, source, of_its_kind));
  for (const auto& [name, value] : by_kind) {
    if (absl::StrContains(name, kOfKind)) constant.metrics[name] = value;
  }
  return absl::optional<ConstantAnswer>(std::move(constant));
}

}  // namespace unival
