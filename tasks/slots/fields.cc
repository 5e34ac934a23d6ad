#include "tasks/slots/fields.h"

#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

absl::string_view KindOf(const FieldValue& value) {
  constexpr absl::string_view kKinds[] = {"a text", "a number", "a list of numbers",
                                          "a list of texts", "media"};
  return kKinds[value.index()];
}

absl::StatusOr<absl::optional<ImageSize>> SizeOfImage(const TaskSample& sample) {
  const auto width = sample.fields.find(kWidthColumn);
  const auto height = sample.fields.find(kHeightColumn);
  if (width == sample.fields.end() && height == sample.fields.end()) {
    return absl::optional<ImageSize>();
  }
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* w, RequireField(sample, kWidthColumn));
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* h, RequireField(sample, kHeightColumn));
  if (!std::holds_alternative<double>(*w)) return WrongKind(sample, kWidthColumn, "a number", *w);
  if (!std::holds_alternative<double>(*h)) return WrongKind(sample, kHeightColumn, "a number", *h);
  return absl::optional<ImageSize>(ImageSize{std::get<double>(*w), std::get<double>(*h)});
}

}  // namespace

absl::StatusOr<const FieldValue*> RequireField(const TaskSample& sample,
                                               const std::string& column) {
  const auto found = sample.fields.find(column);
  if (found != sample.fields.end()) return &found->second;
  const std::string have = absl::StrJoin(
      sample.fields, ", ", [](std::string* out, const auto& field) { out->append(field.first); });
  return absl::NotFoundError(
      absl::StrCat("record \"", sample.key, "\" has no column \"", column, "\"; it has: ", have));
}

absl::Status WrongKind(const TaskSample& sample, const std::string& column,
                       absl::string_view expected, const FieldValue& value) {
  return AtColumn(InvalidArgument("expected ", expected, ", got ", KindOf(value)), sample, column);
}

std::string NumberText(double value) {
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  if (value == std::floor(value) && std::abs(value) <= kExactIntegers) {
    return absl::StrCat(static_cast<int64_t>(value));
  }
  // Most numbers have few digits; no double needs more than 17.
  constexpr int kFewDigits = 6, kAllDigits = 17;
  std::string text;
  double read = 0;
  for (int digits = kFewDigits; digits <= kAllDigits; ++digits) {
    text = absl::StrFormat("%.*g", digits, value);
    if (absl::SimpleAtod(text, &read) && read == value) break;
  }
  return text;
}

absl::StatusOr<NormalizedBox> BoxOfColumn(const TaskSample& sample, const std::string& column) {
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, column));
  const auto* numbers = std::get_if<std::vector<double>>(value);
  if (numbers == nullptr) return WrongKind(sample, column, "a list of four numbers", *value);
  UNIVAL_ASSIGN_OR_RETURN(const absl::optional<ImageSize> size, SizeOfImage(sample));
  return AtColumn(BoxFractions(*numbers, size), sample, column);
}

}  // namespace unival
