#include "modalities/networks/resnext3d.h"

#include <utility>

#include "absl/strings/str_join.h"
#include "modalities/networks/builtin_networks.h"
#include "modalities/networks/checks.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakeResnext3d(const EncoderConfig& encoder,
                                                              const EncoderInput& input) {
  (void)input;  // always frames of three channels
  Resnext3dEncoder config = encoder.resnext3d();
  if (config.cardinality() == 0) config.set_cardinality(32);
  UNIVAL_RETURN_IF_ERROR(CheckSizes("resnext3d.blocks", config.blocks(), 256));
  UNIVAL_RETURN_IF_ERROR(CheckRange("resnext3d.stages", config.blocks_size(), 1, 6));
  UNIVAL_RETURN_IF_ERROR(
      CheckRange("resnext3d.unused_classes", config.unused_classes(), 0, 1 << 20));
  if (config.cardinality() < 1 || 128 % config.cardinality() != 0) {
    return InvalidEncoder("resnext3d.cardinality: ", config.cardinality(),
                          ", expected a divisor of 128");
  }
  return MakeNetwork<Resnext3d>(config);
}

}  // namespace

Resnext3d::Resnext3d(const Resnext3dEncoder& config)
    : feature_name_(absl::StrCat("resnext3d-", absl::StrJoin(config.blocks(), "."))) {
  AddStem({3, 64, {7, 7, 7}, {1, 2, 2}});
  for (int i = 0; i < config.blocks_size(); ++i) {
    const int64_t mid = int64_t{128} << i;
    AddStage(config.blocks(i), {3, 0, mid, 2 * mid, i == 0 ? 1 : 2, config.cardinality()});
  }
  AddClassifier(config.unused_classes());
}

std::vector<int64_t> Resnext3d::InputShape(const EncoderInput& input) const {
  if (input.kind != EncoderInput::Kind::kFrames) return FeatureEncoder::InputShape(input);
  return {input.channels, input.frames, input.height, input.width};
}

absl::StatusOr<std::vector<int64_t>> Resnext3d::FeatureGrid(
    const std::vector<int64_t>& input_shape) const {
  UNIVAL_RETURN_IF_ERROR(CheckSample(feature_name_, 3, 3, input_shape));
  const int halvings = static_cast<int>(stages());
  std::vector<int64_t> grid = HalvedSizes(input_shape, halvings + 1);
  grid[0] = HalvedUpwards(input_shape[1], halvings);  // the stem keeps the frames
  return NotEmpty(feature_name_, input_shape, std::move(grid));
}

NetworkFactory Resnext3dNetwork() {
  return {"resnext3d", "3-D ResNeXt for videos", &MakeResnext3d};
}

}  // namespace unival
