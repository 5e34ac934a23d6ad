#include "tasks/slots/column_text.h"

#include <algorithm>
#include <utility>

#include "sdk/base/random.h"
#include "sdk/base/status_macros.h"
#include "tasks/slots/fields.h"
#include "tasks/templates/text_cleaning.h"

namespace unival {
namespace {

absl::StatusOr<std::string> RawText(const SlotPlace& place, const TaskSample& sample,
                                    const RenderOptions& options, SeededRandom& random) {
  const std::string& column = place.slot.text;
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, column));
  if (const auto* number = std::get_if<double>(value)) return NumberText(*number);
  if (const auto* one = std::get_if<std::string>(value)) return *one;
  const auto* several = std::get_if<std::vector<std::string>>(value);
  if (several == nullptr || several->empty()) {
    return WrongKind(sample, column, "a text, a number or a list of texts", *value);
  }
  const size_t which = options.training ? random.Below(several->size())
                                        : std::min(options.alternative, several->size() - 1);
  return (*several)[which];
}

}  // namespace

std::string CleanedColumn(const SlotPlace& place, std::string text, bool reference) {
  for (const ColumnCleaning& clean : place.task.clean()) {
    if (clean.column() != place.slot.text) continue;
    text = CleanText(text, clean.rule(), reference ? 0 : clean.max_words());
  }
  return text;
}

absl::StatusOr<std::string> ColumnText(const SlotPlace& place, const TaskSample& sample,
                                       const RenderOptions& options, SeededRandom& random) {
  UNIVAL_ASSIGN_OR_RETURN(std::string text, RawText(place, sample, options, random));
  return CleanedColumn(place, std::move(text), options.reference);
}

}  // namespace unival
