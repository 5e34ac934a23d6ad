// unival: task.h
//
// A task turns a record into prompt, target and constraint, and generated tokens into an answer.
// Most tasks are templates (data, docs/tutorials/task_templates.md); this interface is for those
// whose target no template can express.
//
// Thread-safe: all methods are const and may be called concurrently. Metric objects belong to one
// thread.
#ifndef UNIVAL_SDK_NATIVE_TASK_H_
#define UNIVAL_SDK_NATIVE_TASK_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sdk/native/answer_set.h"
#include "sdk/native/media.h"
#include "sdk/native/score_info.h"
#include "sdk/native/vocabulary.h"
#include "sdk/proto/task.pb.h"

namespace unival {

// A column's value: text, number, list of numbers (boxes, codes), list of texts (several
// references), media.
using FieldValue =
    std::variant<std::string, double, std::vector<double>, std::vector<std::string>, MediaSource>;

// Columns that say how large the picture is that a record's boxes lie in, in pixels.
inline constexpr char kWidthColumn[] = "width", kHeightColumn[] = "height";

// What a column is to hold, of the values above that are no media.
enum class ValueKind {
  kText,     // a text; a number or a list of texts stands for one, too
  kNumber,   // a number
  kNumbers,  // a list of numbers
};

// One record of a data source. `key` names it in messages: "train.jsonl:17", "dev.tar:0_george_5".
struct TaskSample {
  std::string key;
  std::map<std::string, FieldValue> fields;
};

// What generation may emit. Both empty: anything.
struct Constraint {
  AnswerSet answers;                // closed set, global ids without </s>; shared, not copied
  std::vector<TokenRange> allowed;  // union of ranges; </s> is always allowed
};

struct MediaInput {
  std::string modality;
  MediaSource media;
  // Its position within the text, where it takes one position as a token would; the tokens of
  // `Seq2SeqExample::source` have the others, in their order, so 1 is behind <s>. -1: before the
  // text and without a position in it, as the reference has it.
  int64_t place = -1;
};

enum class ExampleMode {
  kTraining,    // paraphrases and masking are drawn from the seed; a target is required
  kPrediction,  // first wording, no masking, target may be absent
};

struct Seq2SeqExample {
  std::string key;
  std::vector<MediaInput> media;  // in the order of the encoder input
  std::vector<int64_t> source;    // <s> prompt </s>
  std::vector<int64_t> prefix;    // forced decoder tokens after <s>, out of the loss
  std::vector<int64_t> target;    // without <s>, with </s>; empty when unknown
  Constraint constraint;
  // The decoder writes image codes: it then uses the positions, norms and biases of the code grid.
  // A fact of the task, the same in both modes and whether or not the target is known.
  bool image_codes = false;
  double loss_weight = 1;  // above 0: multiplies this example's loss
  // The loss sees of the vocabulary only what `constraint.answers` lets follow. Training alone.
  bool mask_loss = false;
};

struct Hypothesis {
  std::vector<int64_t> tokens;  // without <s>, prefix and </s>
  double score = 0;             // log-probability, normalised as GenerationConfig says
};

struct Prediction {
  std::string text;  // decoded answer
  // X0, y0, x1, y1 as fractions [0, 1] of width and height.
  absl::optional<std::array<double, 4>> box;
  std::vector<int64_t> codes;  // local indices of a `codes` slot
  double score = 0;
};

// What an answer to a record is compared with.
struct References {
  std::vector<std::string> texts;             // right answers, at least one for metrics of texts
  absl::optional<std::array<double, 4>> box;  // x0, y0, x1, y1 as in Prediction
};
// Gives the references of a record; the errors are those of Task::MakeExample.
using ReferenceReader = std::function<absl::StatusOr<References>(const TaskSample&)>;

// Accumulates over predictions. Name -> value, accuracies in [0, 1].
class Metric {
 public:
  virtual ~Metric();
  virtual absl::Status Add(const TaskSample& reference, const Prediction& prediction) = 0;
  // A sample that could not be decoded counts as wrong.
  virtual void AddFailure(const TaskSample& reference) = 0;
  virtual std::map<std::string, double> Result() const = 0;
};

// The block of image codes, the only one whose rows the decoder places on a grid.
constexpr absl::string_view kImageCodeBlock = "core.image_code";

// What is known of a task without a record, in one place for training, evaluation, prediction and
// listings.
struct TaskInfo {
  std::string name;
  std::string summary;
  std::vector<std::string> modalities;  // ids it needs, empty for text only
  std::vector<std::string> blocks;      // vocabulary blocks it needs
  std::vector<std::string> columns;     // record columns that training needs
  std::vector<std::string> prediction_columns;
  // Those of the above that hold media; empty: each is called like its modality. See MediaColumns.
  std::vector<std::string> media_columns;
  GenerationConfig generation;
  // For listings, as they were written, slots in braces; empty where the task is code.
  std::string prompt, target;
  // Of the scores that its metric gives; one that is not named here is known by the registered
  // metric that gives a score of this name, and else more of it is better.
  std::vector<ScoreInfo> scores;
  // Where messages say that the task is defined, "sets/my.textproto:12"; empty: in code.
  std::string origin;
  // What columns are to hold; one that is not named here holds a text, or media. Also names columns
  // that a task reads only where a record has them, such as kWidthColumn beside a box.
  std::map<std::string, ValueKind> column_kinds;
  // Columns of prompt and target that hold a box, [x0, y0, x1, y1] as a record writes it.
  std::vector<std::string> box_columns;
  // Whether its answers may have Prediction::box and Prediction::codes. A task that does not say
  // may give them.
  bool gives_box = true, gives_codes = true;
};

// Columns of `info` that hold media.
const std::vector<std::string>& MediaColumns(const TaskInfo& info);

// Whether a model with `modalities` can do the task, and data with `columns` (where given) can
// train it. FailedPrecondition names the task, what it needs and what there is.
absl::Status CheckTaskFits(const TaskInfo& info, const std::vector<std::string>& modalities,
                           const absl::optional<std::vector<std::string>>& columns);

// Whether `constraint` allows tokens of `block` alone: how a task that knows no more says what it
// writes.
bool AllowsOnlyBlock(const Constraint& constraint, const VocabularyView& vocabulary,
                     absl::string_view block);

class Task {
 public:
  virtual ~Task();
  virtual const TaskInfo& info() const = 0;
  // NotFound names a missing column, InvalidArgument a value of the wrong type.
  virtual absl::StatusOr<Seq2SeqExample> MakeExample(const TaskSample& sample, ExampleMode mode,
                                                     uint64_t seed) const = 0;
  virtual absl::StatusOr<Prediction> Interpret(const TaskSample& sample,
                                               const Hypothesis& best) const = 0;
  virtual std::unique_ptr<Metric> NewMetric() const = 0;
  // What counts as right for a record: what its metric compares with, shown beside answers.
  // Unimplemented for a task that does not say so; else the errors of MakeExample.
  virtual absl::StatusOr<References> ReferencesOf(const TaskSample& sample) const;
};

// The answer that the record itself holds, as Interpret reads it: what a perfect model would be
// credited with. FailedPrecondition when the record has no target.
absl::StatusOr<Prediction> ReferenceAnswer(const Task& task, const TaskSample& sample);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_TASK_H_
