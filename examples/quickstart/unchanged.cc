#include "examples/quickstart/unchanged.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/status_macros.h"
#include "training/evaluation/evaluate.h"

namespace unival::quickstart {
namespace {

struct KnownTask {
  const char* task;
  const char* file;
  const char* metric;
};

constexpr KnownTask kKnownTasks[] = {{"image_caption", "caption.jsonl", "exact_match"},
                                     {"vqa", "vqa.jsonl", "accuracy"},
                                     {"grounding", "grounding.jsonl", "mean_iou"}};
constexpr int64_t kBatch = 64;

// Hexadecimal floating point: equal text means equal bits.
std::string Exactly(const absl::StatusOr<Prediction>& answer) {
  if (!answer.ok()) return std::string(answer.status().message());
  std::string text = absl::StrCat(answer->text, absl::StrFormat(" %a", answer->score));
  if (answer->box) {
    for (double edge : *answer->box) absl::StrAppendFormat(&text, " %a", edge);
  }
  return text;
}

absl::StatusOr<KnownTaskAnswers> AnswerTask(Pipeline& pipeline, const KnownTask& known,
                                            const std::string& data, int64_t limit) {
  KnownTaskAnswers result{known.task, known.metric, 0, {}};
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline.task(known.task));
  UNIVAL_ASSIGN_OR_RETURN(
      const auto source,
      OpenTaskSource(*task, absl::StrCat(data, "/image/eval/", known.file), {}, limit));
  const auto metric = task->NewMetric();
  for (int64_t begin = 0; begin < source->size(); begin += kBatch) {
    std::vector<TaskSample> samples;
    for (int64_t i = begin; i < std::min(source->size(), begin + kBatch); ++i) {
      UNIVAL_ASSIGN_OR_RETURN(samples.emplace_back(), source->Read(i));
    }
    UNIVAL_ASSIGN_OR_RETURN(const auto answers, pipeline.PredictBatch(known.task, samples));
    for (size_t i = 0; i < samples.size(); ++i) {
      UNIVAL_RETURN_IF_ERROR(answers[i].status());
      UNIVAL_RETURN_IF_ERROR(metric->Add(samples[i], *answers[i]));
      result.answers.push_back(Exactly(answers[i]));
    }
  }
  const auto values = metric->Result();
  const auto found = values.find(known.metric);
  if (found != values.end()) result.value = found->second;
  return result;
}

}  // namespace

absl::StatusOr<std::vector<KnownTaskAnswers>> AnswerKnownTasks(Pipeline& pipeline,
                                                               const std::string& data,
                                                               int64_t limit) {
  std::vector<KnownTaskAnswers> all;
  for (const KnownTask& known : kKnownTasks) {
    UNIVAL_ASSIGN_OR_RETURN(all.emplace_back(), AnswerTask(pipeline, known, data, limit));
  }
  return all;
}

std::vector<report::UnchangedTask> CompareAnswers(const std::vector<KnownTaskAnswers>& before,
                                                  const std::vector<KnownTaskAnswers>& after) {
  std::vector<report::UnchangedTask> tasks;
  for (size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    report::UnchangedTask task{
        before[i].task, before[i].metric, before[i].value, after[i].value, 0, 0};
    task.records = static_cast<int64_t>(before[i].answers.size());
    for (size_t k = 0; k < std::min(before[i].answers.size(), after[i].answers.size()); ++k) {
      if (before[i].answers[k] == after[i].answers[k]) ++task.identical;
    }
    tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace unival::quickstart
