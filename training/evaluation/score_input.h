// unival: score_input.h
//
// Answers and what is right, read from files of the layouts in which the field keeps them, so that
// texts from anywhere can be scored.
//
//   UNIVAL_ASSIGN_OR_RETURN(ScoreInput input, ReadScoreInput("results.json", "captions_val.json"));
//
// Layouts (docs/metrics.md has examples):
//   captions     one object with "references" {id: [text, ...]} and "candidates" {id: text}
//   coco         [{"image_id", "caption"}, ...], references from an annotations file
//   vqa          [{"question_id", "answer"}, ...], references from an annotations file
//   predictions  the lines that `unival eval --predictions` writes
#ifndef UNIVAL_TRAINING_EVALUATION_SCORE_INPUT_H_
#define UNIVAL_TRAINING_EVALUATION_SCORE_INPUT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/task.h"

namespace unival {

struct ScoreInput {
  std::string layout;
  // One per answer, in the references' order. Keys are ids; fields: "answer" (right texts) or "box"
  // (fractions), and where the file has them "objects" (texts), "kind" and "group" (text).
  std::vector<TaskSample> samples;
  std::vector<Prediction> predictions;
  std::vector<bool> failed;          // had no answer; counts as wrong
  std::vector<std::string> metrics;  // the usual ones of the layout
  // The scores that the file itself states, by our names for them: over all samples, and by sample
  // id.
  std::map<std::string, double> expected;
  std::map<std::string, std::map<std::string, double>> expected_per_sample;
  std::string note;  // what was left out, a sentence; empty for nothing
};

// Errors name file, entry, field, what was expected and the remedy. `references`: the file with the
// right answers, empty where `file` holds them.
absl::StatusOr<ScoreInput> ReadScoreInput(const std::string& file, const std::string& references);

// Whether a built-in metric gives scores that are called so: "bleu_4", "cider".
bool IsScoreName(absl::string_view name);

// What a sample of a ScoreInput is compared with.
absl::StatusOr<References> ReferencesOfInput(const TaskSample& sample);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_SCORE_INPUT_H_
