#include "tasks/templates/template_check.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "sdk/base/names.h"
#include "sdk/base/status.h"
#include "sdk/native/generation_check.h"
#include "tasks/slots/pattern.h"

namespace unival {
namespace {

// One template's checks.
class Checker : private FaultGatherer {
 public:
  Checker(const LoadedTemplate& task, const TemplateTypes& types)
      : FaultGatherer(task), types_(types), proto_(task.proto) {}

  std::vector<TemplateFault> Check() {
    CheckSizes();
    // Later checks may take more than linear time.
    if (!faults_.empty()) return std::move(faults_);
    CheckNames();
    CheckInputs();
    CheckPatterns();
    CheckSlotTypes();
    CheckCleaning();
    CheckBounds();
    Take(CheckTrainingFields(task_, prompt_, target_, is_whole_));
    CheckMetrics();
    // Rules that came later: sets that models store stay readable.
    if (!task_.is_stored) {
      CheckTogether();
      Take(CheckIdleSettings(task_, prompt_, target_, is_whole_));
    }
    return std::move(faults_);
  }

 private:
  void CheckSizes() {
    std::vector<std::pair<std::string, const std::string*>> texts = {
        {"name", &proto_.name()}, {"prompt", &proto_.prompt()}, {"target", &proto_.target()}};
    for (int i = 0; i < proto_.paraphrase_size(); ++i) {
      texts.emplace_back(absl::StrCat("paraphrase:", i), &proto_.paraphrase(i));
    }
    for (const std::string& label : proto_.labels().values()) texts.emplace_back("labels", &label);
    for (const std::string& word : proto_.negatives().word())
      texts.emplace_back("negatives", &word);
    for (const auto& [field, text] : texts) {
      if (text->size() <= kMaxTemplateText) continue;
      Add(field, "expected at most ", kMaxTemplateText, " bytes, got ", text->size());
    }
    if (proto_.negatives().word_size() > kMaxLabels) {
      Add("negatives", "expected at most ", kMaxLabels, " words, got ",
          proto_.negatives().word_size(), " or more");
    }
    if (proto_.labels().values_size() <= kMaxLabels) return;
    Add("labels", "expected at most ", kMaxLabels, " values, got ", proto_.labels().values_size(),
        " or more; use a {column:text} slot");
  }

  void CheckNames() {
    if (IsLowerSnake(proto_.name())) return;
    Add("name", "expected lower-case letters, digits and \"_\", got \"", proto_.name(), "\"");
  }

  void CheckInputs() {
    std::set<std::string> columns;
    for (int i = 0; i < proto_.input_size(); ++i) {
      const TaskInput& input = proto_.input(i);
      const std::string field = absl::StrCat("input:", i);
      if (input.name().empty()) Add(field, "name (the record's column) is missing");
      if (input.modality().empty()) Add(field, "modality is missing");
      if (!input.name().empty() && !columns.insert(input.name()).second) {
        AddSlot(field, input.name(), "column \"", input.name(), "\" is an input already");
      }
    }
  }

  // What could be read of the pattern; `is_whole` turns false where something could not.
  Pattern Parse(absl::string_view field, const std::string& text, bool* is_whole) {
    std::vector<PatternProblem> problems;
    Pattern pattern = field == "target" ? ReadPattern(text, types_.slots, &problems)
                                        : ReadPrompt(proto_, text, types_.slots, &problems);
    for (const PatternProblem& problem : problems) {
      AddSlot(field, problem.slot, problem.what);
      if (problem.is_unknown_type) faults_.back().kind = FaultKind::kUnknownSlotType;
    }
    if (!problems.empty()) *is_whole = false;
    for (const PatternPiece& piece : pattern) {
      if (piece.type != nullptr) CheckSlot(field, piece);
    }
    return pattern;
  }

  void CheckSlot(absl::string_view field, const PatternPiece& slot) {
    for (const TaskInput& input : proto_.input()) {
      if (slot.type->is_media() || slot.text != input.name()) continue;
      AddSlot(field, slot.text, "slot \"{", slot.text, "}\": the column is a media input");
      return;
    }
    const absl::Status fits = slot.type->Check({proto_, slot});
    if (fits.ok()) return;
    AddSlot(field, slot.text, "slot \"{", slot.text, ":", slot.type->name(), "}\" ",
            fits.message());
  }

  // An item has one place in a text.
  void CheckMediaPlaces(absl::string_view field, const Pattern& pattern) {
    std::set<std::string> placed;
    for (const PatternPiece& piece : pattern) {
      if (piece.type == nullptr || !piece.type->is_media() || placed.insert(piece.text).second) {
        continue;
      }
      AddSlot(field, piece.text, "input \"", piece.text,
              "\" stands there twice; name it once, or add another input");
    }
  }

  void CheckPatterns() {
    prompt_ = Parse("prompt", proto_.prompt(), &is_whole_);
    CheckMediaPlaces("prompt", prompt_);
    for (int i = 0; i < proto_.paraphrase_size(); ++i) CheckParaphrase(i);
    bool target_is_whole = true;
    target_ = Parse("target", proto_.target(), &target_is_whole);
    is_whole_ = is_whole_ && target_is_whole;
    if (target_is_whole && PatternColumns(target_).empty()) {
      Add("target", "has no slot; nothing to answer");
    }
    if (proto_.prompt().empty() && proto_.input().empty()) {
      Add("prompt", "is empty and there is no input; the model would see nothing");
    }
  }

