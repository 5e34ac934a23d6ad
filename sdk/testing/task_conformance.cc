// Conformance of tasks.

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "sdk/testing/checker.h"

namespace unival {
namespace {

using Scores = std::map<std::string, double>;

class TaskCheck {
 public:
  TaskCheck(const Task& task, const VocabularyView& vocabulary, const TaskProbe& probe)
      : task_(task), vocabulary_(vocabulary), probe_(probe) {
    for (const std::vector<ScoreInfo>* scores : {&probe.scores, &task.info().scores}) {
      for (const ScoreInfo& score : *scores) is_share_[score.name] = score.is_share_right;
    }
  }

  Finding ExampleShape(const TaskSample& sample) const {
    absl::StatusOr<Seq2SeqExample> example = task_.MakeExample(sample, ExampleMode::kTraining, 1);
    if (!example.ok()) return std::string(example.status().message());
    if (example->source.size() < 2 || example->source.front() != vocabulary_.bos() ||
        example->source.back() != vocabulary_.eos()) {
      return "source is not <s> … </s>";
    }
    if (example->target.empty() || example->target.back() != vocabulary_.eos())
      return "target does not end in </s>";
    // A task may use several media of one modality; it still names the modality once.
    std::set<std::string> taken;
    for (const MediaInput& input : example->media) taken.insert(input.modality);
    const std::set<std::string> named(task_.info().modalities.begin(),
                                      task_.info().modalities.end());
    if (taken != named) {
      return absl::StrCat("example has media of ", absl::StrJoin(taken, ", "), ", info() names ",
                          absl::StrJoin(named, ", "));
    }
    absl::StatusOr<Seq2SeqExample> asked = task_.MakeExample(sample, ExampleMode::kPrediction, 0);
    if (!asked.ok()) return std::string(asked.status().message());
    if (asked->image_codes != example->image_codes)
      return "image_codes differs between training and prediction";
    return "";
  }

  Finding TokensInVocabulary(const TaskSample& sample) const {
    absl::StatusOr<Seq2SeqExample> example = task_.MakeExample(sample, ExampleMode::kTraining, 1);
    if (!example.ok()) return std::string(example.status().message());
    for (const std::vector<int64_t>* tokens :
         {&example->source, &example->prefix, &example->target}) {
      for (int64_t token : *tokens) {
        if (token < 0 || token >= vocabulary_.size())
          return absl::StrCat("token ", token, " is outside the vocabulary");
      }
    }
    return "";
  }

  Finding TargetSatisfiesConstraint(const TaskSample& sample) const {
    absl::StatusOr<Seq2SeqExample> example = task_.MakeExample(sample, ExampleMode::kTraining, 1);
    if (!example.ok()) return std::string(example.status().message());
    const std::vector<int64_t> answer = Answer(*example);
    const Constraint& constraint = example->constraint;
    if (!constraint.answers.empty() &&
        std::find(constraint.answers.begin(), constraint.answers.end(), answer) ==
            constraint.answers.end()) {
      return "the target is not among the allowed answers";
    }
    for (int64_t token : answer) {
      const bool inside =
          constraint.allowed.empty() ||
          std::any_of(constraint.allowed.begin(), constraint.allowed.end(),
                      [&](const TokenRange& r) { return token >= r.begin && token < r.end; });
      if (!inside) return absl::StrCat("target token ", token, " is outside the allowed ranges");
    }
    return "";
  }

  Finding PerfectAnswerScoresBest() const {
    std::unique_ptr<Metric> metric = task_.NewMetric();
    return AddReferences(*metric, [](const std::string& name, double value) -> Finding {
      return value == 1 ? "" : absl::StrCat(name, " of the references themselves is ", value);
    });
  }

  Finding MissingColumns() const {
    for (const std::string& column : task_.info().columns) {
      TaskSample sample = probe_.samples.front();
      sample.fields.erase(column);
      absl::StatusOr<Seq2SeqExample> example = task_.MakeExample(sample, ExampleMode::kTraining, 1);
      if (example.ok()) return absl::StrCat("column ", column, " is declared, yet not needed");
      if (!absl::StrContains(example.status().message(), column)) {
        return absl::StrCat("the message does not name ", column, ": ", example.status().message());
      }
    }
    return "";
  }

  Finding PredictionNeedsNoTarget() const {
    TaskSample sample = probe_.samples.front();
    const std::vector<std::string>& needed = task_.info().prediction_columns;
    for (auto it = sample.fields.begin(); it != sample.fields.end();) {
      const bool keep = std::find(needed.begin(), needed.end(), it->first) != needed.end();
      it = keep ? std::next(it) : sample.fields.erase(it);
    }
    absl::StatusOr<Seq2SeqExample> example = task_.MakeExample(sample, ExampleMode::kPrediction, 0);
    return example.ok() ? "" : std::string(example.status().message());
  }

