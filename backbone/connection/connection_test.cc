#include "backbone/connection/connection.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/std.h>
#include <gtest/gtest.h>

namespace unival {
namespace {

// The position table [rows, D] of a fresh connection.
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

}  // namespace
}  // namespace unival
