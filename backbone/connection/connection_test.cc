#include "backbone/connection/connection.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/std.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace unival {
namespace {

// The position table [rows, D] of a new connection.
at::Tensor FreshPositions(const ConnectionConfig& config) {
  BackboneConfig backbone;
  backbone.set_d_model(64);
  backbone.set_image_bucket_size(4);
  backbone.set_type_rows(2);
  auto connection = Connection::Create(config, backbone);
  EXPECT_TRUE(connection.ok()) << connection.status();
  return (*connection)->named_parameters()["positions"].detach();
}

TEST(Connection, DrawsPositionsWithTheDeviationThatIsAsked) {
  ConnectionConfig config;
  config.set_modality("depth");
  config.set_feature_dim(8);
  EXPECT_NEAR(FreshPositions(config).std().item<double>(), 0.02, 0.004);
  config.set_position_init_std(0.5);
  EXPECT_NEAR(FreshPositions(config).std().item<double>(), 0.5, 0.1);
}

TEST(Connection, ADeviationOfZeroIsNotTheDefault) {
  ConnectionConfig config;
  config.set_modality("depth");
  config.set_feature_dim(8);
  config.set_position_init_std(0);
  EXPECT_EQ(FreshPositions(config).abs().max().item<double>(), 0);
}

std::shared_ptr<Connection> Make(const std::function<void(ConnectionConfig*)>& change) {
  ConnectionConfig config;
  config.set_modality("radar");
  config.set_feature_dim(3);
  change(&config);
  BackboneConfig backbone;
  backbone.set_d_model(8);
  backbone.set_image_bucket_size(4);
  backbone.set_type_rows(2);
  auto connection = Connection::Create(config, backbone);
  EXPECT_TRUE(connection.ok()) << connection.status();
  return connection.ok() ? *connection : nullptr;
}

TEST(Connection, EachPositionHasAMapOfItsOwnAndTheLastServesAllBeyond) {
  const auto connection = Make([](ConnectionConfig* c) { c->set_position_maps(2); });
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::randn({2, 4, 3});
  const at::Tensor weight = connection->named_parameters()["weight"];
  ASSERT_EQ(weight.sizes(), at::IntArrayRef({2, 8, 3}));
  const at::Tensor y = connection->Project(x);
  ASSERT_EQ(y.sizes(), at::IntArrayRef({2, 4, 8}));
  for (int64_t i = 0; i < 4; ++i) {
    const at::Tensor map = weight[std::min<int64_t>(i, 1)];
    EXPECT_TRUE(y.select(1, i).allclose(x.select(1, i).matmul(map.t()), 1e-5, 1e-6)) << i;
  }
}

TEST(Connection, StandardizesByWhatItsBuffersSay) {
  const auto connection = Make([](ConnectionConfig* c) { c->set_standardize_features(true); });
  const auto plain = Make([](ConnectionConfig*) {});
  const at::NoGradGuard no_grad;
  plain->named_parameters()["weight"].copy_(connection->named_parameters()["weight"]);
  const at::Tensor x = at::randn({1, 5, 3});
  EXPECT_TRUE(connection->Project(x).equal(plain->Project(x))) << "0 and 1 change nothing";
  connection->named_buffers()["feature_mean"].fill_(9.8);
  connection->named_buffers()["feature_std"].fill_(0.25);
  EXPECT_TRUE(connection->Project(x * 0.25 + 9.8).allclose(plain->Project(x), /*rtol=*/1e-3, 1e-3));
}

TEST(Connection, AFeatureFillsSeveralPositionsInARow) {
  const auto connection = Make([](ConnectionConfig* c) { c->set_positions_per_feature(3); });
  const at::Tensor x = at::randn({2, 2, 3});
  const at::Tensor padding = at::zeros({2, 2}, at::kBool);
  padding[1][1] = true;
  const ModalityFeatures spread = connection->Spread({x, padding, at::arange(2).expand({2, 2})});
  ASSERT_EQ(spread.values.sizes(), at::IntArrayRef({2, 6, 3}));
  for (int64_t i = 0; i < 6; ++i) {
    EXPECT_TRUE(spread.values.select(1, i).equal(x.select(1, i / 3))) << i;
    EXPECT_EQ(spread.positions[0][i].item<int64_t>(), i);
    EXPECT_EQ(spread.padding[1][i].item<bool>(), i >= 3) << i;
  }
  const ModalityFeatures without = connection->Spread({x, at::Tensor(), at::Tensor()});
  EXPECT_EQ(without.values.size(1), 6);
  EXPECT_FALSE(without.positions.defined() || without.padding.defined());
}

TEST(Connection, RefusesCountsThatMakeNoSense) {
  for (const auto& spoil : std::vector<std::function<void(ConnectionConfig*)>>{
           [](ConnectionConfig* c) { c->set_position_maps(-1); },
           [](ConnectionConfig* c) { c->set_position_maps(int64_t{1} << 40); },
           [](ConnectionConfig* c) { c->set_positions_per_feature(-1); },
           [](ConnectionConfig* c) { c->set_positions_per_feature(int64_t{1} << 40); },
           [](ConnectionConfig* c) {
             c->set_position_maps(4096);
             c->set_feature_dim(1 << 20);
           }}) {
    ConnectionConfig config;
    config.set_modality("radar");
    config.set_feature_dim(3);
    spoil(&config);
    BackboneConfig backbone;
    backbone.set_d_model(64);
    EXPECT_EQ(Connection::Create(config, backbone).status().code(),
              absl::StatusCode::kInvalidArgument)
        << config.ShortDebugString();
  }
}

}  // namespace
}  // namespace unival
