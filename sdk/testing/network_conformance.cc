// Conformance of encoder networks.
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/rand.h>

#include "absl/strings/str_join.h"
#include "sdk/native/feature_encoder.h"
#include "sdk/testing/checker.h"

namespace unival {
namespace {

at::Tensor Batch(const std::vector<int64_t>& sample_shape, int64_t rows) {
  std::vector<int64_t> shape = sample_shape;
  shape.insert(shape.begin(), rows);
  return at::rand(shape);
}

Finding Description(const FeatureEncoder& network) {
  if (network.feature_name().empty()) return "feature_name() is empty";
  if (network.feature_dim() < 1) return absl::StrCat("feature_dim() is ", network.feature_dim());
  return "";
}

Finding OutputAsDeclared(FeatureEncoder& network, const std::vector<int64_t>& shape) {
  const auto grid = network.FeatureGrid(shape);
  if (!grid.ok()) return std::string(grid.status().message());
  std::vector<int64_t> expected = {2, network.feature_dim()};
  expected.insert(expected.end(), grid->begin(), grid->end());
  const at::Tensor map = network.forward(Batch(shape, 2));
  if (map.sizes() == at::IntArrayRef(expected)) return "";
  return absl::StrCat("forward gave ", absl::StrJoin(map.sizes(), " x "), ", declared is ",
                      absl::StrJoin(expected, " x "));
}

Finding BatchInvariance(FeatureEncoder& network, const std::vector<int64_t>& shape) {
  constexpr double kTolerance = 1e-4;  // batches of different size may take different code paths
  const at::Tensor input = Batch(shape, 3);
  const at::Tensor together = network.forward(input).select(0, 1);
  const at::Tensor alone = network.forward(input.slice(0, 1, 2)).select(0, 0);
  if (at::allclose(together, alone, kTolerance, kTolerance)) return "";
  return "a row alone gives other features than within a batch";
}

Finding Determinism(FeatureEncoder& network, const std::vector<int64_t>& shape) {
  const at::Tensor input = Batch(shape, 1);
  return network.forward(input).equal(network.forward(input))
             ? ""
             : "the same input gave other features";
}

}  // namespace

ConformanceReport CheckNetwork(FeatureEncoder& network, const EncoderInput& input,
                               RuleObserver* observer) {
  const at::NoGradGuard no_grad;
  network.eval();
  const std::vector<int64_t> shape = network.InputShape(input);
  Checker checker(absl::StrCat("network ", network.feature_name()), observer);
  checker.Run("description", [&] { return Description(network); });
  checker.Run("output_as_declared", [&] { return OutputAsDeclared(network, shape); });
  if (!checker.ok()) return checker.Take();  // the other rules would only fail for the same reason
  checker.Run("batch_invariance", [&] { return BatchInvariance(network, shape); });
  checker.Run("determinism", [&] { return Determinism(network, shape); });
  return checker.Take();
}

}  // namespace unival
