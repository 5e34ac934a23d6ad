// unival: score_lines.h - the lines that `unival eval --predictions` writes, read to be scored.
#ifndef UNIVAL_TRAINING_EVALUATION_SCORE_LINES_H_
#define UNIVAL_TRAINING_EVALUATION_SCORE_LINES_H_

#include <string>

#include "absl/status/statusor.h"
#include "training/evaluation/score_input.h"

namespace unival::score_json {

// The layout "predictions"; `file` is for messages. Errors name line, field, what was expected and
// what was found.
absl::StatusOr<ScoreInput> ReadPredictionLines(const std::string& file, const std::string& text);

}  // namespace unival::score_json

#endif  // UNIVAL_TRAINING_EVALUATION_SCORE_LINES_H_
