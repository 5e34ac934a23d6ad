#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "sdk/base/test_files.h"
#include "sdk/testing/golden.h"
#include "training/optimizer/adamw.h"
#include "training/optimizer/grouped_optimizer.h"
#include "training/optimizer/moving_average.h"
#include "training/optimizer/schedule.h"

namespace unival {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using Json = nlohmann::json;

at::Tensor Parameter(const std::string& name, const std::vector<int64_t>& shape) {
  return GoldenInput(name, 3, shape, 1).requires_grad_();
}

void SetGradient(at::Tensor parameter, int step) {
  parameter.mutable_grad() =
      GoldenInput("gradient" + std::to_string(step), 4, parameter.sizes().vec(), 0.1);
}

std::unique_ptr<AdamW> MakeAdamW(const OptimizerConfig& config,
                                 std::vector<NamedTensor> parameters) {
  auto optimizer = AdamW::Create(config, std::move(parameters));
  EXPECT_TRUE(optimizer.ok()) << optimizer.status();
  return *std::move(optimizer);
}

TEST(AdamW, FollowsItsFormula) {
  OptimizerConfig config;
  config.weight_decay = 0.01;
  at::Tensor parameter = Parameter("w", {37});
  auto optimizer = MakeAdamW(config, {{"w", parameter}});
  at::Tensor p = parameter.detach().to(at::kDouble).clone();
  at::Tensor m = at::zeros({37}, at::kDouble), v = at::zeros({37}, at::kDouble);
  for (int t = 1; t <= 5; ++t) {
    const double lr = 0.01 * t;
    SetGradient(parameter, t);
    const at::Tensor g = parameter.grad().to(at::kDouble);
    m = m * 0.9 + g * 0.1;
    v = v * 0.999 + g * g * 0.001;
    p = p - p * (lr * 0.01);
    const double step = lr * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
    p = p - m / (v.sqrt() + 1e-8) * step;
    ASSERT_TRUE(optimizer->Step(lr).ok());
  }
  EXPECT_LT(MaxDifference(parameter.detach(), p), 1e-6);
}

TEST(AdamW, TreatsEveryLayoutAlike) {
  at::Tensor plain = Parameter("w", {8, 5});
  at::Tensor strided = plain.detach().t().contiguous().t().clone(at::MemoryFormat::Preserve);
  strided.requires_grad_();
  ASSERT_FALSE(strided.is_contiguous());
  auto first = MakeAdamW({}, {{"w", plain}});
  auto second = MakeAdamW({}, {{"w", strided}});
  for (int t = 1; t <= 3; ++t) {
    SetGradient(plain, t);
    SetGradient(strided, t);
    ASSERT_TRUE(first->Step(0.1).ok());
    ASSERT_TRUE(second->Step(0.1).ok());
  }
  EXPECT_LT(MaxDifference(plain.detach(), strided.detach()), 1e-6);
}

TEST(AdamW, LeavesParametersWithoutGradientUntouched) {
  OptimizerConfig config;
  config.weight_decay = 0.5;
  at::Tensor moved = Parameter("a", {4}), still = Parameter("b", {4});
  const at::Tensor before = still.detach().clone();
  auto optimizer = MakeAdamW(config, {{"a", moved}, {"b", still}});
  SetGradient(moved, 1);
  ASSERT_TRUE(optimizer->Step(0.1).ok());
  EXPECT_TRUE(still.detach().equal(before));
  EXPECT_EQ(optimizer->State().count("exp_avg.b"), 0u);
  // Its first own update has the bias correction of a first update: a step of about the rate.
  config.weight_decay = 0;
  optimizer->ZeroGradients();
  EXPECT_FALSE(moved.grad().defined());
  SetGradient(still, 2);
  ASSERT_TRUE(optimizer->Step(0.1).ok());
  EXPECT_EQ(optimizer->State().at("step.b").item<int64_t>(), 1);
}

TEST(AdamW, ContinuesFromItsStateToTheBit) {
  at::Tensor a = Parameter("a", {33}), b = Parameter("b", {2, 3});
  auto whole = MakeAdamW({}, {{"a", a}, {"b", b}});
  const auto run = [](AdamW& optimizer, int from, int to) {
    for (int t = from; t <= to; ++t) {
      SetGradient(optimizer.parameters()[0].tensor, t);
      if (t != 2) SetGradient(optimizer.parameters()[1].tensor, t);
      ASSERT_TRUE(optimizer.Step(0.01).ok());
      optimizer.ZeroGradients();
    }
  };
  run(*whole, 1, 2);
  TensorState state;
  for (const auto& [name, tensor] : whole->State()) state[name] = tensor.clone();
  at::Tensor a2 = a.detach().clone().requires_grad_(), b2 = b.detach().clone().requires_grad_();
  auto resumed = MakeAdamW({}, {{"a", a2}, {"b", b2}});
  ASSERT_TRUE(resumed->LoadState(state).ok()) << resumed->LoadState(state);
  EXPECT_EQ(resumed->updates(), 2);
  run(*whole, 3, 5);
  run(*resumed, 3, 5);
  EXPECT_TRUE(a.detach().equal(a2.detach()));
  EXPECT_TRUE(b.detach().equal(b2.detach()));
}

TEST(AdamW, RefusesStateOfAnotherPlan) {
  at::Tensor a = Parameter("a", {3});
  auto optimizer = MakeAdamW({}, {{"a", a}});
  SetGradient(a, 1);
  ASSERT_TRUE(optimizer->Step(0.1).ok());
  TensorState state = optimizer->State();
  state["exp_avg.b"] = at::zeros({3});
  EXPECT_FALSE(optimizer->LoadState(state).ok());
  state.erase("exp_avg.b");
  state["exp_avg_sq.a"] = at::zeros({4});
  EXPECT_THAT(std::string(optimizer->LoadState(state).message()), HasSubstr("exp_avg_sq.a"));
  state.erase("exp_avg_sq.a");
  EXPECT_THAT(std::string(optimizer->LoadState(state).message()), HasSubstr("missing"));
}

TEST(AdamW, NamesAFrozenParameter) {
  const auto created = AdamW::Create({}, {{"frozen", at::zeros({2})}});
  EXPECT_THAT(std::string(created.status().message()), HasSubstr("\"frozen\""));
}

// One update of "w" [2, 3] and "bias" [3] with decay 0.5 and the same gradients, divided by
// `groups`.
std::map<std::string, at::Tensor> Updated(const std::vector<ParameterGroup>& groups) {
  OptimizerConfig config;
  config.weight_decay = 0.5;
  at::Tensor w = Parameter("w", {2, 3}), bias = Parameter("bias", {3});
  auto optimizer = CreateGroupedOptimizer("adamw", config, groups, {{"w", w}, {"bias", bias}});
  EXPECT_TRUE(optimizer.ok()) << optimizer.status();
  for (int t = 1; t <= 2; ++t) {
    SetGradient(w, t);
    SetGradient(bias, t);
    EXPECT_TRUE((*optimizer)->Step(0.1).ok());
  }
  return {{"w", w.detach().clone()}, {"bias", bias.detach().clone()}};
}

TEST(GroupedOptimizer, KeepsDecayFromVectorsAndScalesRatesByName) {
  ParameterGroup vectors;
  vectors.vectors = true;
  const auto plain = Updated({}), still = Updated({vectors});
  EXPECT_TRUE(plain.at("w").equal(still.at("w")));
  EXPECT_FALSE(plain.at("bias").equal(still.at("bias")));
  ParameterGroup frozen;
  frozen.names = {[](const std::string& name) { return name == "w"; }};
  frozen.rate_scale = 0;
  frozen.weight_decay = 0.5;
  const auto slow = Updated({frozen});
  EXPECT_TRUE(slow.at("w").equal(Parameter("w", {2, 3}).detach())) << "a rate of 0";
  EXPECT_TRUE(slow.at("bias").equal(plain.at("bias")));
}

TEST(GroupedOptimizer, ContinuesFromItsStateAndNamesAnEmptyGroup) {
  ParameterGroup vectors;
  vectors.vectors = true;
  const auto make = [&](const at::Tensor& w, const at::Tensor& b) {
    return *CreateGroupedOptimizer("adamw", {}, {vectors}, {{"w", w}, {"b", b}});
  };
  at::Tensor w = Parameter("w", {2, 3}), b = Parameter("b", {3});
  const auto whole = make(w, b);
  const auto run = [](Optimizer& optimizer, int t) {
    for (const NamedTensor& parameter : optimizer.parameters()) SetGradient(parameter.tensor, t);
    ASSERT_TRUE(optimizer.Step(0.01).ok());
  };
  run(*whole, 1);
  TensorState state;
  for (const auto& [name, tensor] : whole->State()) state[name] = tensor.clone();
  at::Tensor w2 = w.detach().clone().requires_grad_(), b2 = b.detach().clone().requires_grad_();
  const auto resumed = make(w2, b2);
  ASSERT_TRUE(resumed->LoadState(state).ok());
  run(*whole, 2);
  run(*resumed, 2);
  EXPECT_TRUE(w.detach().equal(w2.detach()) && b.detach().equal(b2.detach()));
  state["exp_avg.w"] = at::zeros({2, 3});
  EXPECT_FALSE(resumed->LoadState(state).ok()) << "a state of no groups";
  EXPECT_THAT(
      std::string(CreateGroupedOptimizer("adamw", {}, {vectors}, {{"w", w}}).status().message()),
      HasSubstr("group[0]"));
}

TEST(GradientClipping, ScalesThenLimitsTheJointNorm) {
  at::Tensor a = Parameter("a", {3}), b = Parameter("b", {1});
  auto optimizer = MakeAdamW({}, {{"a", a}, {"b", b}});
  const auto set = [&] {
    a.mutable_grad() = at::tensor({2.0f, 4.0f, 4.0f});
    b.mutable_grad() = at::tensor({8.0f});
  };
  set();
  EXPECT_NEAR(optimizer->ScaleAndClipGradients(0.5, 0), 5.0, 1e-6);
  EXPECT_NEAR(b.grad()[0].item<double>(), 4.0, 1e-6);
  set();
  EXPECT_NEAR(optimizer->ScaleAndClipGradients(0.5, 1), 5.0, 1e-6);
  EXPECT_NEAR(b.grad()[0].item<double>(), 4.0 / (5.0 + 1e-6), 1e-6);
  set();
  a.mutable_grad()[1] = NAN;
  EXPECT_FALSE(std::isfinite(optimizer->ScaleAndClipGradients(0.5, 1)));
  EXPECT_EQ(b.grad()[0].item<double>(), 8.0);
}

// The rate of the update after `finished` of them.
double Rate(const std::string& name, const ScheduleConfig& config, int64_t finished) {
  const auto schedule = Schedule::Create(name, config);
  EXPECT_TRUE(schedule.ok()) << schedule.status();
  return schedule->Rate(finished);
}

TEST(Schedule, WarmsUpFromZeroAndFallsLinearly) {
  ScheduleConfig config;
  config.peak = 0.002;
  config.total_updates = 50;
  config.warmup_ratio = 0.06f;  // 3 updates
  EXPECT_EQ(Rate("linear", config, 0), 0);
  EXPECT_DOUBLE_EQ(Rate("linear", config, 1), 0.002 / 3);
  EXPECT_DOUBLE_EQ(Rate("linear", config, 3), 0.002);
  EXPECT_DOUBLE_EQ(Rate("linear", config, 4), 0.002 * 46 / 47);
  EXPECT_EQ(Rate("linear", config, 50), 0);
  EXPECT_EQ(Rate("linear", config, 60), 0);
}

TEST(Schedule, FallsByAPowerToItsEndRate) {
  ScheduleConfig config;
  config.peak = 1;
  config.total_updates = 100;
  config.option = {{"power", 2}, {"end_rate", 0.2}};
  EXPECT_EQ(Rate("polynomial", config, 0), 1);
  EXPECT_DOUBLE_EQ(Rate("polynomial", config, 50), 0.8 * 0.25 + 0.2);
  EXPECT_DOUBLE_EQ(Rate("polynomial", config, 100), 0.2);
  config.option = {{"end_rate", 0.2}};
  for (const int finished : {0, 30, 100}) {
    EXPECT_DOUBLE_EQ(Rate("polynomial", config, finished), Rate("linear", config, finished));
  }
  EXPECT_DOUBLE_EQ(Rate("cosine", config, 100), 0.2);
}

TEST(Schedule, StaysFlatThenFollowsACosine) {
  ScheduleConfig config;
  config.peak = 1;
  config.total_updates = 100;
  config.flat_ratio = 0.5;
  EXPECT_EQ(Rate("cosine", config, 0), 1);
  EXPECT_EQ(Rate("cosine", config, 50), 1);
  EXPECT_NEAR(Rate("cosine", config, 75), 0.5, 1e-12);
  EXPECT_NEAR(Rate("cosine", config, 100), 0, 1e-12);
  config.warmup_updates = 10;
  EXPECT_DOUBLE_EQ(Rate("constant", config, 5), 0.5);
  EXPECT_EQ(Rate("constant", config, 1000), 1);
}

TEST(Schedule, FallsWithTheRootOfTheStepsBehindTheWarmUp) {
  ScheduleConfig config;
  config.peak = 0.01;
  config.warmup_updates = 100;
  EXPECT_DOUBLE_EQ(Rate("inverse_sqrt", config, 50), 0.005);
  EXPECT_DOUBLE_EQ(Rate("inverse_sqrt", config, 100), 0.01);
  EXPECT_DOUBLE_EQ(Rate("inverse_sqrt", config, 400), 0.005);
  EXPECT_DOUBLE_EQ(Rate("inverse_sqrt", config, 1000000), 0.0001);
}

TEST(Schedule, NamesTheFieldThatIsWrong) {
  ScheduleConfig config;
  EXPECT_THAT(std::string(Schedule::Create("linear", config).status().message()),
              HasSubstr("total_updates"));
  config.total_updates = 10;
  config.warmup_ratio = 2;
  EXPECT_THAT(std::string(Schedule::Create("linear", config).status().message()),
              HasSubstr("warmup_ratio"));
}

TEST(Tables, HoldWhatShips) {
  EXPECT_THAT(ScheduleNames(), IsSupersetOf({"constant", "cosine", "linear"}));
  EXPECT_THAT(OptimizerNames(), Contains("adamw"));
  EXPECT_TRUE(absl::IsNotFound(Schedule::Create("none", {}).status()));
  EXPECT_TRUE(absl::IsNotFound(CreateOptimizer("none", {}, {}).status()));
}

TEST(Options, ThatNobodyKnowsAreRefusedByName) {
  OptimizerConfig optimizer;
  optimizer.option["momentum"] = 0.9;
  EXPECT_THAT(std::string(CreateOptimizer("adamw", optimizer, {}).status().message()),
              HasSubstr("option: expected none, got \"momentum\""));
  ScheduleConfig schedule;
  schedule.option["period"] = 7;
  EXPECT_THAT(std::string(Schedule::Create("constant", schedule).status().message()),
              HasSubstr("schedule_option: expected none, got \"period\""));
}

// Two entries of one name, as two files could define them.
struct Entry {
  std::string name;
};
const Registered<Entry> kFirst({"twin"}), kSecond({"twin"}), kThird({"single"});

TEST(Registered, RefusesANameThatIsDefinedTwice) {
  EXPECT_TRUE(absl::IsAlreadyExists(Registered<Entry>::Find("twin").status()));
  EXPECT_EQ(Registered<Entry>::Find("single").value()->name, "single");
}

Json LoadJson(const std::string& path) { return Json::parse(ReadText(path)); }

std::vector<int64_t> GoldenShape(const std::string& name) {
  static const Json* const kManifest = new Json(LoadJson("tests/golden/tiny/manifest.json"));
  for (const Json& entry : kManifest->at("entries")) {
    if (entry.at("name") == name) return entry.at("shape").get<std::vector<int64_t>>();
  }
  ADD_FAILURE() << name;
  return {};
}

void ExpectGolden(const at::Tensor& average, const Json& golden, const std::string& name) {
  const double norm = golden.at("norm");
  EXPECT_NEAR(average.to(at::kDouble).norm().item<double>(), norm, norm * 1e-6) << name;
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(average.reshape({-1})[i].item<double>(), golden.at("first")[i].get<double>(), 2e-7)
        << name;
  }
}

