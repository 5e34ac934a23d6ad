// unival: rendered_record.h - what a task makes of a record, for people: media, and tokens as
// pieces with their positions.
#ifndef UNIVAL_TRAINING_DATA_CHECK_RENDERED_RECORD_H_
#define UNIVAL_TRAINING_DATA_CHECK_RENDERED_RECORD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/task.h"
#include "sdk/native/vocabulary.h"

namespace unival {

// The id of a piece that is a media item.
constexpr int64_t kMediaPiece = -1;

struct RenderedPiece {
  int64_t position = 0;  // in its sequence, from 0
  int64_t id = 0;        // global; kMediaPiece for a media item within the prompt
  std::string text;      // as it is written; of tokens that are no text "core.location_bin:17"
};

struct RenderedRecord {
  std::string key;
  std::vector<std::string> media;     // "image: images/7.png", in the order of the encoder input
  std::vector<RenderedPiece> prompt;  // with <s> and </s>, and the media that stand within it
  std::vector<RenderedPiece> prefix;  // of the answer, given
  std::vector<RenderedPiece> target;  // with </s>; empty where the record has none
  int64_t answers = 0;                // of a closed set; 0: anything may be answered
};

// The first wording, without masking. Errors are those of Task::MakeExample.
absl::StatusOr<RenderedRecord> RenderRecord(const Task& task, const VocabularyView& vocabulary,
                                            const TaskSample& sample);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_RENDERED_RECORD_H_
