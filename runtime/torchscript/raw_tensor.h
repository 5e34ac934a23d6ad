// unival: raw_tensor.h - numbers as instruments and NumPy write them: .npy, or the numbers alone.
//
//   UNIVAL_ASSIGN_OR_RETURN(const RawTensor tensor, ParseRawTensor(bytes, {{64, -1}, "int16", 0}));
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_RAW_TENSOR_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_RAW_TENSOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// What a file shall hold.
struct RawTensorForm {
  std::vector<int64_t> shape;  // sizes; at most one is -1: any size from 1 on
  // "uint8", "int16", …, "float64": the type of the numbers, little-endian. Empty: .npy alone, of
  // any of these types.
  std::string dtype;
  // Largest size of the dimension that is -1; what is longer is refused. 0: none.
  int64_t max_steps = 0;
};

struct RawTensor {
  std::vector<int64_t> shape;
  std::vector<float> values;  // row by row, as the numbers are; integers beyond 2^24 are rounded
};

// OK when the form makes sense: 1 to 8 dimensions, at most 2^28 numbers, a known type.
absl::Status CheckRawTensorForm(const RawTensorForm& form);

// A file that begins as .npy does (NumPy's format, versions 1 to 3; either order of memory) is read
// as such, any other as the numbers alone, row by row. InvalidArgument says what was expected:
// shape, type, number of bytes, numbers that are finite.
absl::StatusOr<RawTensor> ParseRawTensor(absl::string_view bytes, const RawTensorForm& form);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_RAW_TENSOR_H_
