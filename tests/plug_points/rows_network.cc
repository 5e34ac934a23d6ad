#include "tests/plug_points/rows_network.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sdk/native/feature_encoder.h"

namespace unival {
namespace {

class Rows : public FeatureEncoder {
 public:
  Rows(int64_t channels, int64_t width, int64_t height)
      : channels_(channels), width_(width), height_(height) {
    weight_ = register_parameter("weight", at::randn({channels, width}));
  }

  // [B, C, H, W] -> [B, F, H / height, 1]
  at::Tensor forward(const at::Tensor& input) override {
    const int64_t rows = input.size(2) / height_;
    const at::Tensor means = input.reshape({input.size(0), channels_, rows, -1}).mean(-1);
    return at::matmul(means.transpose(1, 2), weight_).transpose(1, 2).unsqueeze(-1);
  }

  int64_t feature_dim() const override { return width_; }
  std::string feature_name() const override { return absl::StrCat("rows-", width_); }

  absl::StatusOr<std::vector<int64_t>> FeatureGrid(
      const std::vector<int64_t>& input_shape) const override {
    if (input_shape.size() == 3 && input_shape[0] == channels_ && input_shape[1] % height_ == 0) {
      return std::vector<int64_t>{input_shape[1] / height_, 1};
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "encoder.rows: takes ", channels_, " channels and a multiple of ", height_, " rows"));
  }

 private:
  const int64_t channels_, width_, height_;
  at::Tensor weight_;
};

absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakeRows(const EncoderConfig& config,
                                                         const EncoderInput& input) {
  int64_t width = 4, height = 1;
  for (const auto& [key, text] : config.named().options()) {
    int64_t* value = key == "width" ? &width : key == "height" ? &height : nullptr;
    if (value == nullptr || !absl::SimpleAtoi(text, value) || *value < 1) {
      return absl::InvalidArgumentError(absl::StrCat("encoder.rows: option ", key, ": \"", text,
                                                     "\", expected width or height of at least 1"));
    }
  }
  return std::make_shared<Rows>(input.channels * input.frames, width, height);
}

}  // namespace

NetworkFactory RowsNetwork() { return {"rows", "means of rows", &MakeRows}; }

}  // namespace unival
