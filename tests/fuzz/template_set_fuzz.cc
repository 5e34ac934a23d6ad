// Any bytes as a template set: gives an error, or a set with complete tasks that stays the same
// when it is written and read again.
#include <cstddef>
#include <cstdint>

#include "tasks/slots/pattern.h"
#include "tasks/templates/template_set.h"
#include "tests/fuzz/require.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  (void)unival::ParsePattern(text);
  const auto set = unival::ParseTemplateSet(text, "fuzz.textproto", "no_such_folder");
  if (!set.ok()) {
    Require(!set.status().message().empty());
    return 0;
  }
  for (const unival::LoadedTemplate& task : set->tasks) {
    Require(task.line > 0 && !task.proto.name().empty());
    Require(unival::ParsePattern(task.proto.prompt()).ok());
    Require(unival::ParsePattern(task.proto.target()).ok());
  }
  const auto again = unival::ParseTemplateSet(unival::TemplateSetText(*set), "again", ".");
  Require(again.ok());
  Require(unival::TemplateSetHash(*again) == unival::TemplateSetHash(*set));
  return 0;
}
