#include "tasks/templates/template_types.h"

namespace unival {

const TemplateTypes& BuiltinTemplateTypes() {
  static const auto* const kTypes = new TemplateTypes;
  return *kTypes;
}

}  // namespace unival
