// unival: task.h
//
// A task turns a record into prompt, target and constraint, and generated tokens into an answer.
// Most tasks are templates, which are data (docs/tutorials/task_templates.md). This interface is
// for tasks whose target no template can express.
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

// The value of a column: a text, a number, a list of numbers (boxes, codes), a list of texts
// (several references), or media.
using FieldValue =
    std::variant<std::string, double, std::vector<double>, std::vector<std::string>, MediaSource>;

// Columns with the size, in pixels, of the picture that a record's boxes refer to.
inline constexpr char kWidthColumn[] = "width", kHeightColumn[] = "height";

// The kind of value that a column must have, unless it holds media.
enum class ValueKind {
  kText,     // a text; a number or a list of texts is accepted too
  kNumber,   // a number
  kNumbers,  // a list of numbers
};

// One record of a data source. `key` names it in messages: "train.jsonl:17", "dev.tar:0_george_5".
struct TaskSample {
  std::string key;
  std::map<std::string, FieldValue> fields;
};

// The tokens that generation may produce. When both members are empty, all tokens are allowed.
struct Constraint {
  AnswerSet answers;                // closed set, global ids without </s>; shared, not copied
  std::vector<TokenRange> allowed;  // union of ranges; </s> is always allowed
};

struct MediaInput {
  std::string modality;
  MediaSource media;
  // Its position in the text. There it takes one position, like a token; the tokens of
  // `Seq2SeqExample::source` take the other positions in their order. So 1 is directly after <s>.
  // -1: before the text, without a position in it, as in the reference.
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
  // True when the decoder writes image codes; it then uses the positions, norms and biases of the
  // code grid. It depends on the task alone: it is the same in both modes, with and without a
  // target.
  bool image_codes = false;
  double loss_weight = 1;  // above 0; multiplies the loss of this example
  // At each step the loss considers only the tokens that `constraint.answers` allows next. Only
  // used in training.
  bool mask_loss = false;
};

struct Hypothesis {
  std::vector<int64_t> tokens;  // without <s>, prefix and </s>
  double score = 0;             // log-probability, normalised as GenerationConfig says
};

struct Prediction {
  std::string text;  // decoded answer
  // x0, y0, x1, y1 as fractions [0, 1] of width and height.
  absl::optional<std::array<double, 4>> box;
  std::vector<int64_t> codes;  // local indices of a `codes` slot
  double score = 0;
};

// The right answers to a record. Metrics compare an answer with them.
struct References {
  std::vector<std::string> texts;             // right answers, at least one for metrics of texts
  absl::optional<std::array<double, 4>> box;  // x0, y0, x1, y1 as in Prediction
};
// Returns the references of a record. Errors are those of Task::MakeExample.
using ReferenceReader = std::function<absl::StatusOr<References>(const TaskSample&)>;

// Accumulates over predictions. Result maps the name of each score to its value; accuracies are in
// [0, 1].
class Metric {
 public:
  virtual ~Metric();
  virtual absl::Status Add(const TaskSample& reference, const Prediction& prediction) = 0;
  // A sample that could not be decoded counts as wrong.
  virtual void AddFailure(const TaskSample& reference) = 0;
  virtual std::map<std::string, double> Result() const = 0;
};

// The block of image codes. It is the only block whose tokens the decoder places on a grid.
constexpr absl::string_view kImageCodeBlock = "core.image_code";

// The properties of a task that do not depend on a record. Training, evaluation, prediction and
// listings use it.
struct TaskInfo {
  std::string name;
  std::string summary;
  std::vector<std::string> modalities;  // ids it needs, empty for text only
  std::vector<std::string> blocks;      // vocabulary blocks it needs
  std::vector<std::string> columns;     // record columns that training needs
  std::vector<std::string> prediction_columns;
  // The columns above that hold media. Empty: each media column has the name of its modality. See
  // MediaColumns.
  std::vector<std::string> media_columns;
  GenerationConfig generation;
  // For listings: the text of the template, with slots in braces. Empty when the task is code.
  std::string prompt, target;
  // Descriptions of its metric's scores. For a score that is not named here, the description of the
  // registered metric with a score of this name is used; if there is none, more is better.
  std::vector<ScoreInfo> scores;
  // The place of the definition, for messages: "sets/my.textproto:12". Empty: in code.
  std::string origin;
  // The kinds of the columns' values. A column that is not named here holds a text, or media. Also
  // names optional columns, which a task reads only if a record has them, such as kWidthColumn with
  // a box.
  std::map<std::string, ValueKind> column_kinds;
  // Columns of prompt and target that hold a box, in the record's form [x0, y0, x1, y1].
  std::vector<std::string> box_columns;
  // Whether its answers may have Prediction::box and Prediction::codes. The default is yes.
  bool gives_box = true, gives_codes = true;
};

// Columns of `info` that hold media.
const std::vector<std::string>& MediaColumns(const TaskInfo& info);

// OK when a model with `modalities` can do the task and, if `columns` are given, data with these
// columns can train it. FailedPrecondition names the task, what it needs and what there is.
absl::Status CheckTaskFits(const TaskInfo& info, const std::vector<std::string>& modalities,
                           const absl::optional<std::vector<std::string>>& columns);

// Whether `constraint` allows only tokens of `block`. For tasks that have no other information
// about what they generate.
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
  // The right answers for a record: its metric compares with them, and they are shown next to the
  // answers. Unimplemented when a task does not provide them; otherwise the errors of MakeExample.
  virtual absl::StatusOr<References> ReferencesOf(const TaskSample& sample) const;
};

// The answer of a perfect model: the record's own target, read by Interpret. FailedPrecondition
// when the record has no target.
absl::StatusOr<Prediction> ReferenceAnswer(const Task& task, const TaskSample& sample);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_TASK_H_
