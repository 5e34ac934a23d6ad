// Any bytes as the label file of a task: gives an error, or a closed set of different, non-empty
// texts that stays the same when it is stored with a model and read again.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "tasks/templates/template_set.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/scratch.h"

namespace {

constexpr char kSet[] = R"(
name: "set"
task {
  name: "which"
  input { name: "image" modality: "image" }
  prompt: " which?"
  target: " {class:label}"
  labels { slot: "class" file: "labels.txt" }
}
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string folder = unival::ScratchFolder();
  unival::WriteScratch("labels.txt", text);
  const auto set = unival::ParseTemplateSet(kSet, "set.textproto", folder);
  if (!set.ok()) {
    unival::Require(!set.status().message().empty());
    return 0;
  }
  const auto& values = set->tasks[0].proto.labels().values();
  unival::Require(!values.empty() && set->tasks[0].proto.labels().file().empty());
  for (const std::string& value : values) unival::Require(!value.empty());
  unival::Require(static_cast<int>(std::set<std::string>(values.begin(), values.end()).size()) ==
                  values.size());
  const auto again = unival::ParseTemplateSet(unival::TemplateSetText(*set), "again", "");
  unival::Require(again.ok() && unival::TemplateSetHash(*again) == unival::TemplateSetHash(*set));
  return 0;
}
