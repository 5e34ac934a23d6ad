// Metrics of whether an answer is a reference.
#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tasks/metrics/families.h"
#include "tasks/metrics/mean_metric.h"
#include "tasks/metrics/normalize_text.h"
#include "tasks/metrics/vqa_answer.h"

namespace unival {
namespace {

std::string LastWord(absl::string_view text) {
  const std::string words = NormalizeText(text, /*drop_punctuation=*/true);
  return words.substr(words.rfind(' ') + 1);
}

template <typename Matches>
double AnyMatches(const References& references, Matches matches) {
  return std::any_of(references.texts.begin(), references.texts.end(), matches) ? 1 : 0;
}

double ExactMatch(const References& references, const Prediction& prediction) {
  const std::string answer = NormalizeText(prediction.text, false);
  return AnyMatches(references,
                    [&](const std::string& text) { return NormalizeText(text, false) == answer; });
}

double Accuracy(const References& references, const Prediction& prediction) {
  const std::string answer = NormalizeText(prediction.text, true);
  return AnyMatches(references,
                    [&](const std::string& text) { return NormalizeText(text, true) == answer; });
}

double LastWordMatch(const References& references, const Prediction& prediction) {
  const std::string answer = LastWord(prediction.text);
  return AnyMatches(references, [&](const std::string& text) { return LastWord(text) == answer; });
}

double VqaScore(const References& references, const Prediction& prediction) {
  return VqaAccuracy(prediction.text, references.texts);
}

double Contains(const References& references, const Prediction& prediction) {
  const std::string answer = absl::StrCat(" ", NormalizeText(prediction.text, true), " ");
  return AnyMatches(references, [&](const std::string& text) {
    return absl::StrContains(answer, absl::StrCat(" ", NormalizeText(text, true), " "));
  });
}

ScoreInfo ShareRight(const char* name, int rank = 0) {
  return {name, ScoreOrder::kMoreIsBetter, rank, /*is_share_right=*/true};
}

}  // namespace

std::vector<MetricFactory> TextMetrics() {
  return {
      MeanMetricFactory("exact_match", ShareRight("exact_match", /*rank=*/50),
                        "share of answers equal to a reference, case and spacing aside",
                        &ExactMatch),
      MeanMetricFactory("accuracy", ShareRight("accuracy", /*rank=*/60),
                        "share of answers equal to a reference, case, spacing and ASCII "
                        "punctuation aside",
                        &Accuracy),
      MeanMetricFactory("last_word", ShareRight("last_word"),
                        "share of answers whose last word is a reference's last word (\"the digit "
                        "is seven\")",
                        &LastWordMatch),
      MeanMetricFactory("contains", ShareRight("contains"),
                        "share of answers that contain a reference as whole words", &Contains),
      MeanMetricFactory(
          "vqa_accuracy", ShareRight("vqa_accuracy"),
          "VQA accuracy: people's answers normalised as the VQA evaluation does, full "
          "credit for three who agree",
          &VqaScore),
  };
}

}  // namespace unival
