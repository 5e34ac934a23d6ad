#include "tests/integration/golden_image_input.h"

#include "modalities/encoders/encoders.h"
#include "sdk/native/modality.h"
#include "sdk/testing/golden.h"

namespace unival {

GoldenImages::GoldenImages(uint64_t weights_seed) {
  EncoderConfig config;
  for (int i = 0; i < 4; ++i) config.mutable_resnet()->add_blocks(1);
  config.mutable_resnet()->set_unused_classes(10);
  network_ = MakeFeatureEncoder(config).value();
  FillByFormula(*network_, kPrefix, weights_seed);
  network_->eval();
}

ModalitySegment GoldenImages::Segment(const at::Tensor& pixels, const std::vector<int64_t>& rows) {
  return {"image", rows, GridFeatures(network_->forward(pixels))};
}

}  // namespace unival
