// Any bytes as the model arguments of the reference's trainer: gives an error, or a valid backbone
// configuration.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "backbone/model/model_config.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = unival::ReferenceConfig(text);
  if (!config.ok()) {
    unival::Require(!config.status().message().empty());
    return 0;
  }
  unival::Require(unival::LeastBackboneElements(*config) > 0);
  return 0;
}
