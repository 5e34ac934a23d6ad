// unival: task_scores.h
//
// The facts of the scores that a task gives, for everything that ranks, sorts or bounds by them:
// which one judges, and which of two values is the better one. The facts themselves stand with the
// metrics (sdk/native/score_info.h).
//
//   const TaskScores scores(*task, runtime.registry());
//   scores.IsBetter("wer/kind=noisy", 0.1, 0.2)   // true: less is better
//   scores.Main(result.metrics)                   // "exact_match"
#ifndef UNIVAL_TASKS_METRICS_TASK_SCORES_H_
#define UNIVAL_TASKS_METRICS_TASK_SCORES_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "sdk/native/registry.h"
#include "sdk/native/task.h"

namespace unival {

// "samples" and "failures", which CombineMetrics gives: how many records there were.
bool IsCount(absl::string_view score);
// A score of all records: no count, and not that of a group, "accuracy/kind=color".
bool IsOfAllRecords(absl::string_view score);

// What is to be said beside a value of a score: "less is better", and its metric's remark; mostly
// nothing.
std::string ScoreRemark(const ScoreInfo& info);
// "wer (less is better)", "accuracy": a score's name in tables and charts, with its remark.
std::string ScoreLabel(absl::string_view score, const ScoreInfo& info);

// A value; thread-safe.
class TaskScores {
 public:
  TaskScores() = default;  // more of every score is better, except of "failures"
  // The descriptions of all scores that a registry's metrics give, for answers without a task.
  explicit TaskScores(const Registry& registry);
  // The task's own descriptions; for scores that it does not describe, those of the registry.
  TaskScores(const Task& task, const Registry& registry);

  // The description of a score. A group's score, "accuracy/kind=color", has that of the score of
  // all records. Where there is no description, more of the score is better.
  ScoreInfo Of(absl::string_view score) const;
  bool LessIsBetter(absl::string_view score) const;
  // Whether `a` is better than `b`: never where one of them is not a number.
  bool IsBetter(absl::string_view score, double a, double b) const;
  // `value` where more is better, else -value: the larger one is the better one.
  double Merit(absl::string_view score, double value) const;
  std::string Remark(absl::string_view score) const { return ScoreRemark(Of(score)); }
  std::string Label(absl::string_view score) const { return ScoreLabel(score, Of(score)); }
  // Of those in `values` that have one, by name.
  template <typename Value>
  std::map<std::string, std::string> Remarks(const std::map<std::string, Value>& values) const {
    std::map<std::string, std::string> remarks;
    for (const auto& named : values) {
      const std::string remark = Remark(named.first);
      if (!remark.empty()) remarks[named.first] = remark;
    }
    return remarks;
  }

  // The score of the highest rank among those in `values` that are of all records, by name among
  // equals; empty where there is none. With `shares` only those that are shares of right answers.
  template <typename Value>
  std::string Main(const std::map<std::string, Value>& values, bool shares = false) const {
    std::string best;
    for (const auto& [name, value] : values) {
      if (!IsOfAllRecords(name) || (shares && !Of(name).is_share_right)) continue;
      if (best.empty() || Of(name).rank > Of(best).rank) best = name;
    }
    return best;
  }

 private:
  std::map<std::string, ScoreInfo, std::less<>> infos_;
};

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_TASK_SCORES_H_
