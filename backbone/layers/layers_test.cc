// The layers' own arithmetic; parity of whole models is in backbone/model.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <vector>

#include "backbone/layers/attention.h"
#include "backbone/layers/basic.h"
#include "backbone/layers/fused_attention.h"
#include "backbone/layers/position_index.h"
#include "backbone/layers/row_kernels.h"

namespace unival {
namespace layers {
namespace {

struct Case {
  int64_t batch, queries, keys, bias_batch;
  bool masked;
};

// Gradients and values of both implementations of attention, with the same weights.
std::vector<at::Tensor> Results(MultiheadAttention& attention, const Case& c, bool fused) {
  at::manual_seed(5);
  const at::Tensor x = at::randn({c.batch, c.queries, 32}).requires_grad_();
  const at::Tensor source = at::randn({c.batch, c.keys, 32}).requires_grad_();
  const at::Tensor bias = at::randn({c.bias_batch, 4, c.queries, c.keys}).requires_grad_();
  AttentionBias added{bias, {}};
  if (c.masked) {
    at::Tensor padding = at::zeros({c.batch, c.keys}, at::kBool);
    padding.narrow(1, c.keys - 2, 2).fill_(true);
    padding[0].fill_(false);
    added.keys = KeyMask(padding, bias);
  }
  attention.zero_grad();
  const at::Tensor y =
      fused ? attention.forward(x, source, added)
            : attention.Attend(attention.Queries(x), attention.MakeKeyValues(source), added);
  (y * at::randn(y.sizes())).sum().backward();
  std::vector<at::Tensor> results = {y.detach(), x.grad(), source.grad(), bias.grad()};
  for (const at::Tensor& parameter : attention.parameters()) {
    if (parameter.grad().defined()) results.push_back(parameter.grad().clone());
  }
  return results;
}

MultiheadAttention MakeAttention(bool scale_heads) {
  at::manual_seed(1);
  AttentionOptions options;
  options.d_model = 32;
  options.heads = 4;
  options.scale_heads = scale_heads;
  return MultiheadAttention(options);
}

TEST(FusedAttention, EqualsTheSeparateOperationsWithGradients) {
  for (const bool scale_heads : {false, true}) {
    MultiheadAttention attention = MakeAttention(scale_heads);
    for (const Case& c : std::vector<Case>{
             {3, 7, 7, 1, false}, {3, 5, 9, 3, false}, {2, 33, 40, 1, true}, {1, 1, 6, 1, false}}) {
      const auto fused = Results(attention, c, true), separate = Results(attention, c, false);
      ASSERT_EQ(fused.size(), separate.size());
      for (size_t i = 0; i < fused.size(); ++i) {
        EXPECT_TRUE(at::allclose(fused[i], separate[i], 1e-4, 2e-5)) << "result " << i;
      }
    }
  }
}

TEST(FusedAttention, IsBitIdenticalForAnyNumberOfThreads) {
  MultiheadAttention attention = MakeAttention(true);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = Results(attention, {3, 7, 9, 1, true}, true);
  at::set_num_threads(2);
  const auto two = Results(attention, {3, 7, 9, 1, true}, true);
  at::set_num_threads(threads);
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(one[i].equal(two[i])) << i;
}

TEST(RowKernels, SoftmaxIsAccurateAndKeepsNan) {
  const at::Tensor logits = at::linspace(-100, 20, 77), bias = at::linspace(3, -3, 77);
  at::Tensor x = logits.clone();
  SoftmaxRow(x.data_ptr<float>(), bias.data_ptr<float>(), nullptr, 77);
  const at::Tensor expected = at::softmax((logits + bias).to(at::kDouble), -1);
  EXPECT_LT((x.to(at::kDouble) / expected - 1).slice(0, 20).abs().max().item<double>(), 2e-5);
  EXPECT_EQ(x[0].item<float>(), 0.0f);
  x = logits.clone();
  x[5] = std::nanf("");
  SoftmaxRow(x.data_ptr<float>(), bias.data_ptr<float>(), nullptr, 77);
  EXPECT_TRUE(x.isnan().any().item<bool>());
}

TEST(RowKernels, DropoutMaskHasTheRateAndNoPattern) {
  constexpr int64_t kCount = 1 << 18;
  const auto mask = [](uint64_t seed) {
    at::Tensor m = at::empty({kCount});
    DropoutMask(m.data_ptr<float>(), kCount, 0, 0.1f, seed);
    return m;
  };
  const at::Tensor a = mask(1), b = mask(2), c = mask(uint64_t{1} << 32);
  for (const at::Tensor& m : {a, b, c})
    EXPECT_NEAR(m.eq(0).to(at::kFloat).mean().item<float>(), 0.1, 3e-3);
  EXPECT_NEAR(a.max().item<float>(), 1 / 0.9, 1e-6);
  const auto both = [](const at::Tensor& x, const at::Tensor& y) {
    return x.eq(0).logical_and(y.eq(0)).to(at::kFloat).mean().item<float>();
  };
  EXPECT_NEAR(both(a, b), 0.01, 1e-3);
  EXPECT_NEAR(both(a, c), 0.01, 1e-3);
  for (const int64_t lag : {1, 2, 64, 128, 4096}) {
    EXPECT_NEAR(both(a.slice(0, lag), a.slice(0, 0, kCount - lag)), 0.01, 1e-3) << lag;
  }
}

TEST(AddDropped, DropsValuesAndWholeRows) {
  at::manual_seed(2);
  const at::Tensor zero = at::zeros({400, 8, 4}), one = at::ones({400, 8, 4});
  EXPECT_TRUE(AddDropped(zero, one, {0.3, 0.3}, /*training=*/false).equal(one));
  const at::Tensor rows = AddDropped(zero, one, {0, 0.5}, true).view({400, -1});
  EXPECT_TRUE(rows.amin(1).equal(rows.amax(1)));
  EXPECT_NEAR(rows.mean().item<float>(), 1, 0.15);
  EXPECT_NEAR(AddDropped(zero, one, {0.25, 0}, true).mean().item<float>(), 1, 0.05);
}

// Over many draws, the mean of values, whole rows and attention weights is the same as without
// dropout.
TEST(Dropout, KeepsTheMean) {
  at::manual_seed(4);
  const at::Tensor branch = at::randn({8, 16, 4}), zero = at::zeros_like(branch);
  at::Tensor sum = at::zeros_like(branch);
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) sum += AddDropped(zero, branch, {0.1, 0.2}, true);
  // A draw is 0 or the value / 0.72. Its standard deviation is 0.62 of the value, that of the mean
  // 0.01.
  EXPECT_TRUE(at::allclose(sum / kDraws, branch, /*rtol=*/0.06, /*atol=*/1e-6));

