// unival: predict_output.h - answers as `unival predict` prints them.
#ifndef UNIVAL_APP_PREDICT_OUTPUT_H_
#define UNIVAL_APP_PREDICT_OUTPUT_H_

#include <array>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sdk/native/task.h"

namespace unival {

// A record with its answers, best first; at least one.
struct AnsweredRecord {
  std::string name;
  TaskSample sample;
  std::vector<Prediction> answers;
  // Width and height in pixels of the picture that was asked about; nothing where no answer holds a
  // box, or the record no picture.
  absl::optional<std::array<double, 2>> picture;
};

struct PredictFormat {
  std::string task;
  std::string set_hash;  // of the set that words the task; empty: code
  bool json = false;
  bool is_single = false;    // one record: no name before the answer, a box in two lines
  bool with_scores = false;  // several answers of a record: each with its score
};

// Prints the answers to standard output and flushes it.
void PrintAnswers(const PredictFormat& format, const AnsweredRecord& record);
// For an answer that is printed piece by piece: what stands before it, each piece, and what follows
// it (the box, the end of the line).
void PrintBegin(const PredictFormat& format, const std::string& name);
void PrintPiece(const PredictFormat& format, absl::string_view piece);
void PrintEnd(const PredictFormat& format, const AnsweredRecord& record);
// A record without an answer: a line of JSON in its place, nothing in text.
void PrintFailure(const PredictFormat& format, const std::string& name, const absl::Status& why);

}  // namespace unival

#endif  // UNIVAL_APP_PREDICT_OUTPUT_H_
