// {c:number}: a number, printed in its shortest form.
#include "sdk/base/status_macros.h"
#include "tasks/slots/builtin_slots.h"
#include "tasks/slots/column_text.h"
#include "tasks/slots/fields.h"

namespace unival {
namespace {

class Number : public SlotType {
 public:
  std::string name() const override { return "number"; }
  ValueKind value_kind() const override { return ValueKind::kNumber; }
  bool divisible() const override { return true; }

  absl::StatusOr<Chunk> Render(const SlotPlace& place, const VocabularyView&,
                               const TaskSample& sample, const RenderOptions& options,
                               SeededRandom&) const override {
    UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, place.slot.text));
    const auto* number = std::get_if<double>(value);
    if (number == nullptr) return WrongKind(sample, place.slot.text, "a number", *value);
    return Chunk{CleanedColumn(place, NumberText(*number), options.reference), {}, ""};
  }
};

}  // namespace

std::shared_ptr<const SlotType> NumberSlot() { return std::make_shared<Number>(); }

}  // namespace unival
