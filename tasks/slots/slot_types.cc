#include "tasks/slots/slot_types.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/names.h"
#include "tasks/slots/builtin_slots.h"

namespace unival {

absl::Status SlotTypes::Add(std::shared_ptr<const SlotType> type) {
  const std::string name = type->name();
  if (!IsId(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("slot type \"", name, "\": expected a name of the form ", kIdForm));
  }
  if (Find(name) != nullptr) {
    return absl::AlreadyExistsError(
        absl::StrCat("slot type \"", name, "\" is there already; rename one of them"));
  }
  types_.push_back(std::move(type));
  return absl::OkStatus();
}

std::shared_ptr<const SlotType> SlotTypes::Find(absl::string_view name) const {
  for (const auto& type : types_) {
    if (type->name() == name) return type;
  }
  return nullptr;
}

std::string SlotTypes::Names() const {
  std::string names;
  for (size_t i = 0; i < types_.size(); ++i) {
    const char* before = i == 0 ? "" : i + 1 == types_.size() ? " or " : ", ";
    absl::StrAppend(&names, before, types_[i]->name());
  }
  return names;
}

const SlotTypes& BuiltinSlotTypes() {
  static const auto* const kTypes = [] {
    auto* types = new SlotTypes;
#define UNIVAL_MAKE_SLOT(function) function(),
    for (const auto& type : {UNIVAL_SLOT_TYPES(UNIVAL_MAKE_SLOT)}) {
      const absl::Status added = types->Add(type);
      (void)added;  // the names differ, which slots_test checks
    }
#undef UNIVAL_MAKE_SLOT
    return types;
  }();
  return *kTypes;
}

}  // namespace unival
