#include "training/evaluation/unseen_answers.h"

#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/beginning.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// The answers of all records that have one, in their order; none where they are no texts.
absl::StatusOr<std::vector<std::string>> AnswersOf(const Task& task, const Source& source) {
  std::vector<std::string> answers;
  for (int64_t i = 0; i < source.size(); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.Read(i));
    const absl::StatusOr<Prediction> answer = ReferenceAnswer(task, sample);
    if (!answer.ok()) continue;
    if (answer->box || !answer->codes.empty()) return std::vector<std::string>();
    answers.push_back(answer->text);
  }
  return answers;
}

}  // namespace

absl::StatusOr<UnseenAnswers> CountUnseenAnswers(const Task& task, const Source& train,
                                                 const Source& test, int64_t most) {
  UnseenAnswers unseen;
  if (train.size() > most) return unseen;
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> shown, AnswersOf(task, train));
  if (shown.empty()) return unseen;
  const absl::flat_hash_set<std::string> known(shown.begin(), shown.end());
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> asked, AnswersOf(task, test));
  unseen.asked = static_cast<int64_t>(asked.size());
  for (const std::string& answer : asked) {
    if (known.contains(answer)) continue;
    if (unseen.records++ == 0) unseen.example = answer;
  }
  return unseen;
}

std::string UnseenText(const UnseenAnswers& unseen) {
  return absl::StrCat(unseen.records, " of ", unseen.asked,
                      " test answers never occur in training, such as \"",
                      BeginningOf(unseen.example), "\"");
}

}  // namespace unival
