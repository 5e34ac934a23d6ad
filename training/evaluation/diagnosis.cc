#include "training/evaluation/diagnosis.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/optional.h"
#include "sdk/base/status_macros.h"
#include "training/evaluation/linear_probe.h"
#include "training/evaluation/speaking.h"
#include "training/evaluation/unseen_answers.h"

namespace unival {
namespace {

// Bounds of the work: a verdict needs no more, and nobody asked for this diagnosis.
constexpr int64_t kMostProbed = 1000;
constexpr int kMostIterations = 60;
constexpr size_t kMostRepeated = 100;
// Answers are classes where each has at least this many training records on average.
constexpr size_t kRecordsOfClass = 4;
// Shares of the answers.
constexpr double kEnoughRepeated = 0.9;
constexpr double kClearlyAbove = 0.05;

double ConstantScore(const EvaluationResult& result) {
  return result.constant->metrics.at(ComparedMetric(result));
}

struct Findings {
  double repeated = 1;            // share of the answers
  absl::optional<double> linear;  // accuracy of a classifier
  UnseenAnswers unseen;
};

// Whether a linear classifier can say anything here. It knows only answers of training records as
// its classes, so there must be two of them, with some records of each.
absl::StatusOr<bool> AreClasses(const Task& task, const Source& train, const Source& test,
                                const VocabularyView& vocabulary) {
  const auto most = static_cast<size_t>(std::min(train.size(), kMostProbed));
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> shown,
                          TargetTexts(task, train, vocabulary, most));
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> asked,
                          TargetTexts(task, test, vocabulary, most));
  const std::set<std::string> known(shown.begin(), shown.end());
  if (asked.empty() || known.size() < 2 || shown.size() * kRecordsOfClass > most) return false;
  const auto found = std::count_if(asked.begin(), asked.end(),
                                   [&](const std::string& text) { return known.count(text) > 0; });
  return found * 2 >= static_cast<std::ptrdiff_t>(asked.size());
}

absl::StatusOr<Findings> Look(Pipeline& pipeline, const Task& task, const Source* train,
                              const Source& test) {
  Findings findings;
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> texts,
                          TargetTexts(task, test, pipeline.model().vocabulary(), kMostRepeated));
  UNIVAL_ASSIGN_OR_RETURN(const SpeakingReport spoken, CheckSpeaking(pipeline.model(), texts, {}));
  if (spoken.texts > 0) {
    findings.repeated = 1 - static_cast<double>(spoken.missed.size()) / spoken.texts;
  }
  if (train != nullptr) {
    UNIVAL_ASSIGN_OR_RETURN(findings.unseen, CountUnseenAnswers(task, *train, test));
  }
  if (train == nullptr || MediaColumns(task.info()).size() != 1) return findings;
  UNIVAL_ASSIGN_OR_RETURN(const bool are_classes,
                          AreClasses(task, *train, test, pipeline.model().vocabulary()));
  if (!are_classes) return findings;
  ProbeOptions options;
  options.most_records = kMostProbed;
  options.max_iterations = kMostIterations;
  UNIVAL_ASSIGN_OR_RETURN(const ProbeResult probe,
                          LinearProbe(pipeline, task.info().name, *train, test, options));
  const double joined = probe.joined ? probe.joined->accuracy : 0;
  findings.linear = std::max(probe.pooled.accuracy, joined);
  return findings;
}

std::string Verdict(const Findings& findings, double constant) {
  // Features and connection cannot be judged by answers that nothing taught.
  if (findings.unseen.records > 0 && findings.unseen.records * 2 >= findings.unseen.asked) {
    return "the training data: show these answers there, or test with answers that it has";
  }
  if (findings.repeated < kEnoughRepeated) {
    return "the language model cannot say them: other words, a plan that trains it too "
           "(trainable: \"backbone\"), or another model";
  }
  if (!findings.linear) return "the connection or the features; `unival probe` tells them apart";
  if (*findings.linear < constant + kClearlyAbove) {
    return "the features do not tell the answers apart: another encoder, or one that trains too "
           "(trainable: \"modality:ID\")";
  }
  return "the connection has not learned what is there: more steps, another learning rate, or a "
         "wording that the model knows";
}

}  // namespace

std::string ComparedMetric(const EvaluationResult& result) {
  if (!result.constant) return "";
  const std::string main = result.scores.Main(result.metrics, /*shares=*/true);
  return result.constant->metrics.count(main) > 0 ? main : "";
}

bool IsNoBetterThanConstant(const EvaluationResult& result) {
  const std::string metric = ComparedMetric(result);
  return !metric.empty() && result.samples > 0 &&
         result.metrics.at(metric) <= result.constant->metrics.at(metric);
}

absl::StatusOr<std::string> Diagnose(Pipeline& pipeline, const EvaluationResult& result,
                                     const Source* train, const Source& test) {
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline.task(result.task));
  UNIVAL_ASSIGN_OR_RETURN(const Findings findings, Look(pipeline, *task, train, test));
  const std::string metric = ComparedMetric(result);
  std::string text =
      findings.unseen.records > 0 ? absl::StrCat(UnseenText(findings.unseen), "; ") : "";
  absl::StrAppendFormat(
      &text,
      "%s %.3f is no better than always answering \"%s\" (%.3f); the language model repeats %.2f "
      "of "
      "the answers",
      metric, result.metrics.at(metric), result.constant->text, ConstantScore(result),
      findings.repeated);
  if (findings.linear) {
    absl::StrAppend(&text, absl::StrFormat(", a linear classifier of the features gets %.3f",
                                           *findings.linear));
  }
  return absl::StrCat(text, ". What fails: ", Verdict(findings, ConstantScore(result)));
}

}  // namespace unival
