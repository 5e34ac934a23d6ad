// unival: score_info.h
//
// What is known of a score before any answer is looked at: whether less of it is better, and
// whether it stands for its task. A metric says it once, where it is registered (registry.h), and
// everything that ranks by scores asks for it here.
//
//   registrar.AddMetric({"wer", "word error rate", /*needs_box=*/false, create,
//                        {{"wer", ScoreOrder::kLessIsBetter}}});
#ifndef UNIVAL_SDK_NATIVE_SCORE_INFO_H_
#define UNIVAL_SDK_NATIVE_SCORE_INFO_H_

#include <string>

namespace unival {

enum class ScoreOrder {
  kMoreIsBetter,  // shares of right answers, overlaps
  kLessIsBetter,  // errors, distances
};

struct ScoreInfo {
  // As Metric::Result has it, "bleu_4". What stands behind a slash, as in "wer/kind=noisy", is the
  // same score of some of the records, and needs no entry of its own.
  std::string name;
  ScoreOrder order = ScoreOrder::kMoreIsBetter;
  // Of the scores that a task gives, the one of the highest rank judges where nobody names another;
  // of equal ranks the first by name. Those that ship have 0 to 60: accuracy has 60.
  int rank = 0;
  // The mean over answers of how right each is, from 0 to 1: it can be held against how sure the
  // answers were, and against the score of a constant answer.
  bool is_share_right = false;
  // What has to be said wherever its value is shown, "modules exact and stem"; mostly nothing.
  std::string remark = "";
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_SCORE_INFO_H_
