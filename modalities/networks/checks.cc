#include "modalities/networks/checks.h"

#include "absl/strings/str_join.h"

namespace unival {

absl::Status CheckRange(const char* field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return InvalidEncoder(field, ": ", value, ", expected ", least, " to ", most);
}

absl::Status CheckSample(const std::string& name, size_t dimensions, int64_t channels,
                         const std::vector<int64_t>& shape) {
  const std::string sizes = absl::StrJoin(shape, " x ");
  if (shape.size() != dimensions + 1) {
    return InvalidEncoder(name, ": does not take samples of ", sizes);
  }
  if (shape[0] == channels) return absl::OkStatus();
  return InvalidEncoder(name, ": takes ", channels, " channels, samples are ", sizes,
                        "; set in_channels where the encoder has it");
}

int64_t HalvedUpwards(int64_t size, int times) {
  for (int i = 0; i < times; ++i) size = (size + 1) / 2;
  return size;
}

std::vector<int64_t> HalvedSizes(const std::vector<int64_t>& shape, int times) {
  std::vector<int64_t> halved;
  for (size_t axis = 1; axis < shape.size(); ++axis) {
    halved.push_back(HalvedUpwards(shape[axis], times));
  }
  return halved;
}

absl::StatusOr<std::vector<int64_t>> NotEmpty(const std::string& name,
                                              const std::vector<int64_t>& input_shape,
                                              std::vector<int64_t> grid) {
  for (int64_t size : grid) {
    if (size > 0) continue;
    return InvalidEncoder(name, ": samples of ", absl::StrJoin(input_shape, " x "),
                          " are too small for it");
  }
  return grid;
}

}  // namespace unival
