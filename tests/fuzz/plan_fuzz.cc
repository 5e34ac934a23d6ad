// Any bytes as a training plan: gives an error, or a plan that does not change when its defaults
// are filled in a second time.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "sdk/base/text_format.h"
#include "tests/fuzz/require.h"
#include "training/config/plan.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  unival::LoadedPlan plan;
  plan.file = "fuzz.textproto";
  plan.directory = plan.data_root = "no_such_folder";
  if (!unival::ParseTextProto(text, plan.file, &plan.proto).ok()) return 0;
  unival::ResolvePlan({}, &plan.proto);
  const std::string once = unival::PrintTextProto(plan.proto);
  unival::ResolvePlan({}, &plan.proto);
  Require(unival::PrintTextProto(plan.proto) == once);
  const absl::Status checked = unival::CheckPlan(plan);
  Require(checked.ok() || !checked.message().empty());
  return 0;
}
