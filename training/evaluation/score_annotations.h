// unival: score_annotations.h - result files of COCO captions and VQA with their annotations.
#ifndef UNIVAL_TRAINING_EVALUATION_SCORE_ANNOTATIONS_H_
#define UNIVAL_TRAINING_EVALUATION_SCORE_ANNOTATIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "training/evaluation/score_json.h"

namespace unival::score_json {

// Reads answers with their annotations. `json`: the content of `file`, a list of answers; `right`:
// the content of `right_file`, the annotations. Errors as ReadScoreInput.
absl::StatusOr<ScoreInput> ReadCoco(const std::string& file, const Json& json,
                                    const std::string& right_file, const Json& right);
absl::StatusOr<ScoreInput> ReadVqa(const std::string& file, const Json& json,
                                   const std::string& right_file, const Json& right);

}  // namespace unival::score_json

#endif  // UNIVAL_TRAINING_EVALUATION_SCORE_ANNOTATIONS_H_