void ReplayMovingAverage(const Json& golden) {
  const std::string tied = "encoder.embed_tokens.weight";
  std::vector<NamedTensor> tensors, tied_tensors;
  for (const auto& item : golden.at("steps")[0].at("tensors").items()) {
    (item.key() == tied ? tied_tensors : tensors)
        .push_back({item.key(), at::zeros(GoldenShape(item.key()))});
  }
  const auto fill = [&](uint64_t seed) {
    for (NamedTensor& t : tensors) FillTensorByFormula(t.name, seed, t.tensor);
    FillTensorByFormula(tied, seed, tied_tensors.at(0).tensor);
  };
  fill(golden.at("initial_weights_seed"));
  at::Tensor counter = at::zeros({}, at::kLong);
  std::vector<NamedTensor> all = tensors;
  all.push_back({"num_batches_tracked", counter});
  const double decay = golden.at("decay");
  auto average = MovingAverage::Create({decay, golden.at("start_update")}, all);
  // The reference averages the embedding once under each of its three names, hence three times an
  // update.
  auto thrice =
      MovingAverage::Create({decay * decay * decay, golden.at("start_update")}, tied_tensors);
  ASSERT_TRUE(average.ok() && thrice.ok());
  for (const Json& step : golden.at("steps")) {
    fill(step.at("weights_seed"));
    counter.fill_(step.at("update").get<int64_t>());
    (*average)->Update(step.at("update"));
    (*thrice)->Update(step.at("update"));
    TensorState state = (*average)->State();
    state[tied] = (*thrice)->State().at(tied);
    EXPECT_EQ(state.at("num_batches_tracked").item<int64_t>(), step.at("num_batches_tracked"));
    for (const auto& item : step.at("tensors").items()) {
      ExpectGolden(state.at(item.key()), item.value(), item.key());
    }
  }
}

TEST(MovingAverage, EqualsTheReference) {
  const Json golden = LoadJson("tests/golden/tiny/ema.json");
  EXPECT_EQ(golden.at("cases").size(), 4u);
  for (const Json& golden_case : golden.at("cases")) ReplayMovingAverage(golden_case);
}

TEST(MovingAverage, SwapsAndRestores) {
  at::Tensor weight = at::full({2}, 1.0f), half = at::full({2}, 1.0f).to(at::kHalf);
  auto average = MovingAverage::Create({0.5, 0}, {{"w", weight}, {"h", half}});
  ASSERT_TRUE(average.ok());
  weight.fill_(3);
  (*average)->Update(1);
  (*average)->Swap();
  EXPECT_EQ(weight[0].item<double>(), 2);
  (*average)->Swap();
  EXPECT_EQ(weight[0].item<double>(), 3);
  TensorState state = (*average)->State();
  EXPECT_EQ(state.at("h").scalar_type(), at::kFloat);
  EXPECT_TRUE((*average)->LoadState(state).ok());
  state.erase("w");
  EXPECT_THAT(std::string((*average)->LoadState(state).message()), HasSubstr("\"w\" is missing"));
}

}  // namespace
}  // namespace unival
