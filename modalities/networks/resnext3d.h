// unival: modalities/networks/resnext3d.h - the 3-D ResNeXt for videos.
#ifndef UNIVAL_MODALITIES_NETWORKS_RESNEXT3D_H_
#define UNIVAL_MODALITIES_NETWORKS_RESNEXT3D_H_

#include <string>
#include <vector>

#include "modalities/networks/bottleneck.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

// Videos [B, 3, T, H, W] -> [B, 2048, ceil(T / 16), ceil(H / 32), ceil(W / 32)].
class Resnext3d : public ResidualEncoder {
 public:
  explicit Resnext3d(const Resnext3dEncoder& config);  // checked and complete
  std::string feature_name() const override { return feature_name_; }
  // {channels, frames, height, width}: the frames of a video are an axis of their own.
  std::vector<int64_t> InputShape(const EncoderInput& input) const override;
  absl::StatusOr<std::vector<int64_t>> FeatureGrid(
      const std::vector<int64_t>& input_shape) const override;

 private:
  const std::string feature_name_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_RESNEXT3D_H_
