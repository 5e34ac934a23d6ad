// Settings of a template that are written twice, and those that nothing in the task reads: whoever
// wrote them meant something that does not happen.
#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tasks/slots/pattern.h"
#include "tasks/templates/template_check.h"

namespace unival {
namespace {

class SettingChecker : private PatternFaultGatherer {
 public:
  using PatternFaultGatherer::PatternFaultGatherer;

  std::vector<TemplateFault> Check() {
    CheckWordings();
    CheckCleaningRules();
    CheckMetricNames();
    if (proto_.prompt_end_in_decoder() && !proto_.prompt_in_decoder()) {
      Add("prompt_end_in_decoder", "needs prompt_in_decoder: true; add it, or take this out");
    }
    // Nobody knows what a pattern that was read in part lacks.
    if (is_whole_) CheckSlotSettings();
    return std::move(faults_);
  }

 private:
  void CheckWordings() {
    std::set<absl::string_view> seen = {proto_.prompt()};
    for (int i = 0; i < proto_.paraphrase_size(); ++i) {
      const std::string& wording = proto_.paraphrase(i);
      if (seen.insert(wording).second) continue;
      Add(absl::StrCat("paraphrase:", i), "is the same as ",
          wording == proto_.prompt() ? "the prompt" : "one above",
          "; word it otherwise, or take it out");
    }
  }

  void CheckCleaningRules() {
    std::set<absl::string_view> seen;
    for (int i = 0; i < proto_.clean_size(); ++i) {
      const ColumnCleaning& clean = proto_.clean(i);
      const std::string field = absl::StrCat("clean:", i);
      if (!seen.insert(clean.column()).second) {
        AddSlot(field, clean.column(), "column \"", clean.column(),
                "\" is cleaned above already; put rule and max_words into one clean");
      }
      // The text format takes any number for the name of a rule.
      if (TextCleaning_IsValid(clean.rule())) continue;
      AddSlot(field, clean.column(), "rule: expected ", static_cast<int>(TextCleaning_MIN), " to ",
              static_cast<int>(TextCleaning_MAX), ", got ", static_cast<int>(clean.rule()),
              "; write the name of a rule, as TEXT_CLEANING_CAPTION");
      faults_.back().kind = FaultKind::kOutOfRange;
    }
  }

  void CheckMetricNames() {
    std::set<absl::string_view> seen;
    for (int i = 0; i < proto_.metric_size(); ++i) {
      if (seen.insert(proto_.metric(i)).second) continue;
      Add(absl::StrCat("metric:", i), "\"", proto_.metric(i),
          "\" stands above already; take one of them out");
    }
  }

  // The vocabulary block of a slot; empty for text.
  std::string BlockOf(const PatternPiece& slot) const {
    return slot.type == nullptr ? "" : slot.type->Block({proto_, slot});
  }

  // Whether `unconstrained` has a block to free.
  bool IsOfBlock(const PatternPiece& slot) const {
    if (slot.type == nullptr) return false;
    return slot.type->gives_box() || slot.type->gives_codes() || !BlockOf(slot).empty();
  }

  bool ReadsCodesBlock(const Pattern& pattern) const {
    return std::any_of(pattern.begin(), pattern.end(), [this](const PatternPiece& slot) {
      if (slot.type == nullptr) return false;
      return slot.type->gives_codes() || BlockOf(slot) == proto_.codes_block();
    });
  }

  // Whether generation may write some tokens only, which is what mask_after_softmax is about.
  bool IsLimited() const {
    if (HasClosedSet(proto_, target_)) return true;
    const PatternPiece* only = OnlySlot(target_);
    return only != nullptr && !proto_.unconstrained() && IsOfBlock(*only);
  }

  void CheckSlotSettings() {
    if (proto_.generation().mask_after_softmax() && !IsLimited()) {
      Add("generation",
          "generation.mask_after_softmax: needs a closed set of answers; make the target a "
          "{column:label} slot with labels, or take it out");
    }
    if (proto_.unconstrained() &&
        std::none_of(target_.begin(), target_.end(),
                     [this](const PatternPiece& slot) { return IsOfBlock(slot); })) {
      Add("unconstrained", "needs a box or codes slot in the target to free; take it out");
    }
    if (!proto_.codes_block().empty() && !ReadsCodesBlock(prompt_) && !ReadsCodesBlock(target_)) {
      Add("codes_block", "no slot writes codes of \"", proto_.codes_block(),
          "\"; add a {column:codes} slot, or take it out");
    }
  }
};

}  // namespace

std::vector<TemplateFault> CheckIdleSettings(const LoadedTemplate& task, const Pattern& prompt,
                                             const Pattern& target, bool is_whole) {
  return SettingChecker(task, prompt, target, is_whole).Check();
}

}  // namespace unival
