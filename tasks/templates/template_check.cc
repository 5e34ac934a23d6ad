#include "tasks/templates/template_check.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "sdk/base/names.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/generation_check.h"
#include "tasks/slots/pattern.h"

namespace unival {
namespace {

// One template's checks; `Error` puts file, line, task and field before the message.
class Checker {
 public:
  Checker(const LoadedTemplate& task, const TemplateTypes& types)
      : task_(task), types_(types), proto_(task.proto) {}

  absl::Status Check() {
    UNIVAL_RETURN_IF_ERROR(CheckSizes());
    UNIVAL_RETURN_IF_ERROR(CheckNames());
    UNIVAL_RETURN_IF_ERROR(CheckInputs());
    UNIVAL_RETURN_IF_ERROR(CheckPatterns());
    UNIVAL_RETURN_IF_ERROR(CheckSlotTypes());
    UNIVAL_RETURN_IF_ERROR(CheckCleaning());
    UNIVAL_RETURN_IF_ERROR(CheckBounds());
    return CheckMetrics();
  }

 private:
  template <typename... Parts>
  absl::Status Error(absl::string_view field, const Parts&... parts) const {
    return InvalidArgument(task_.Where(field), parts...);
  }

  // Before anything is parsed: later checks may take more than linear time.
  absl::Status CheckSizes() const {
    std::vector<std::pair<std::string, const std::string*>> texts = {
        {"name", &proto_.name()}, {"prompt", &proto_.prompt()}, {"target", &proto_.target()}};
    for (int i = 0; i < proto_.paraphrase_size(); ++i) {
      texts.emplace_back(absl::StrCat("paraphrase:", i), &proto_.paraphrase(i));
    }
    for (const std::string& label : proto_.labels().values()) texts.emplace_back("labels", &label);
    for (const auto& [field, text] : texts) {
      if (text->size() <= kMaxTemplateText) continue;
      return Error(field, "expected at most ", kMaxTemplateText, " bytes, got ", text->size());
    }
    if (proto_.labels().values_size() <= kMaxLabels) return absl::OkStatus();
    return Error("labels", "expected at most ", kMaxLabels, " values, got ",
                 proto_.labels().values_size(), " or more; use a {column:text} slot");
  }

  absl::Status CheckNames() const {
    if (IsLowerSnake(proto_.name())) return absl::OkStatus();
    return Error("name", "expected lower-case letters, digits and \"_\", got \"", proto_.name(),
                 "\"");
  }

