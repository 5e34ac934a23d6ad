// unival: slot_type.h
//
// What "{column:type}" in a prompt or a target means. A slot type stands in a file of its own
// behind this interface: what it needs of the template and of the vocabulary, how a record's column
// becomes text or tokens, what the column is to hold and what is wrong with a value, and how
// generated tokens are read back. Templates, checks of data and the command line ask it, or what a
// task learnt from it (TaskInfo), and know no type by name.
//
//   class AngleSlot : public SlotType { ... };
//   TemplateTypes types;
//   UNIVAL_RETURN_IF_ERROR(types.slots.Add(std::make_shared<AngleSlot>()));
//   UNIVAL_ASSIGN_OR_RETURN(auto set, LoadTemplateSet("compass.textproto", types));
//
// Adding one that ships: docs/plug_points.md. Thread-safe: slot types are immutable.
#ifndef UNIVAL_TASKS_SLOTS_SLOT_TYPE_H_
#define UNIVAL_TASKS_SLOTS_SLOT_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "sdk/native/task.h"
#include "sdk/native/vocabulary.h"
#include "sdk/proto/task.pb.h"
#include "tasks/slots/value_fault.h"

namespace unival {

class LabelIndex;
class SeededRandom;
class SlotType;

// A stretch of a pattern: literal text, or a slot "{column:type:options}".
struct PatternPiece {
  std::shared_ptr<const SlotType> type;  // null: literal text
  std::string text;                      // the literal, or the slot's column
  std::string options;                   // of a slot; empty without
};
using Pattern = std::vector<PatternPiece>;

// A slot and what it stands in. Valid for one call.
struct SlotPlace {
  const TaskTemplate& task;
  const PatternPiece& slot;
};

// How a record is rendered.
struct RenderOptions {
  bool training = false;   // of a column with several texts one is drawn
  bool damage = false;     // words are masked and sentences moved as the template says
  size_t alternative = 0;  // of a column with several texts, outside training
  // A text that answers are compared with. It is whole: `max_words` bounds what a model is asked
  // and taught (reference: caption_dataset.py cuts the train split only).
  bool reference = false;
  const LabelIndex* labels = nullptr;  // of the task, where the caller has them (LabelIndex)
};

// A stretch of text, tokens that no tokenizer makes, or a media item.
struct Chunk {
  std::string text;
  std::vector<int64_t> tokens;
  std::string input = {};  // the media item of this input (TaskInput.name) stands here
};

struct TemplateProblem {
  std::string field;  // of TaskTemplate
  std::string what;
};

class SlotType {
 public:
  virtual ~SlotType();

  // lower_snake: what stands behind the colon.
  virtual std::string name() const = 0;

  // Whether words of its text may be replaced by <mask> (TaskTemplate.mask_ratio).
  virtual bool maskable() const { return false; }
  // Whether a target that is too long may be cut within this slot. That is so for text; tokens that
  // are no text usually mean nothing when some are missing.
  virtual bool divisible() const { return false; }
  // Whether the slot stands for a media input of the task. Its column is then the input's name.
  virtual bool is_media() const { return false; }
  // What its column is to hold: how a value on a command line is read, and which values are of the
  // wrong type.
  virtual ValueKind value_kind() const { return ValueKind::kText; }
  // Columns that it reads beside its own where the record has them, with what they hold.
  virtual std::map<std::string, ValueKind> companion_columns() const { return {}; }
  // Whether its column is a box in the picture, and it fills Prediction::box and References::box.
  virtual bool gives_box() const { return false; }
  // Whether it fills Prediction::codes.
  virtual bool gives_codes() const { return false; }
  // Tokens that it always has, 0 where the number varies.
  virtual int64_t token_count() const { return 0; }

  // Checks one slot against its template, without model or data. InvalidArgument says what it
  // needs; by default only that the slot has no options. Messages continue after slot
  // "{column:type}".
  virtual absl::Status Check(const SlotPlace& place) const;
  // Checks the template as a whole. Called once for every slot type, whether the template uses it
  // or not.
  virtual std::vector<TemplateProblem> CheckTemplate(const TaskTemplate& task,
                                                     const Pattern& prompt,
                                                     const Pattern& target) const;

  // The vocabulary block that it writes in, empty for text. A model without the block cannot do the
  // task.
  virtual std::string Block(const SlotPlace& place) const;
  // Answers that a target of this one slot may have, as values of its column; empty: not a closed
  // set.
  virtual std::vector<std::string> ClosedSet(const SlotPlace& place) const;
  // The tokens that generation may write when the slot is the whole target; empty: any. By default
  // those of its block.
  virtual absl::StatusOr<std::vector<TokenRange>> AllowedTokens(
      const SlotPlace& place, const VocabularyView& vocabulary) const;

  // The record's column as text or tokens. NotFound names a missing column, InvalidArgument a value
  // that does not fit.
  virtual absl::StatusOr<Chunk> Render(const SlotPlace& place, const VocabularyView& vocabulary,
                                       const TaskSample& sample, const RenderOptions& options,
                                       SeededRandom& random) const = 0;

  // What is wrong with the value of the slot's column, which the record has; null: nothing.
  // `rendered` is what Render said of it. By default a refused value is of the wrong type where it
  // is not of value_kind(), else a bad value, and what was rendered is right.
  virtual absl::optional<ValueFault> FaultOf(const SlotPlace& place, const TaskSample& sample,
                                             const absl::Status& rendered) const;

  // Adds to `prediction` what generated tokens mean; its text is filled in already. Called once,
  // for the first slot of this type in the target. Tokens that do not fit leave the prediction as
  // it is.
  virtual absl::Status Interpret(const SlotPlace& place, const VocabularyView& vocabulary,
                                 absl::Span<const BlockToken> tokens, Prediction* prediction) const;
  // Adds what an answer is compared with besides text.
  virtual absl::Status AddReference(const SlotPlace& place, const TaskSample& sample,
                                    References* references) const;
};

}  // namespace unival

#endif  // UNIVAL_TASKS_SLOTS_SLOT_TYPE_H_
