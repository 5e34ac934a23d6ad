// {c:label}: a text of the template's closed label set.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "sdk/base/random.h"
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
    const std::vector<std::string> inside = LabelsAmongSeveral(place, sample, options);
    if (options.training && !inside.empty()) {
      return Chunk{inside[random.Below(inside.size())], {}, ""};
    }
    // Cut as in training even for a reference: it must be one of the labels.
    RenderOptions as_trained = options;
    as_trained.reference = false;
    UNIVAL_ASSIGN_OR_RETURN(std::string text, ColumnText(place, sample, as_trained, random));
    if (IsLabel(place.task, options, text)) return Chunk{std::move(text), {}, ""};
    if (!inside.empty()) {
      return Chunk{options.reference ? std::move(text) : inside.front(), {}, ""};
    }
    return AtColumn(
        InvalidArgument("\"", text, "\" is none of the ", place.task.labels().values_size(),
                        " labels of task \"", place.task.name(), "\""),
        sample, place.slot.text);
  }

  absl::optional<ValueFault> FaultOf(const SlotPlace& place, const TaskSample& sample,
                                     const absl::Status& rendered) const override {
    absl::optional<ValueFault> fault = SlotType::FaultOf(place, sample, rendered);
    if (fault.has_value() && fault->kind == kBadValue) fault->kind = kUnknownLabel;
    return fault;
  }

 private:
  static bool IsLabel(const TaskTemplate& task, const RenderOptions& options,
                      const std::string& text) {
    if (options.labels != nullptr) return options.labels->Has(text);
    const auto& labels = task.labels().values();
    return std::find(labels.begin(), labels.end(), text) != labels.end();
  }

  // Of a column with several right answers, those that are in the set: the others, which a closed
  // set of the commonest answers leaves out, are never taught, and answers are compared with them.
  static std::vector<std::string> LabelsAmongSeveral(const SlotPlace& place,
                                                     const TaskSample& sample,
                                                     const RenderOptions& options) {
    std::vector<std::string> inside;
    const auto found = sample.fields.find(place.slot.text);
    if (found == sample.fields.end()) return inside;
    const auto* several = std::get_if<std::vector<std::string>>(&found->second);
    if (several == nullptr || several->size() < 2) return inside;
    for (const std::string& one : *several) {
      std::string text = CleanedColumn(place, one, /*reference=*/false);
      if (IsLabel(place.task, options, text)) inside.push_back(std::move(text));
    }
    return inside;
  }
};

}  // namespace

std::shared_ptr<const SlotType> LabelSlot() { return std::make_shared<Label>(); }

}  // namespace unival
