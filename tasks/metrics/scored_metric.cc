#include "tasks/metrics/scored_metric.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/status_macros.h"

namespace unival {

const ScoredMetric* AsScored(const Metric* metric) {
  return dynamic_cast<const ScoredMetric*>(metric);
}

absl::StatusOr<References> ReadTexts(const ReferenceReader& reader, const TaskSample& sample) {
  UNIVAL_ASSIGN_OR_RETURN(References references, reader(sample));
  if (references.texts.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(sample.key,
                     ": expected at least one reference answer, got none; add one, or "
                     "leave the record out"));
  }
  return references;
}

const std::string* TextColumn(const TaskSample& sample, const std::string& name) {
  const auto found = sample.fields.find(name);
  return found == sample.fields.end() ? nullptr : std::get_if<std::string>(&found->second);
}

absl::optional<std::string> GroupOf(const TaskSample& sample) {
  if (const std::string* text = TextColumn(sample, kGroupColumn)) return *text;
  const auto found = sample.fields.find(kGroupColumn);
  if (found == sample.fields.end()) return absl::nullopt;
  const auto* number = std::get_if<double>(&found->second);
  if (number == nullptr) return absl::nullopt;
  return absl::StrFormat("%.17g", *number);
}

}  // namespace unival
