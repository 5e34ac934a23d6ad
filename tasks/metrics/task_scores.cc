#include "tasks/metrics/task_scores.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tasks/metrics/metrics.h"

namespace unival {

bool IsCount(absl::string_view score) { return score == kSamplesScore || score == kFailuresScore; }

bool IsOfAllRecords(absl::string_view score) {
  return !IsCount(score) && !absl::StrContains(score, '/');
}

std::string ScoreRemark(const ScoreInfo& info) {
  if (IsCount(info.name)) return "";
  const bool is_less = info.order == ScoreOrder::kLessIsBetter;
  return absl::StrCat(is_less ? "less is better" : "", is_less && !info.remark.empty() ? ", " : "",
                      info.remark);
}

std::string ScoreLabel(absl::string_view score, const ScoreInfo& info) {
  const std::string remark = ScoreRemark(info);
  return absl::StrCat(score, remark.empty() ? "" : absl::StrCat(" (", remark, ")"));
}

TaskScores::TaskScores(const Registry& registry) {
  for (const ScoreInfo& info : registry.scores()) infos_.emplace(info.name, info);
}

TaskScores::TaskScores(const Task& task, const Registry& registry) : TaskScores(registry) {
  for (const ScoreInfo& info : task.info().scores) infos_[info.name] = info;
}

ScoreInfo TaskScores::Of(absl::string_view score) const {
  const absl::string_view name = score.substr(0, score.find('/'));
  const auto found = infos_.find(name);
  if (found != infos_.end()) return found->second;
  const bool less = name == kFailuresScore;
  return {std::string(name), less ? ScoreOrder::kLessIsBetter : ScoreOrder::kMoreIsBetter};
}

bool TaskScores::LessIsBetter(absl::string_view score) const {
  return Of(score).order == ScoreOrder::kLessIsBetter;
}

bool TaskScores::IsBetter(absl::string_view score, double a, double b) const {
  return Merit(score, a) > Merit(score, b);
}

double TaskScores::Merit(absl::string_view score, double value) const {
  return LessIsBetter(score) ? -value : value;
}

}  // namespace unival