  AttentionOptions options;
  options.d_model = 8, options.heads = 2, options.dropout = 0.3;
  MultiheadAttention attention(options);
  const at::Tensor x = at::randn({1, 5, 8}), none = at::zeros({1, 2, 5, 5});
  attention.eval();
  const at::Tensor expected = attention.forward(x, x, {none, {}});
  attention.train();
  at::Tensor attended = at::zeros_like(expected);
  for (int i = 0; i < kDraws; ++i) attended += attention.forward(x, x, {none, {}}).detach();
  EXPECT_LT((attended / kDraws - expected).abs().max().item<float>(),
            0.05 * expected.abs().max().item<float>());
  attention.set_dropout(0);
  EXPECT_TRUE(at::allclose(attention.forward(x, x, {none, {}}), expected, 1e-5, 1e-6));
}

TEST(TokenBuckets, AreTheReferencesWhereItDocumentsThem) {
  TokenBuckets buckets(256);
  buckets.Square(10, at::kCPU);
  const at::Tensor map = buckets.Square(1024, at::kCPU);
  EXPECT_EQ(map.sum().item<int64_t>(), 267386880);
  const std::vector<std::vector<int64_t>> cases = {
      {0, 0, 255},   {0, 2, 253},   {0, 127, 128}, {0, 128, 127}, {0, 129, 126},
      {0, 200, 99},  {0, 500, 43},  {0, 1023, 0},  {127, 0, 382}, {128, 0, 383},
      {129, 0, 384}, {200, 0, 411}, {500, 0, 467}, {1023, 0, 510}};
  for (const auto& c : cases)
    EXPECT_EQ(map[c[0]][c[1]].item<int64_t>(), c[2]) << c[0] << ", " << c[1];
}

TEST(GridBuckets, CoverTheWholeReferenceMap) {
  const at::Tensor ids = at::arange(1765, at::kLong);
  const at::Tensor map = GridBuckets(ids, ids, 42);
  EXPECT_EQ(map.sum().item<int64_t>(), 10740994071);
  EXPECT_EQ(map[0][0].item<int64_t>(), 6891);
  EXPECT_EQ(map[0][7].item<int64_t>(), 6889);
  EXPECT_EQ(map[7][0].item<int64_t>(), 6890);
}

}  // namespace
}  // namespace layers
}  // namespace unival
