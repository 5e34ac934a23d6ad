// Any bytes as a CSV series: a status with a message, or whole steps of finite numbers.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "runtime/torchscript/series.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto values = unival::ParseSeries(text, 3, 100);
  if (!values.ok()) {
    if (values.status().message().empty()) std::abort();
    return 0;
  }
  if (values->empty() || values->size() % 3 != 0 || values->size() > 300) std::abort();
  for (float value : *values) {
    if (!std::isfinite(value)) std::abort();
  }
  return 0;
}
