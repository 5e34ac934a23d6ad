#include "tasks/templates/record_fault.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sdk/base/random.h"
#include "tasks/slots/pattern.h"
#include "tasks/templates/template_columns.h"

namespace unival {
namespace {

using Texts = std::vector<std::string>;

size_t Alternatives(const FieldValue& value) {
  const auto* texts = std::get_if<Texts>(&value);
  return texts == nullptr ? 1 : std::max<size_t>(1, texts->size());
}

class Inspection {
 public:
  Inspection(const TemplateReading& reading, const VocabularyView& vocabulary,
             const TaskSample& sample, RecordUse use)
      : reading_(reading), vocabulary_(vocabulary), sample_(sample), use_(use) {}

  std::vector<RecordFault> Run() {
    const TaskTemplate& task = reading_.source->proto;
    for (int i = 0; i < task.input_size(); ++i) {
      if (!task.input(i).name().empty()) CheckInput(absl::StrCat("input:", i), task.input(i));
    }
    for (size_t i = 0; i < reading_.prompts.size(); ++i) {
      CheckPattern(i == 0 ? "prompt" : absl::StrCat("paraphrase:", i - 1), reading_.prompts[i]);
    }
    CheckPattern("target", reading_.target);
    if (use_ == RecordUse::kTraining) CheckTraining(task);
    return std::move(faults_);
  }

 private:
  void Add(absl::string_view kind, const std::string& field, const std::string& column,
           absl::string_view what) {
    const std::string where = absl::StrCat("record \"", sample_.key, "\": ");
    absl::ConsumePrefix(&what, where);
    absl::ConsumePrefix(&what, absl::StrCat("column \"", column, "\": "));
    faults_.push_back({std::string(kind), field, column, std::string(what)});
  }

  // The record's value of `column`. Null where it has none, which is added as a fault.
  const FieldValue* Find(const std::string& field, const std::string& column) {
    const auto found = sample_.fields.find(column);
    if (found != sample_.fields.end()) return &found->second;
    Add(kMissingColumn, field, column, "is missing");
    return nullptr;
  }

  void CheckInput(const std::string& field, const TaskInput& input) {
    if (!seen_.insert({input.name(), ""}).second) return;
    const FieldValue* value = Find(field, input.name());
    if (value == nullptr || std::holds_alternative<MediaSource>(*value)) return;
    Add(kWrongType, field, input.name(), "expected the path of a media file");
  }

  void CheckPattern(const std::string& field, const Pattern& pattern) {
    for (const PatternPiece& slot : pattern) {
      if (slot.type == nullptr || !seen_.insert({slot.text, slot.type->name()}).second) continue;
      // A column that is missing or holds media was dealt with before, once for all its slots.
      if (slot.type->is_media() || seen_.count({slot.text, ""}) > 0) continue;
      if (IsFilled(slot.text)) continue;
      CheckSlot(field, slot);
    }
  }

  // Whether training fills the column: the answer column of `negatives`, where the record lacks it.
  bool IsFilled(const std::string& column) const {
    const TaskTemplate& task = reading_.source->proto;
    return use_ == RecordUse::kTraining && task.has_negatives() &&
           column == task.negatives().answer() && sample_.fields.count(column) == 0;
  }

  // Checks the columns that only training reads.
  void CheckTraining(const TaskTemplate& task) {
    if (!task.loss_weight().empty()) {
      CheckValue("loss_weight", task.loss_weight(), WeightOfColumn(sample_, task.loss_weight()));
    }
    if (!task.has_negatives() || !IsFilled(task.negatives().answer())) return;
    const Negatives& negatives = task.negatives();
    if (!negatives.same().empty()) Find("negatives", negatives.same());
    if (!negatives.confidence().empty()) {
      CheckValue("negatives", negatives.confidence(), ConfidenceOf(negatives, sample_));
    }
    if (!negatives.words_of_record().empty()) {
      CheckValue("negatives", negatives.words_of_record(), WordsOfRecord(negatives, sample_));
    }
  }