  absl::Status CheckInputs() const {
    std::set<std::string> columns;
    for (int i = 0; i < proto_.input_size(); ++i) {
      const TaskInput& input = proto_.input(i);
      const std::string field = absl::StrCat("input:", i);
      if (input.name().empty()) return Error(field, "name (the record's column) is missing");
      if (input.modality().empty()) return Error(field, "modality is missing");
      if (!columns.insert(input.name()).second) {
        return Error(field, "column \"", input.name(), "\" is an input already");
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Pattern> Parse(absl::string_view field, const std::string& text) const {
    absl::StatusOr<Pattern> pattern = ParsePattern(text, types_.slots);
    if (!pattern.ok()) return Error(field, pattern.status().message());
    for (const PatternPiece& piece : *pattern) {
      if (piece.type != nullptr) UNIVAL_RETURN_IF_ERROR(CheckSlot(field, piece));
    }
    return pattern;
  }

  absl::Status CheckSlot(absl::string_view field, const PatternPiece& slot) const {
    for (const TaskInput& input : proto_.input()) {
      if (slot.text == input.name()) {
        return Error(field, "slot \"{", slot.text, "}\": the column is a media input");
      }
    }
    const absl::Status fits = slot.type->Check({proto_, slot});
    if (fits.ok()) return fits;
    return Error(field, "slot \"{", slot.text, ":", slot.type->name(), "}\" ", fits.message());
  }

  absl::Status CheckPatterns() {
    UNIVAL_ASSIGN_OR_RETURN(prompt_, Parse("prompt", proto_.prompt()));
    for (int i = 0; i < proto_.paraphrase_size(); ++i) {
      const std::string field = absl::StrCat("paraphrase:", i);
      UNIVAL_ASSIGN_OR_RETURN(const Pattern paraphrase, Parse(field, proto_.paraphrase(i)));
      if (Sorted(PatternColumns(paraphrase)) != Sorted(PatternColumns(prompt_))) {
        return Error(field, "must use the same columns as the prompt");
      }
    }
    UNIVAL_ASSIGN_OR_RETURN(target_, Parse("target", proto_.target()));
    if (PatternColumns(target_).empty()) return Error("target", "has no slot; nothing to answer");
    if (prompt_.empty() && proto_.input().empty()) {
      return Error("prompt", "is empty and there is no input; the model would see nothing");
    }
    return absl::OkStatus();
  }

  static std::vector<std::string> Sorted(std::vector<std::string> items) {
    std::sort(items.begin(), items.end());
    return items;
  }

  absl::Status CheckSlotTypes() const {
    for (const auto& type : types_.slots.all()) {
      const auto problem = type->CheckTemplate(proto_, prompt_, target_);
      if (problem.has_value()) return Error(problem->field, problem->what);
    }
    return absl::OkStatus();
  }

  // Whether some slot of the pattern is of a type with this property.
  static bool HasSlotThat(const Pattern& pattern, bool (SlotType::*property)() const) {
    return std::any_of(pattern.begin(), pattern.end(), [property](const PatternPiece& piece) {
      return piece.type != nullptr && ((*piece.type).*property)();
    });
  }

  absl::Status CheckCleaning() const {
    std::set<std::string> used;
    for (const Pattern* pattern : {&prompt_, &target_}) {
      for (std::string& column : PatternColumns(*pattern)) used.insert(std::move(column));
    }
    for (int i = 0; i < proto_.clean_size(); ++i) {
      const std::string& column = proto_.clean(i).column();
      if (used.count(column) == 0) {
        return Error(absl::StrCat("clean:", i), "no slot of column \"", column, "\"");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckBounds() const {
    if (!(proto_.mask_ratio() >= 0 && proto_.mask_ratio() < 1)) {
      return Error("mask_ratio", "expected a share in [0, 1), got ", proto_.mask_ratio());
    }
    if (proto_.mask_ratio() > 0 && !HasSlotThat(prompt_, &SlotType::maskable)) {
      return Error("mask_ratio", "needs a text slot in the prompt to mask words of");
    }
    if (proto_.max_source_tokens() < 0) return Error("max_source_tokens", "must not be negative");
    if (proto_.max_target_tokens() < 0) return Error("max_target_tokens", "must not be negative");
    for (int i = 0; i < proto_.clean_size(); ++i) {
      if (proto_.clean(i).max_words() >= 0) continue;
      return Error(absl::StrCat("clean:", i), "max_words must not be negative");
    }
    const absl::Status generation = CheckGenerationConfig(proto_.generation());
    return generation.ok() ? generation : Error("generation", generation.message());
  }

  absl::Status CheckMetrics() const {
    if (types_.metrics == nullptr) return absl::OkStatus();
    for (int i = 0; i < proto_.metric_size(); ++i) {
      const std::string field = absl::StrCat("metric:", i);
      const auto metric = types_.metrics->FindMetric(proto_.metric(i));
      if (!metric.ok()) return Error(field, metric.status().message());
      if ((*metric)->needs_box && !HasSlotThat(target_, &SlotType::gives_box)) {
        return Error(field, "\"", proto_.metric(i), "\" needs a box slot in the target");
      }
    }
    return absl::OkStatus();
  }

  const LoadedTemplate& task_;
  const TemplateTypes& types_;
  const TaskTemplate& proto_;
  Pattern prompt_, target_;
};

}  // namespace

absl::Status CheckTemplate(const LoadedTemplate& task, const TemplateTypes& types) {
  return Checker(task, types).Check();
}

}  // namespace unival
