// Any bytes as a CSV series: gives an error with a message, or complete steps of finite numbers.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "runtime/torchscript/series.h"
#include "tests/fuzz/require.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto values = unival::ParseSeries(text, 3, 100);
  if (!values.ok()) {
    Require(!values.status().message().empty());
    return 0;
  }
  Require(!values->empty() && values->size() % 3 == 0 && values->size() <= 300);
  for (float value : *values) Require(std::isfinite(value));
  return 0;
}