  template <typename Value>
  void CheckValue(const std::string& field, const std::string& column,
                  const absl::StatusOr<Value>& value) {
    const FieldValue* found = Find(field, column);
    if (found == nullptr || value.ok()) return;
    const bool is_number = IsOfKind(*found, ValueKind::kNumber);
    Add(is_number ? kBadValue : kWrongType, field, column, value.status().message());
  }

  void CheckSlot(const std::string& field, const PatternPiece& slot) {
    const FieldValue* value = Find(field, slot.text);
    if (value == nullptr) {
      seen_.insert({slot.text, ""});
      return;
    }
    const auto* texts = std::get_if<Texts>(value);
    if (texts != nullptr && texts->empty()) return Add(kEmptyText, field, slot.text, "is empty");
    const SlotPlace place{reading_.source->proto, slot};
    const std::string block = slot.type->Block(place);
    if (!block.empty() && !vocabulary_.HasBlock(block)) return;  // a fault of the template
    RenderOptions options;
    for (; options.alternative < Alternatives(*value); ++options.alternative) {
      SeededRandom unused(0);
      const auto chunk = slot.type->Render(place, vocabulary_, sample_, options, unused);
      const auto fault = slot.type->FaultOf(place, sample_, chunk.status());
      if (fault.has_value()) return Add(fault->kind, field, slot.text, fault->what);
      if (!chunk.ok()) return Add(kBadValue, field, slot.text, chunk.status().message());
      if (chunk->tokens.empty() && absl::StripAsciiWhitespace(chunk->text).empty()) {
        return Add(kEmptyText, field, slot.text, "is empty");
      }
    }
  }

  const TemplateReading& reading_;
  const VocabularyView& vocabulary_;
  const TaskSample& sample_;
  const RecordUse use_;
  std::set<std::pair<std::string, std::string>> seen_;  // column, slot type; "": no more to check
  std::vector<RecordFault> faults_;
};

}  // namespace

TemplateReading ReadTemplate(const LoadedTemplate& source, const SlotTypes& types) {
  std::vector<PatternProblem> told_before;
  const TaskTemplate& task = source.proto;
  TemplateReading reading{&source, {ReadPrompt(task, task.prompt(), types, &told_before)}, {}};
  for (const std::string& paraphrase : task.paraphrase()) {
    reading.prompts.push_back(ReadPrompt(task, paraphrase, types, &told_before));
  }
  reading.target = ReadPattern(source.proto.target(), types, &told_before);
  return reading;
}

std::set<std::string> ColumnsRead(const TemplateReading& reading) {
  std::set<std::string> columns;
  for (const TaskInput& input : reading.source->proto.input()) columns.insert(input.name());
  const auto add = [&columns](const Pattern& pattern) {
    for (const PatternPiece& piece : pattern) {
      if (piece.type == nullptr) continue;
      columns.insert(piece.text);
      for (const auto& companion : piece.type->companion_columns()) columns.insert(companion.first);
    }
  };
  for (const Pattern& prompt : reading.prompts) add(prompt);
  add(reading.target);
  return columns;
}

bool HasBoxes(const TemplateReading& reading) {
  const auto has_box = [](const Pattern& pattern) {
    return std::any_of(pattern.begin(), pattern.end(), [](const PatternPiece& piece) {
      return piece.type != nullptr && piece.type->gives_box();
    });
  };
  return has_box(reading.target) ||
         std::any_of(reading.prompts.begin(), reading.prompts.end(), has_box);
}

bool HasClosedAnswers(const TemplateReading& reading) {
  return std::any_of(reading.target.begin(), reading.target.end(), [&](const PatternPiece& piece) {
    return piece.type != nullptr && !piece.type->ClosedSet({reading.source->proto, piece}).empty();
  });
}

std::vector<RecordFault> FaultsOfRecord(const TemplateReading& reading,
                                        const VocabularyView& vocabulary, const TaskSample& sample,
                                        RecordUse use) {
  return Inspection(reading, vocabulary, sample, use).Run();
}

}  // namespace unival
