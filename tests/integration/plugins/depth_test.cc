// How the depth plugin converts millimetres to colours, and its options.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/runtime.h"

namespace unival {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Options = std::vector<std::pair<std::string, std::string>>;

const Runtime& LoadedRuntime() {
  static const auto* const runtime = [] {
    RuntimeOptions options;
    options.plugins = {"plugins/depth/libdepth.so"};
    return Runtime::Create(options).value().release();
  }();
  return *runtime;
}

absl::StatusOr<std::unique_ptr<Modality>> Depth(const Options& options) {
  ModalityConfig config;
  config.set_id("depth");
  config.mutable_image()->set_width(2);
  config.mutable_image()->set_height(1);
  config.mutable_encoder()->mutable_small_cnn()->set_in_channels(3);
  for (const int width : {4, 4}) config.mutable_encoder()->mutable_small_cnn()->add_widths(width);
  for (const auto& [key, value] : options) (*config.mutable_options())[key] = value;
  return LoadedRuntime().registry().CreateModality(config, LoadedRuntime().services());
}

// The colour [r, g, b] in [0, 1] that the encoder receives for the first pixel of a map of two
// pixels.
std::vector<float> Painted(int millimetres, const Options& options = {}) {
  std::string map = "P5 2 1 65535\n";
  for (int i = 0; i < 2; ++i) {
    map += static_cast<char>(millimetres >> 8);
    map += static_cast<char>(millimetres & 0xff);
  }
  const auto depth = Depth(options).value();
  const auto sample =
      depth->Preprocess({{"map.pgm", "", std::make_shared<const std::string>(map)}}).value();
  const at::Tensor pixel =
      (sample.tensors.at(0).select(2, 0).select(1, 0) * 0.5 + 0.5).contiguous();
  return {pixel.data_ptr<float>(), pixel.data_ptr<float>() + 3};
}

MATCHER_P3(IsColor, red, green, blue, "") {
  return std::abs(arg[0] - red) < 1e-3 && std::abs(arg[1] - green) < 1e-3 &&
         std::abs(arg[2] - blue) < 1e-3;
}

TEST(Depth, HueRunsFromRedOverGreenToBlue) {
  EXPECT_THAT(Painted(500), IsColor(1, 0, 0));
  EXPECT_THAT(Painted(1750), IsColor(1, 1, 0));
  EXPECT_THAT(Painted(3000), IsColor(0, 1, 0));
  EXPECT_THAT(Painted(5500), IsColor(0, 0, 1));
}

TEST(Depth, WhatIsInvalidOrTooFarIsBlackAndWhatIsTooNearIsRed) {
  EXPECT_THAT(Painted(0), IsColor(0, 0, 0));
  EXPECT_THAT(Painted(5501), IsColor(0, 0, 0));
  EXPECT_THAT(Painted(10), IsColor(1, 0, 0));
}

TEST(Depth, OptionsMoveTheRangeAndTheFingerprint) {
  const Options range = {{"near_mm", "0"}, {"far_mm", "8000"}};
  EXPECT_THAT(Painted(4000, range), IsColor(0, 1, 0));
  EXPECT_NE(Depth(range).value()->preprocessing_fingerprint(),
            Depth({}).value()->preprocessing_fingerprint());
}

TEST(Depth, OptionsThatMakeNoRangeAreRefusedByName) {
  EXPECT_THAT(Depth({{"nearest", "1"}}).status().message(),
              AllOf(HasSubstr("\"depth\""), HasSubstr("nearest")));
  EXPECT_THAT(Depth({{"near_mm", "one"}}).status().message(), HasSubstr("\"one\""));
  for (const Options& unfit : std::vector<Options>{{{"near_mm", "-1"}},
                                                   {{"far_mm", "500"}},
                                                   {{"near_mm", "nan"}},
                                                   {{"far_mm", "nan"}},
                                                   {{"far_mm", "inf"}}}) {
    EXPECT_THAT(Depth(unfit).status().message(), HasSubstr("0 <= near_mm < far_mm"))
        << unfit[0].second;
  }
}

}  // namespace
}  // namespace unival
