// unival: score_info.h
//
// Describes a score: whether less or more of it is better, and how well it represents its task. A
// metric gives the description once, when it is registered (registry.h). All code that ranks
// results by a score uses it.
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
  // The key in Metric::Result, "bleu_4". A key with a slash, such as "wer/kind=noisy", is the same
  // score over a part of the records and needs no description of its own.
  std::string name;
  ScoreOrder order = ScoreOrder::kMoreIsBetter;
  // Among the scores of a task, the one with the highest rank is used to judge unless the user
  // names another; with equal ranks, the first by name. Built-in scores have ranks 0 to 60:
  // accuracy has 60.
  int rank = 0;
  // True when the score is a mean over answers of how right each one is, from 0 to 1. Such a score
  // can be compared with the confidence of the answers, and with the score of a constant answer.
  bool is_share_right = false;
  // A note that is shown wherever the value is shown, "modules exact and stem". Usually empty.
  std::string remark = "";
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_SCORE_INFO_H_
