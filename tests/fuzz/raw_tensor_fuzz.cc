// Any bytes as a raw tensor, in two forms: gives an error, or as many finite numbers as the shape
// has elements.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "runtime/torchscript/raw_tensor.h"
#include "tests/fuzz/require.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view file(reinterpret_cast<const char*>(data), size);
  for (const unival::RawTensorForm& form :
       {unival::RawTensorForm{{2, -1}, "", 0}, unival::RawTensorForm{{-1}, "int16", 100}}) {
    const auto tensor = unival::ParseRawTensor(file, form);
    if (!tensor.ok()) continue;
    int64_t count = 1;
    for (int64_t side : tensor->shape) count *= side;
    Require(count == static_cast<int64_t>(tensor->values.size()));
    for (float value : tensor->values) Require(std::isfinite(value));
  }
  return 0;
}
