// An encoder network that is added outside modalities/networks. It needs its own file and one line
// of registration. The built-in modalities use it by its name, without any change.
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "modalities/builtin.h"
#include "modalities/io/decoder.h"
#include "modalities/io/encode.h"
#include "modalities/networks/networks.h"
#include "sdk/base/text_format.h"
#include "sdk/native/feature_encoder.h"
#include "tests/plug_points/rows_network.h"

namespace unival {
namespace {

using testing::HasSubstr;

class NetworkTest : public testing::Test {
 protected:
  NetworkTest() {
    EXPECT_TRUE(RegisterBuiltinNetworks(registry_).ok());
    EXPECT_TRUE(RegisterBuiltinModalities(registry_).ok());
    services_.media = media_.get();
    services_.make_encoder = [this](const EncoderConfig& config, const EncoderInput& input) {
      return registry_.CreateNetwork(config, input);
    };
  }

  absl::StatusOr<std::unique_ptr<Modality>> Create(const std::string& text) {
    ModalityConfig config;
    const absl::Status parsed = ParseTextProto(text, "test", &config);
    if (!parsed.ok()) return parsed;
    return registry_.CreateModality(config, services_);
  }

  const std::unique_ptr<MediaDecoder> media_ = NewFfmpegDecoder();
  Registry registry_;
  HostServices services_;
};

constexpr char kImage[] = R"(
id: "image" image { width: 8 height: 16 }
encoder { named { network: "rows" options { key: "width" value: "6" }
                                  options { key: "height" value: "4" } } }
)";

TEST_F(NetworkTest, FromATestFolderServesTheImageModalityFromEndToEnd) {
  ASSERT_TRUE(registry_.AddNetwork(RowsNetwork()).ok());
  const auto image = Create(kImage);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ((*image)->info().feature_dim, 6);
  EXPECT_EQ((*image)->info().max_positions, 4);
  EXPECT_EQ((*image)->info().feature_schema, "rows-6-8x16/1");
  ASSERT_NE((*image)->module(), nullptr);
  EXPECT_EQ((*image)->module()->named_parameters().size(), 1u) << "its weights are the model's";

  std::vector<uint8_t> pixels(16 * 8 * 3, 0);
  std::fill(pixels.begin() + 4 * 8 * 3, pixels.begin() + 8 * 8 * 3, 255);  // the second four rows
  const std::string png = *EncodePng(pixels, 8, 16, 3);
  RawSample raw;
  raw.media = {"bars", "", std::make_shared<const std::string>(png)};
  const auto sample = (*image)->Preprocess(raw);
  ASSERT_TRUE(sample.ok()) << sample.status();
  PreprocessedBatch batch;
  batch.samples = {*sample};
  const auto features = (*image)->Encode(batch);
  ASSERT_TRUE(features.ok()) << features.status();
  ASSERT_EQ(features->values.sizes(), at::IntArrayRef({1, 4, 6}));
  const at::Tensor values = features->values[0].detach();
  EXPECT_TRUE(values[0].equal(values[2]));
  EXPECT_FALSE(values[0].equal(values[1])) << "the light rows give other features";
}

TEST_F(NetworkTest, GetsTheFramesOfAVideoAsChannels) {
  ASSERT_TRUE(registry_.AddNetwork(RowsNetwork()).ok());
  const auto video = Create(R"(id: "video" video { frames: 5 width: 8 height: 16 }
                               encoder { named { network: "rows" } })");
  ASSERT_TRUE(video.ok()) << video.status();
  EXPECT_EQ((*video)->module()->named_parameters()["weight"].sizes(), at::IntArrayRef({15, 4}));
}

TEST_F(NetworkTest, SaysWhatItDoesNotTake) {
  ASSERT_TRUE(registry_.AddNetwork(RowsNetwork()).ok());
  const auto odd = Create(R"(id: "image" image { width: 8 height: 15 } encoder {
      named { network: "rows" options { key: "height" value: "4" } } })");
  EXPECT_THAT(std::string(odd.status().message()),
              HasSubstr("modality image: encoder.rows: takes 3 channels and a multiple of 4 rows"));
  const auto unknown = Create(R"(id: "image" image { width: 8 height: 8 } encoder {
      named { network: "rows" options { key: "depth" value: "4" } } })");
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("option depth"));
}

TEST_F(NetworkTest, WithoutRegistrationIsNamedWithThoseThereAre) {
  const auto missing = Create(kImage);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("\"rows\" is not registered; known: pann, patches, resnet, resnext3d, "
                        "small_cnn. If a plugin provides it, load the plugin"));
}

TEST_F(NetworkTest, MayNotTakeTheNameOfAnother) {
  NetworkFactory rows = RowsNetwork();
  rows.name = "resnet";
  EXPECT_EQ(registry_.AddNetwork(rows).code(), absl::StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace unival
