// unival: modalities/networks/resnet.h - the bottleneck ResNet for pictures.
#ifndef UNIVAL_MODALITIES_NETWORKS_RESNET_H_
#define UNIVAL_MODALITIES_NETWORKS_RESNET_H_

#include <string>
#include <vector>

#include "modalities/networks/bottleneck.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

// Images [B, 3, H, W] -> [B, 4 * widths.back(), ceil(H / 2^(stages + 1)), ...].
class Resnet : public ResidualEncoder {
 public:
  explicit Resnet(const ResnetEncoder& config);  // checked and complete
  std::string feature_name() const override { return feature_name_; }
  absl::StatusOr<std::vector<int64_t>> FeatureGrid(
      const std::vector<int64_t>& input_shape) const override;

 private:
  const std::string feature_name_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_RESNET_H_
