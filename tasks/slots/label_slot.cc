#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "tasks/slots/builtin_slots.h"
#include "tasks/slots/column_text.h"
#include "tasks/slots/fields.h"
#include "tasks/slots/label_index.h"
#include "tasks/slots/pattern.h"

namespace unival {
namespace {

class Label : public SlotType {
 public:
  std::string name() const override { return "label"; }
  bool divisible() const override { return true; }

  absl::Status Check(const SlotPlace& place) const override {
    UNIVAL_RETURN_IF_ERROR(SlotType::Check(place));
    const LabelSet& labels = place.task.labels();
    if (!labels.values().empty() && labels.slot() == place.slot.text) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("needs labels { slot: \"", place.slot.text, "\" } with values or a file"));
  }

  std::vector<TemplateProblem> CheckTemplate(const TaskTemplate& task, const Pattern& prompt,
                                             const Pattern& target) const override {
    std::vector<TemplateProblem> problems;
    if (!task.has_labels()) return problems;
    const LabelSet& labels = task.labels();
    const bool answers = HasSlot(target, *this);
    if (!answers && !HasSlot(prompt, *this)) {
      problems.push_back(
          {"labels", absl::StrCat("no slot \"{", labels.slot(), ":label}\" in prompt or target")});
    }
    if (answers && PatternColumns(target).size() != 1) {
      problems.push_back(
          {"target", absl::StrCat("a label must be the only slot of a target, so that the answers "
                                  "form a closed set; use {",
                                  labels.slot(), ":text}")});
    }
    std::set<std::string> seen, told;
    for (const std::string& value : labels.values()) {
      if (seen.insert(value).second || !told.insert(value).second) continue;
      problems.push_back({"labels", absl::StrCat("value \"", value, "\" occurs twice")});
    }
    return problems;
  }

  std::vector<std::string> ClosedSet(const SlotPlace& place) const override {
    const auto& values = place.task.labels().values();
    return {values.begin(), values.end()};
  }

  absl::StatusOr<Chunk> Render(const SlotPlace& place, const VocabularyView&,
                               const TaskSample& sample, const RenderOptions& options,
                               SeededRandom& random) const override {
    // Cut as in training even for a reference: it must be one of the labels.
    RenderOptions as_trained = options;
    as_trained.reference = false;
    UNIVAL_ASSIGN_OR_RETURN(std::string text, ColumnText(place, sample, as_trained, random));
    const auto& labels = place.task.labels().values();
    const bool is_one = options.labels != nullptr
                            ? options.labels->Has(text)
                            : std::find(labels.begin(), labels.end(), text) != labels.end();
    if (is_one) return Chunk{std::move(text), {}, ""};
    return AtColumn(InvalidArgument("\"", text, "\" is none of the ", labels.size(),
                                    " labels of task \"", place.task.name(), "\""),
                    sample, place.slot.text);
  }
};

}  // namespace

std::shared_ptr<const SlotType> LabelSlot() { return std::make_shared<Label>(); }

}  // namespace unival
