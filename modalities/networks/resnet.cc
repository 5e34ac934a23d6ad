#include "modalities/networks/resnet.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "modalities/networks/builtin_networks.h"
#include "modalities/networks/checks.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakeResnet(const EncoderConfig& encoder,
                                                           const EncoderInput& input) {
  (void)input;  // always pictures of three channels
  ResnetEncoder config = encoder.resnet();
  if (config.stem_width() == 0) config.set_stem_width(64);
  if (config.widths().empty()) {
    for (int i = 0; i < config.blocks_size(); ++i) config.add_widths(64 << std::min(i, 8));
  }
  UNIVAL_RETURN_IF_ERROR(CheckSizes("resnet.blocks", config.blocks(), 256));
  UNIVAL_RETURN_IF_ERROR(CheckSizes("resnet.widths", config.widths(), 65536));
  UNIVAL_RETURN_IF_ERROR(CheckRange("resnet.stem_width", config.stem_width(), 1, 65536));
  UNIVAL_RETURN_IF_ERROR(CheckRange("resnet.unused_classes", config.unused_classes(), 0, 1 << 20));
  if (config.widths_size() != config.blocks_size()) {
    return InvalidEncoder("resnet.widths: ", config.widths_size(), " values for ",
                          config.blocks_size(), " stages of resnet.blocks");
  }
  return MakeNetwork<Resnet>(config);
}

}  // namespace

Resnet::Resnet(const ResnetEncoder& config)
    : feature_name_(absl::StrCat("resnet-", absl::StrJoin(config.blocks(), "."))) {
  AddStem({3, config.stem_width(), {7, 7}, {2, 2}});
  for (int i = 0; i < config.blocks_size(); ++i) {
    AddStage(config.blocks(i), {2, 0, config.widths(i), 4 * config.widths(i), i == 0 ? 1 : 2});
  }
  AddClassifier(config.unused_classes());
}

absl::StatusOr<std::vector<int64_t>> Resnet::FeatureGrid(
    const std::vector<int64_t>& input_shape) const {
  UNIVAL_RETURN_IF_ERROR(CheckSample(feature_name_, 2, 3, input_shape));
  return NotEmpty(feature_name_, input_shape,
                  HalvedSizes(input_shape, static_cast<int>(stages()) + 1));
}

NetworkFactory ResnetNetwork() { return {"resnet", "bottleneck ResNet for pictures", &MakeResnet}; }

}  // namespace unival
