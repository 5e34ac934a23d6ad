// unival: modalities/networks/checks.h - what the networks share in checking a configuration and a
// sample's shape.
#ifndef UNIVAL_MODALITIES_NETWORKS_CHECKS_H_
#define UNIVAL_MODALITIES_NETWORKS_CHECKS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/feature_encoder.h"

namespace unival {

// InvalidArgument with the message "encoder." and then `parts`.
template <typename... Parts>
absl::Status InvalidEncoder(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("encoder.", parts...));
}

absl::Status CheckRange(const char* field, int64_t value, int64_t least, int64_t most);

// Checks a list that has one value per stage: it is not empty, and each value is from 1 to `most`.
template <typename Values>
absl::Status CheckSizes(const char* field, const Values& values, int64_t most) {
  if (values.empty()) return InvalidEncoder(field, ": is empty, expected one value per stage");
  for (int64_t value : values) {
    const absl::Status status = CheckRange(field, value, 1, most);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// InvalidArgument, naming network `name`, unless `shape` is `channels` followed by `dimensions`
// sizes.
absl::Status CheckSample(const std::string& name, size_t dimensions, int64_t channels,
                         const std::vector<int64_t>& shape);

// `size` halved `times` times, rounded up each time.
int64_t HalvedUpwards(int64_t size, int times);
// The sizes of `shape` after its channels, each halved `times` times, rounded up each time.
std::vector<int64_t> HalvedSizes(const std::vector<int64_t>& shape, int times);

// Returns `grid`; InvalidArgument where one of its sizes is 0, as the sample is too small.
absl::StatusOr<std::vector<int64_t>> NotEmpty(const std::string& name,
                                              const std::vector<int64_t>& input_shape,
                                              std::vector<int64_t> grid);

// Makes a network. Its constructor draws random weights and may throw; that becomes a status.
template <typename Network, typename Config>
absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakeNetwork(const Config& config) {
  return CatchTorch("make encoder", [&config]() -> std::shared_ptr<FeatureEncoder> {
    return std::make_shared<Network>(config);
  });
}

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_CHECKS_H_
