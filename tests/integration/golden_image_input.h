// unival: golden_image_input.h - the golden image network in front of the golden model. For tests.
//
//   GoldenImages images(/*weights_seed=*/1);
//   ModelInput input{{images.Segment(pixels, {0, 1})}, source_tokens};
#ifndef UNIVAL_TESTS_INTEGRATION_GOLDEN_IMAGE_INPUT_H_
#define UNIVAL_TESTS_INTEGRATION_GOLDEN_IMAGE_INPUT_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "backbone/model/model.h"
#include "sdk/native/feature_encoder.h"

namespace unival {

// The tiny ResNet with weights by formula, in evaluation mode.
class GoldenImages {
 public:
  explicit GoldenImages(uint64_t weights_seed);

  // Image features of `pixels` [rows, 3, H, W] for the given rows of the batch, with gradients.
  ModalitySegment Segment(const at::Tensor& pixels, const std::vector<int64_t>& rows);
  FeatureEncoder& network() { return *network_; }

  // Names of the reference's state_dict begin with this.
  static constexpr char kPrefix[] = "encoder.embed_images.";

 private:
  std::shared_ptr<FeatureEncoder> network_;
};

}  // namespace unival

#endif  // UNIVAL_TESTS_INTEGRATION_GOLDEN_IMAGE_INPUT_H_
