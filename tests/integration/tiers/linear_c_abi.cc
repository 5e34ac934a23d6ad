// The encoder of linear_weights.h in tier 2.
#include "sdk/cpp/unival_plugin.hpp"
#include "tests/integration/tiers/linear_weights.h"

namespace {

using namespace unival::plugin;

class Linear : public Modality {
 public:
  static Result<std::unique_ptr<Linear>> Create(const Config&) {
    return std::make_unique<Linear>();
  }
  ModalityInfo Info() const override {
    return {"linear/1",          kWidth,    kGrid * kGrid, UNIVAL_POSITION_GRID,
            UNIVAL_INPUT_GRAY16, "linear/1"};
  }
  Status Preprocess(const Sample& sample, Tensors* out) const override {
    const TensorView pixels(sample.media);
    if (pixels.size(0) != kSide || pixels.size(1) != kSide)
      return InvalidArgument("expected 16 x 16 pixels");
    out->push_back(Tensor::Zeros<float>({kSide, kSide}));
    for (int64_t i = 0; i < kSide * kSide; ++i) {
      out->back().data<float>()[i] =
          (static_cast<float>(pixels.data<int32_t>()[i]) - kMean) / kScale;
    }
    return Status();
  }
  Status Encode(const Batch& batch, Features* out) override {
    out->values = Tensor::Zeros<float>({batch.size(), kGrid * kGrid, kWidth});
    out->positions = Tensor::Zeros<int64_t>({batch.size(), kGrid * kGrid, 2});
    float* value = out->values.data<float>();
    int64_t* position = out->positions.data<int64_t>();
    for (int64_t row = 0; row < batch.size(); ++row) {
      for (int64_t patch = 0; patch < kGrid * kGrid; ++patch) {
        *position++ = patch / kGrid;
        *position++ = patch % kGrid;
        for (int64_t feature = 0; feature < kWidth; ++feature)
          *value++ = Product(batch.tensor(row), patch, feature);
      }
    }
    return Status();
  }

 private:
  static float Product(const TensorView& image, int64_t patch, int64_t feature) {
    float sum = 0;
    for (int64_t pixel = 0; pixel < kPixels; ++pixel) {
      const int64_t y = patch / kGrid * kPatch + pixel / kPatch,
                    x = patch % kGrid * kPatch + pixel % kPatch;
      sum += image.data<float>()[y * kSide + x] * LinearWeight(pixel, feature);
    }
    return sum;
  }
};

}  // namespace

UNIVAL_PLUGIN("linear_c_abi", "1.0.0",
              ModalityOf<Linear>("linear_c_abi", "a linear map of patches"))