  Finding Determinism(const TaskSample& sample) const {
    absl::StatusOr<Seq2SeqExample> a = task_.MakeExample(sample, ExampleMode::kTraining, 7);
    absl::StatusOr<Seq2SeqExample> b = task_.MakeExample(sample, ExampleMode::kTraining, 7);
    if (!a.ok() || !b.ok()) return "MakeExample fails";
    return a->source == b->source && a->target == b->target ? ""
                                                            : "equal seeds gave different examples";
  }

  Finding MetricCountsFailures() const {
    std::unique_ptr<Metric> metric = task_.NewMetric();
    metric->AddFailure(probe_.samples.front());
    for (const auto& [name, value] : SharesRight(*metric)) {
      if (value != 0) return absl::StrCat(name, " after one failure is ", value);
    }
    return AddReferences(*metric, [&](const std::string& name, double value) -> Finding {
      return value < 1 ? "" : absl::StrCat(name, " is 1 although one record failed");
    });
  }

 private:
  // The scores that are shares of right answers, according to their descriptions. When no score is
  // described, as in plugins of tier 2: those whose name contains "accuracy" or "exact_match".
  Scores SharesRight(const Metric& metric) const {
    Scores described, called;
    bool is_described = false;
    for (const auto& [name, value] : metric.Result()) {
      // The score of a group, "accuracy/kind=color", is of the same kind as the score of all
      // records.
      const auto found = is_share_.find(name.substr(0, name.find('/')));
      is_described = is_described || found != is_share_.end();
      if (found != is_share_.end() && found->second) described[name] = value;
      if (absl::StrContains(name, "accuracy") || absl::StrContains(name, "exact_match"))
        called[name] = value;
    }
    return is_described ? described : called;
  }

  // Answers every record with its own target; then `rule` judges each share of right answers.
  template <typename Rule>
  Finding AddReferences(Metric& metric, Rule&& rule) const {
    for (const TaskSample& sample : probe_.samples) {
      absl::StatusOr<Seq2SeqExample> example =
          task_.MakeExample(sample, ExampleMode::kPrediction, 0);
      if (!example.ok()) return std::string(example.status().message());
      Hypothesis hypothesis;
      hypothesis.tokens = Answer(*example);
      absl::StatusOr<Prediction> prediction = task_.Interpret(sample, hypothesis);
      if (!prediction.ok()) return std::string(prediction.status().message());
      absl::Status added = metric.Add(sample, *prediction);
      if (!added.ok()) return std::string(added.message());
    }
    for (const auto& [name, value] : SharesRight(metric)) {
      const Finding finding = rule(name, value);
      if (!finding.empty()) return finding;
    }
    return "";
  }

  static std::vector<int64_t> Answer(const Seq2SeqExample& example) {
    std::vector<int64_t> answer = example.target;
    if (!answer.empty()) answer.pop_back();
    return answer;
  }

  const Task& task_;
  const VocabularyView& vocabulary_;
  const TaskProbe& probe_;
  std::map<std::string, bool> is_share_;  // by score
};

}  // namespace

ConformanceReport CheckTask(const Task& task, const VocabularyView& vocabulary,
                            const TaskProbe& probe, RuleObserver* observer) {
  Checker checker(absl::StrCat("task ", task.info().name), observer);
  const TaskCheck check(task, vocabulary, probe);
  const auto each = [&](auto rule) { return ForEach(probe.samples, rule); };
  checker.Run("description", [&]() -> Finding {
    if (probe.samples.empty()) return "the probe has no samples";
    return task.info().name.empty() ? "info().name is empty" : "";
  });
  checker.Run("example_shape",
              [&] { return each([&](const TaskSample& s) { return check.ExampleShape(s); }); });
  checker.Run("tokens_in_vocabulary", [&] {
    return each([&](const TaskSample& s) { return check.TokensInVocabulary(s); });
  });
  checker.Run("target_satisfies_constraint", [&] {
    return each([&](const TaskSample& s) { return check.TargetSatisfiesConstraint(s); });
  });
  checker.Run("perfect_answer_scores_best", [&] { return check.PerfectAnswerScoresBest(); });
  checker.Run("missing_columns", [&] { return check.MissingColumns(); });
  checker.Run("prediction_needs_no_target", [&] { return check.PredictionNeedsNoTarget(); });
  checker.Run("determinism",
              [&] { return each([&](const TaskSample& s) { return check.Determinism(s); }); });
  checker.Run("metric_counts_failures", [&] { return check.MetricCountsFailures(); });
  checker.Run("concurrent_use", [&] {
    return RunConcurrently(probe.threads, [&](int) {
      return each([&](const TaskSample& s) { return check.Determinism(s); });
    });
  });
  return checker.Take();
}

}  // namespace unival
