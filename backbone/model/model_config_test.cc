#include "backbone/model/model_config.h"

#include <gtest/gtest.h>

#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sdk/base/test_files.h"

namespace unival {
namespace {

nlohmann::json TinyArguments() {
  return nlohmann::json::parse(ReadText("tests/golden/tiny/config.json"));
}

TEST(ReferenceConfig, ReadsSizesAndSwitches) {
  const auto config = ReferenceConfig(TinyArguments().dump());
  ASSERT_TRUE(config.ok()) << config.status();
  BackboneConfig expected = BaseBackboneConfig();
  expected.set_d_model(64);
  expected.set_ffn_dim(128);
  expected.set_heads(4);
  expected.set_encoder_layers(2);
  expected.set_decoder_layers(2);
  EXPECT_EQ(config->ShortDebugString(), expected.ShortDebugString());
}

TEST(ReferenceConfig, NamesTheArgumentThatIsWrong) {
  const auto message = [](const std::string& name, const nlohmann::json& value) {
    nlohmann::json args = TinyArguments().at("args");
    args[name] = value;
    return std::string(ReferenceConfig(args.dump()).status().message());
  };
  EXPECT_EQ(message("encoder_layers", nullptr),
            "reference configuration: missing argument \"encoder_layers\"");
  EXPECT_EQ(message("scale_fc", "yes"),
            "reference configuration: argument \"scale_fc\" must be true or false, got \"yes\"");
  EXPECT_EQ(message("dropout", true),
            "reference configuration: argument \"dropout\" must be a number, got true");
  EXPECT_EQ(message("decoder_embed_dim", 32),
            "reference configuration: encoder_embed_dim 64 and decoder_embed_dim 32 must be equal");
  EXPECT_EQ(ReferenceConfig("{").status().message(), "reference configuration: not a JSON object");
}

TEST(CodeGridCells, AreThePlacesOfTheGridOrNone) {
  BackboneConfig config = BaseBackboneConfig();
  EXPECT_EQ(CodeGridCells(config), 16 * 16);
  config.set_code_image_size(0);
  EXPECT_EQ(CodeGridCells(config), 0);
}

TEST(ValidateBackboneConfig, NamesTheFieldAndWhatIsPossible) {
  using Change = std::function<void(BackboneConfig&)>;
  const std::vector<std::pair<Change, std::string>> cases = {
      {[](auto& c) { c.set_d_model(0); }, "d_model must be positive, got 0"},
      {[](auto& c) { c.set_heads(7); }, "d_model 768 must be a multiple of heads 7"},
      {[](auto& c) { c.set_dropout(1); }, "dropout must be in [0, 1), got 1"},
      {[](auto& c) { c.set_type_rows(0); }, "type_rows must be at least 1"},
      {[](auto& c) { c.set_image_bucket_size(8); }, "code_image_size must be in [0, "},
      {[](auto& c) { c.set_token_bucket_size(1); },
       "token_bucket_size must be in [2, 2000], got 1"},
      {[](auto& c) { c.set_attn_scale_factor(0); }, "attn_scale_factor must be positive"},
      {[](auto& c) { c.set_ffn_dim(2000000000); }, "ffn_dim must be at most 65536, got 2000000000"},
      {[](auto& c) { c.set_encoder_layers(100000); }, "encoder_layers must be at most 256"},
      {[](auto& c) { c.set_image_bucket_size(100000); }, "image_bucket_size must be at most 512"},
      {[](auto& c) { c.set_max_positions(2000000000); }, "max_positions must be at most 131072"},
      {[](auto& c) { c.set_type_rows(2000000000); }, "type_rows must be at most 1024"},
  };
  EXPECT_TRUE(ValidateBackboneConfig(BaseBackboneConfig()).ok());
  for (const auto& [change, expected] : cases) {
    BackboneConfig config = BaseBackboneConfig();
    change(config);
    const absl::Status status = ValidateBackboneConfig(config);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(expected), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace unival
