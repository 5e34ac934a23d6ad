#include "tasks/slots/slot_type.h"

#include "absl/strings/str_cat.h"

namespace unival {

bool IsOfKind(const FieldValue& value, ValueKind kind) {
  using Numbers = std::vector<double>;
  if (kind == ValueKind::kNumbers) return std::holds_alternative<Numbers>(value);
  if (kind == ValueKind::kNumber) return std::holds_alternative<double>(value);
  return !std::holds_alternative<MediaSource>(value) && !std::holds_alternative<Numbers>(value);
}

SlotType::~SlotType() = default;

absl::Status SlotType::Check(const SlotPlace& place) const {
  if (place.slot.options.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("takes no options, got \"", place.slot.options, "\""));
}

std::vector<TemplateProblem> SlotType::CheckTemplate(const TaskTemplate&, const Pattern&,
                                                     const Pattern&) const {
  return {};
}

std::string SlotType::Block(const SlotPlace&) const { return ""; }

std::vector<std::string> SlotType::ClosedSet(const SlotPlace&) const { return {}; }

absl::StatusOr<std::vector<TokenRange>> SlotType::AllowedTokens(
    const SlotPlace& place, const VocabularyView& vocabulary) const {
  const std::string block = Block(place);
  if (block.empty()) return std::vector<TokenRange>();
  return vocabulary.BlockRanges(block);
}

absl::optional<ValueFault> SlotType::FaultOf(const SlotPlace& place, const TaskSample& sample,
                                             const absl::Status& rendered) const {
  if (rendered.ok()) return absl::nullopt;
  const bool fits = IsOfKind(sample.fields.at(place.slot.text), value_kind());
  return ValueFault{fits ? kBadValue : kWrongType, std::string(rendered.message())};
}

absl::Status SlotType::Interpret(const SlotPlace&, const VocabularyView&,
                                 absl::Span<const BlockToken>, Prediction*) const {
  return absl::OkStatus();
}

absl::Status SlotType::AddReference(const SlotPlace&, const TaskSample&, References*) const {
  return absl::OkStatus();
}

}  // namespace unival
