#include "training/evaluation/score_lines.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sdk/base/beginning.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/metric_columns.h"
#include "training/evaluation/score_json.h"

namespace unival::score_json {
namespace {

absl::StatusOr<std::vector<double>> BoxOf(const std::string& file, const std::string& where,
                                          const Json& value) {
  const bool good =
      value.is_array() && value.size() == 4 &&
      std::all_of(value.begin(), value.end(), [](const Json& one) { return one.is_number(); });
  if (!good)
    return Bad(file, where,
               absl::StrCat("expected x0, y0, x1, y1, got ", BeginningOf(value.dump(), 40)));
  return value.get<std::vector<double>>();
}

// What metrics read beside the answer. Null: not there.
absl::Status AddColumns(const std::string& file, const std::string& where, const Json& line,
                        TaskSample* sample) {
  for (const char* column : {kKindColumn, kGroupColumn, kObjectsColumn}) {
    if (!line.contains(column) || line[column].is_null()) continue;
    const std::string place = absl::StrCat(where, ": ", column);
    if (absl::string_view(column) == kObjectsColumn) {
      UNIVAL_ASSIGN_OR_RETURN(sample->fields[column], TextsOf(file, place, line[column]));
    } else {
      UNIVAL_ASSIGN_OR_RETURN(sample->fields[column], NameOf(file, place, line[column]));
    }
  }
  return absl::OkStatus();
}

// One line of `unival eval --predictions`.
absl::Status AddPredictionLine(const std::string& file, const std::string& where, const Json& line,
                               ScoreInput* input) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* key, Field(file, where, line, "key"));
  const bool failed = line.contains("error");
  std::string text;
  if (!failed) {
    UNIVAL_ASSIGN_OR_RETURN(const Json* value, Field(file, where, line, "text"));
    UNIVAL_ASSIGN_OR_RETURN(text, TextOf(file, absl::StrCat(where, ": text"), *value));
  }
  UNIVAL_ASSIGN_OR_RETURN(const Json* references, Field(file, where, line, "references"));
  UNIVAL_ASSIGN_OR_RETURN(auto right,
                          TextsOf(file, absl::StrCat(where, ": references"), *references));
  AddSample(input, IdText(*key), text, std::move(right));
  input->failed.back() = failed;
  TaskSample& sample = input->samples.back();
  if (line.contains("reference_box")) {
    UNIVAL_ASSIGN_OR_RETURN(
        sample.fields["box"],
        BoxOf(file, absl::StrCat(where, ": reference_box"), line["reference_box"]));
  }
  if (line.contains("box")) {
    UNIVAL_ASSIGN_OR_RETURN(const auto box, BoxOf(file, absl::StrCat(where, ": box"), line["box"]));
    input->predictions.back().box = {{box[0], box[1], box[2], box[3]}};
  }
  if (line.contains("score") && !line["score"].is_null()) {
    if (!line["score"].is_number())
      return WrongType(file, absl::StrCat(where, ": score"), "a number", line["score"]);
    input->predictions.back().score = line["score"].get<double>();
  }
  return AddColumns(file, where, line, &sample);
}

}  // namespace

absl::StatusOr<ScoreInput> ReadPredictionLines(const std::string& file, const std::string& text) {
  ScoreInput input;
  input.layout = "predictions";
  int64_t number = 0;
  for (const absl::string_view raw : absl::StrSplit(text, '\n')) {
    ++number;
    if (absl::StripAsciiWhitespace(raw).empty()) continue;
    const std::string where = absl::StrCat("line ", number);
    UNIVAL_ASSIGN_OR_RETURN(const Json line, ParseLine(file, raw, where));
    UNIVAL_RETURN_IF_ERROR(AddPredictionLine(file, where, line, &input));
  }
  const bool boxes =
      std::any_of(input.samples.begin(), input.samples.end(),
                  [](const TaskSample& sample) { return sample.fields.count("box") > 0; });
  input.metrics = boxes ? std::vector<std::string>{"mean_iou", "iou", "iou_thresholds"}
                        : std::vector<std::string>{"exact_match", "accuracy", "bleu",   "rouge_l",
                                                   "cider",       "cider_d",  "meteor", "wer"};
  return input;
}

}  // namespace unival::score_json
