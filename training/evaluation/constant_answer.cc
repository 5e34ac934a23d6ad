#include "training/evaluation/constant_answer.h"

#include <cstdint>
#include <memory>

#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// The most frequent text; of several the first in their order. Empty where answers are no texts.
absl::StatusOr<std::string> MostFrequentAnswer(const Task& task, const Source& source) {
  std::map<std::string, int64_t> counts;
  for (int64_t i = 0; i < source.size(); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.Read(i));
    const absl::StatusOr<Prediction> answer = ReferenceAnswer(task, sample);
    if (!answer.ok()) continue;
    if (answer->box || !answer->codes.empty()) return std::string();
    ++counts[answer->text];
  }
  std::string best;
  int64_t most = 0;
  for (const auto& [text, count] : counts) {
    if (count > most) best = text, most = count;
  }
  return best;
}

}  // namespace

absl::StatusOr<absl::optional<ConstantAnswer>> ScoreConstantAnswer(const Task& task,
                                                                   const Source& source) {
  ConstantAnswer constant;
  UNIVAL_ASSIGN_OR_RETURN(constant.text, MostFrequentAnswer(task, source));
  if (constant.text.empty()) return absl::optional<ConstantAnswer>();
  const std::unique_ptr<Metric> metric = task.NewMetric();
  Prediction same;
  same.text = constant.text;
  for (int64_t i = 0; i < source.size(); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.Read(i));
    if (!metric->Add(sample, same).ok()) metric->AddFailure(sample);
  }
  constant.metrics = metric->Result();
  return absl::optional<ConstantAnswer>(std::move(constant));
}

}  // namespace unival
