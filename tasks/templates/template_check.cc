#include "tasks/templates/template_check.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "sdk/base/names.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/metrics.h"
#include "tasks/templates/pattern.h"

namespace unival {
namespace {

// One template's checks; `Error` puts file, line, task and field before the message.
class Checker {
 public:
  explicit Checker(const LoadedTemplate& task) : task_(task), proto_(task.proto) {}

  absl::Status Check() {
    UNIVAL_RETURN_IF_ERROR(CheckNames());
    UNIVAL_RETURN_IF_ERROR(CheckInputs());
    UNIVAL_RETURN_IF_ERROR(CheckPatterns());
    UNIVAL_RETURN_IF_ERROR(CheckLabels());
    UNIVAL_RETURN_IF_ERROR(CheckCleaning());
    UNIVAL_RETURN_IF_ERROR(CheckBounds());
    return CheckMetrics();
  }

 private:
  template <typename... Parts>
  absl::Status Error(absl::string_view field, const Parts&... parts) const {
    return InvalidArgument(task_.Where(field), parts...);
  }

  absl::Status CheckNames() const {
    if (IsLowerSnake(proto_.name())) return absl::OkStatus();
    return Error("name", "expected lower-case letters, digits and '_', got '", proto_.name(), "'");
  }

  absl::Status CheckInputs() const {
    std::set<std::string> columns;
    for (int i = 0; i < proto_.input_size(); ++i) {
      const TaskInput& input = proto_.input(i);
      const std::string field = absl::StrCat("input:", i);
      if (input.name().empty()) return Error(field, "name (the record's column) is missing");
      if (input.modality().empty()) return Error(field, "modality is missing");
      if (!columns.insert(input.name()).second) {
        return Error(field, "column '", input.name(), "' is an input already");
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Pattern> Parse(absl::string_view field, const std::string& text) const {
    absl::StatusOr<Pattern> pattern = ParsePattern(text);
    if (!pattern.ok()) return Error(field, pattern.status().message());
    for (const PatternPiece& piece : *pattern) {
      UNIVAL_RETURN_IF_ERROR(CheckSlot(field, piece));
    }
    return pattern;
  }

  absl::Status CheckSlot(absl::string_view field, const PatternPiece& slot) const {
    for (const TaskInput& input : proto_.input()) {
      if (slot.type != SlotType::kLiteral && slot.text == input.name()) {
        return Error(field, "slot '{", slot.text, "}': the column is a media input");
      }
    }
    if (slot.type == SlotType::kCodes && proto_.codes_block().empty()) {
      return Error(field, "slot '{", slot.text, ":codes}' needs codes_block");
    }
    if (slot.type == SlotType::kLabel &&
        (proto_.labels().values().empty() || proto_.labels().slot() != slot.text)) {
      return Error(field, "slot '{", slot.text, ":label}' needs labels { slot: \"", slot.text,
                   "\" } with values or a file");
    }
    return absl::OkStatus();
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

  absl::Status CheckLabels() const {
    const LabelSet& labels = proto_.labels();
    if (!proto_.has_labels()) return absl::OkStatus();
    if (!HasSlot(prompt_, SlotType::kLabel) && !HasSlot(target_, SlotType::kLabel)) {
      return Error("labels", "no slot '{", labels.slot(), ":label}' in prompt or target");
    }
    if (HasSlot(target_, SlotType::kLabel) && PatternColumns(target_).size() != 1) {
      return Error("target",
                   "a label must be the only slot of a target, so that the answers form "
                   "a closed set; use {",
                   labels.slot(), ":text}");
    }
    std::set<std::string> seen;
    for (const std::string& value : labels.values()) {
      if (!seen.insert(value).second) return Error("labels", "value '", value, "' occurs twice");
    }
    return absl::OkStatus();
  }

  absl::Status CheckCleaning() const {
    std::set<std::string> used;
    for (const Pattern* pattern : {&prompt_, &target_}) {
      for (std::string& column : PatternColumns(*pattern)) used.insert(std::move(column));
    }
    for (int i = 0; i < proto_.clean_size(); ++i) {
      const std::string& column = proto_.clean(i).column();
      if (used.count(column) == 0) {
        return Error(absl::StrCat("clean:", i), "no slot of column '", column, "'");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckBounds() const {
    if (!(proto_.mask_ratio() >= 0 && proto_.mask_ratio() < 1)) {
      return Error("mask_ratio", "expected a share in [0, 1), got ", proto_.mask_ratio());
    }
    if (proto_.mask_ratio() > 0 && !HasSlot(prompt_, SlotType::kText)) {
      return Error("mask_ratio", "needs a text slot in the prompt to mask words of");
    }
    if (proto_.max_source_tokens() < 0) return Error("max_source_tokens", "must not be negative");
    if (proto_.max_target_tokens() < 0) return Error("max_target_tokens", "must not be negative");
    return absl::OkStatus();
  }

  absl::Status CheckMetrics() const {
    for (int i = 0; i < proto_.metric_size(); ++i) {
      const std::string field = absl::StrCat("metric:", i);
      const absl::Status known = CheckMetricName(proto_.metric(i));
      if (!known.ok()) return Error(field, known.message());
      if (MetricNeedsBox(proto_.metric(i)) && !HasSlot(target_, SlotType::kBox)) {
        return Error(field, "'", proto_.metric(i), "' needs a box slot in the target");
      }
    }
    return absl::OkStatus();
  }

  const LoadedTemplate& task_;
  const TaskTemplate& proto_;
  Pattern prompt_, target_;
};

}  // namespace

absl::Status CheckTemplate(const LoadedTemplate& task) { return Checker(task).Check(); }

}  // namespace unival