  void CheckParaphrase(int index) {
    const std::string field = absl::StrCat("paraphrase:", index);
    bool is_whole = true;
    const Pattern paraphrase = Parse(field, proto_.paraphrase(index), &is_whole);
    CheckMediaPlaces(field, paraphrase);
    if (!is_whole) is_whole_ = false;
    if (!is_whole_ || Sorted(PatternColumns(paraphrase)) == Sorted(PatternColumns(prompt_))) return;
    Add(field, "must use the same columns as the prompt");
  }

  static std::vector<std::string> Sorted(std::vector<std::string> items) {
    std::sort(items.begin(), items.end());
    return items;
  }

  // Only when all patterns could be read: nobody knows what a partly read pattern lacks.
  void CheckSlotTypes() {
    if (!is_whole_) return;
    for (const auto& type : types_.slots.all()) {
      for (const TemplateProblem& problem : type->CheckTemplate(proto_, prompt_, target_)) {
        Add(problem.field, problem.what);
      }
    }
  }

  // Whether some slot of the pattern is of a type with this property.
  static bool HasSlotThat(const Pattern& pattern, bool (SlotType::*property)() const) {
    return std::any_of(pattern.begin(), pattern.end(), [property](const PatternPiece& piece) {
      return piece.type != nullptr && ((*piece.type).*property)();
    });
  }

  void CheckCleaning() {
    std::set<std::string> used;
    for (const Pattern* pattern : {&prompt_, &target_}) {
      for (std::string& column : PatternColumns(*pattern)) used.insert(std::move(column));
    }
    for (int i = 0; i < proto_.clean_size(); ++i) {
      const std::string& column = proto_.clean(i).column();
      if (!is_whole_ || used.count(column) > 0) continue;
      AddSlot(absl::StrCat("clean:", i), column, "no slot of column \"", column, "\"");
    }
  }

  void CheckBounds() {
    if (!(proto_.mask_ratio() >= 0 && proto_.mask_ratio() < 1)) {
      Add("mask_ratio", "expected a share in [0, 1), got ", proto_.mask_ratio());
    }
    if (proto_.mask_ratio() > 0 && is_whole_ && !HasSlotThat(prompt_, &SlotType::maskable)) {
      Add("mask_ratio", "needs a text slot in the prompt to mask words of");
    }
    if (proto_.max_source_tokens() < 0) Add("max_source_tokens", "must not be negative");
    if (proto_.max_target_tokens() < 0) Add("max_target_tokens", "must not be negative");
    for (int i = 0; i < proto_.clean_size(); ++i) {
      if (proto_.clean(i).max_words() >= 0) continue;
      Add(absl::StrCat("clean:", i), "max_words must not be negative");
      faults_.back().kind = FaultKind::kOutOfRange;
    }
    for (const absl::Status& fault : GenerationFaults(proto_.generation())) {
      Add("generation", fault.message());
    }
    if (proto_.generation().score_candidates() && is_whole_ && !task_.is_stored &&
        !HasClosedSet(proto_, target_)) {
      Add("generation",
          "generation.score_candidates: needs a closed set of answers; make the target a "
          "{column:label} slot with labels, or take it out");
    }
  }

  void CheckTogether() {
    const GenerationConfig& generation = proto_.generation();
    AddGeneration(CheckGenerationTogether(generation));
    const PatternPiece* only = OnlySlot(target_);
    const int64_t tokens = only == nullptr ? 0 : only->type->token_count();
    const absl::Status least =
        CheckLeastTokens(generation, tokens > 0 ? tokens : kDefaultMaxTokens);
    // The longest answer of a closed set is known with a vocabulary only.
    if (!least.ok() && is_whole_ && !HasClosedSet(proto_, target_)) AddGeneration(least);
  }

  void Take(std::vector<TemplateFault> more) {
    std::move(more.begin(), more.end(), std::back_inserter(faults_));
  }

  void AddGeneration(const absl::Status& status) {
    if (!status.ok()) Add("generation", status.message());
  }

  void CheckMetrics() {
    if (types_.metrics == nullptr) return;
    for (int i = 0; i < proto_.metric_size(); ++i) {
      const std::string field = absl::StrCat("metric:", i);
      const auto metric = types_.metrics->FindMetric(proto_.metric(i));
      if (!metric.ok()) {
        Add(field, metric.status().message());
      } else if ((*metric)->needs_box && is_whole_ && !HasSlotThat(target_, &SlotType::gives_box)) {
        Add(field, "\"", proto_.metric(i), "\" needs a box slot in the target");
      }
    }
  }

  const TemplateTypes& types_;
  const TaskTemplate& proto_;
  Pattern prompt_, target_;
  bool is_whole_ = true;  // all patterns could be read
};

}  // namespace

bool HasClosedSet(const TaskTemplate& task, const Pattern& target) {
  return std::any_of(target.begin(), target.end(), [&task](const PatternPiece& slot) {
    return slot.type != nullptr && !slot.type->ClosedSet({task, slot}).empty();
  });
}

std::vector<TemplateFault> CheckTemplate(const LoadedTemplate& task, const TemplateTypes& types) {
  return Checker(task, types).Check();
}

}  // namespace unival
