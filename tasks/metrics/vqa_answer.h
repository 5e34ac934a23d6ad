// unival: vqa_answer.h - answers to visual questions as the VQA evaluation compares them.
#ifndef UNIVAL_TASKS_METRICS_VQA_ANSWER_H_
#define UNIVAL_TASKS_METRICS_VQA_ANSWER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace unival {

// Lower case, without punctuation and articles; "two" becomes "2", "none" "0", "dont" "don't".
std::string NormalizeVqaAnswer(absl::string_view answer);

// The accuracy of `answer` against people's answers, in [0, 1]: the mean over leaving out each of
// them in turn of min(matches among the others / 3, 1). Answers are normalised unless all of
// `answers` are the same text, as the evaluation has it. One answer alone, of which the evaluation
// knows nothing, is compared normalised. 0 for no answers.
double VqaAccuracy(absl::string_view answer, const std::vector<std::string>& answers);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_VQA_ANSWER_H_
