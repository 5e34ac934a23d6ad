// Compares layers that are recomputed for backward with layers whose activations are kept.
#include "backbone/layers/recompute.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backbone/adapters/adapter_kind.h"
#include "backbone/model/backbone.h"
#include "backbone/model/golden_model.h"
#include "sdk/testing/golden.h"

namespace unival {
namespace {

using Tensors = std::vector<at::Tensor>;

TEST(Recomputed, KeepsNothingBetweenInputsAndOutput) {
  for (const bool recomputes : {false, true}) {
    const at::Tensor x = at::ones({4}).set_requires_grad(true);
    at::Tensor weight = at::full({4}, 2.0).set_requires_grad(true);
    std::vector<c10::weak_intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>> between;
    int calls = 0;
    const auto call = [&](const Tensors& in) {
      ++calls;
      const at::Tensor product = in[0] * weight;
      between.emplace_back(product.getIntrusivePtr());
      return product * product;  // needs the product for backward
    };
    const at::Tensor y = recomputes ? layers::Recomputed(call, {x}) : call({x});
    EXPECT_EQ(between[0].expired(), recomputes);
    EXPECT_EQ(calls, 1);
    y.sum().backward();
    EXPECT_EQ(calls, recomputes ? 2 : 1);
    EXPECT_TRUE(at::equal(x.grad(), at::full({4}, 8.0)));
    EXPECT_TRUE(at::equal(weight.grad(), at::full({4}, 4.0)));
  }
}

TEST(Recomputed, CallsOnceWhereNothingWantsAGradient) {
  int calls = 0;
  const auto call = [&](const Tensors& in) {
    ++calls;
    return in[0] + 1;
  };
  const at::Tensor x = at::ones({2});
  EXPECT_FALSE(layers::Recomputed(call, {x}).requires_grad());
  EXPECT_EQ(calls, 1);
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(layers::Recomputed(call, {at::ones({2}).set_requires_grad(true)}).requires_grad());
  EXPECT_EQ(calls, 2);
}

TEST(Recomputed, LeavesTheGeneratorAndAutocastOfBackwardAsTheyWere) {
  const at::Tensor x = at::ones({8}).set_requires_grad(true);
  Tensors drawn;
  std::vector<bool> autocast;
  const auto call = [&](const Tensors& in) {
    drawn.push_back(at::ones({8}).uniform_());
    autocast.push_back(at::autocast::is_cpu_enabled());
    return in[0] * drawn.back();
  };
  at::manual_seed(7);
  at::autocast::set_cpu_enabled(true);
  const at::Tensor y = layers::Recomputed(call, {x});
  at::autocast::set_cpu_enabled(false);
  at::manual_seed(8);
  const at::Tensor expected = at::ones({3}).uniform_();
  at::manual_seed(8);
  y.sum().backward();
  EXPECT_TRUE(at::equal(at::ones({3}).uniform_(), expected));
  EXPECT_FALSE(at::autocast::is_cpu_enabled());
  ASSERT_EQ(drawn.size(), 2u);
  EXPECT_TRUE(at::equal(drawn[0], drawn[1]));
  EXPECT_EQ(autocast, std::vector<bool>({true, true}));
}

// A training step of a small model.
struct TriedStep {
  BackboneConfig config = GoldenConfig();
  bool training = false, bfloat16 = false;
  int64_t rows = 1;  // times three
  std::function<void(Backbone&)> prepare = [](Backbone&) {};
};

void SetAutocast(bool on) {
  at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
  at::autocast::set_cpu_enabled(on);
  if (!on) at::autocast::clear_cache();
}

ModelInput TwoPicturesAndText(int64_t times) {
  ModalityFeatures features;
  features.values = GoldenInput("recompute", 5, {2, 6, 2048}, 1).repeat({times, 1, 1});
  features.positions =
      at::arange(12, at::kLong).remainder(3).view({1, 6, 2}).repeat({2 * times, 1, 1});
  ModelInput input;
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < times; ++i) rows.insert(rows.end(), {3 * i, 3 * i + 2});
  input.segments.push_back({"image", rows, features});
  input.source_tokens = at::tensor({0, 5, 6, 7, 2, 0, 9, 2, 1, 1, 0, 11, 12, 2, 1}, at::kLong)
                            .view({3, 5})
                            .repeat({times, 1});
  return input;
}

// The gradient of every parameter, and the logits as "".
std::map<std::string, at::Tensor> Gradients(const TriedStep& step, bool recomputes) {
  const auto model = GoldenModel(step.config);
  model->module().train(step.training);
  step.prepare(*model);
  model->SetActivationCheckpointing(recomputes);
  at::manual_seed(3);
  if (step.bfloat16) SetAutocast(true);
  DecodeOptions options;
  options.code_rows = at::tensor({0, 0, 1}, at::kLong).to(at::kBool).repeat({step.rows});
  const at::Tensor previous =
      at::tensor({0, 8, 9, 10, 0, 5, 1, 1, 0, 100, 101, 102}, at::kLong).view({3, 4});
  const at::Tensor logits = model->Decode(model->Encode(TwoPicturesAndText(step.rows)),
                                          previous.repeat({step.rows, 1}), options);
  if (step.bfloat16) SetAutocast(false);
  logits.to(at::kFloat).square().mean().backward();
  std::map<std::string, at::Tensor> gradients = {{"", logits.detach()}};
  for (const auto& entry : model->module().named_parameters()) {
    if (entry.value().grad().defined()) gradients[entry.key()] = entry.value().grad();
  }
  return gradients;
}

void ExpectSameBits(const TriedStep& step) {
  const auto kept = Gradients(step, false), again = Gradients(step, true);
  ASSERT_EQ(kept.size(), again.size());
  EXPECT_GT(kept.size(), 1u);
  for (const auto& [name, gradient] : kept) {
    ASSERT_EQ(again.count(name), 1u) << name;
    EXPECT_TRUE(at::equal(gradient, again.at(name))) << name;
  }
}

TEST(ActivationCheckpointing, GivesTheSameGradientsToTheBit) {
  ExpectSameBits({});
  TriedStep training;
  training.training = true;
  ExpectSameBits(training);
  training.config = GoldenConfig(R"({"qk_norm": true})");
  ExpectSameBits(training);
}

TEST(ActivationCheckpointing, DropsTheSameAgain) {
  TriedStep step;
  step.training = true;
  step.prepare = [](Backbone& model) { model.SetDropout({0.3, 0.2, 0.5, 0.5}); };
  ExpectSameBits(step);
  step.prepare = [](Backbone& model) { model.SetDropout({0.3, 0, 0, 0}); };
  ExpectSameBits(step);
}

TEST(ActivationCheckpointing, ComputesInTheSameNumbersAgain) {
  TriedStep step;
  step.training = step.bfloat16 = true;
  ExpectSameBits(step);
  step.prepare = [](Backbone& model) { model.SetDropout({0.3, 0.2, 0.5, 0.5}); };
  ExpectSameBits(step);
}

TEST(ActivationCheckpointing, ReachesWhatTrainsBesideFrozenLayers) {
  TriedStep step;
  step.prepare = [](Backbone& model) {
    for (const auto& entry : model.module().named_parameters())
      entry.value().set_requires_grad(entry.key().rfind("connections.image", 0) == 0);
  };
  ExpectSameBits(step);
  step.prepare = [](Backbone& model) {
    for (at::Tensor parameter : model.module().parameters()) parameter.set_requires_grad(false);
    AdapterConfig lora;
    lora.set_kind("lora");
    const auto complete = CompleteAdapterConfig(lora, model.config());
    ASSERT_TRUE(complete.ok()) << complete.status();
    at::manual_seed(9);
    ASSERT_TRUE(model.AddAdapter(*complete).ok());
    for (const auto& entry : model.module().named_parameters()) {
      if (entry.key().rfind("adapters.", 0) == 0) entry.value().data().normal_();
    }
  };
  ExpectSameBits(step);
}

// The largest number of bytes in tensors at one time, for tensors that are created while it counts.
class TensorBytes : public c10::MemoryReportingInfoBase {
 public:
  // libtorch 1.13 calls the first function, 2.x the second.
  void reportMemoryUsage(void*, int64_t bytes, int64_t, int64_t, c10::Device) { Count(bytes); }
  void reportMemoryUsage(void*, int64_t bytes, size_t, size_t, c10::Device) { Count(bytes); }
  bool memoryProfilingEnabled() const override { return true; }
  int64_t most() const { return most_; }

 private:
  void Count(int64_t bytes) {
    now_ += bytes;
    most_ = std::max(most_, now_);
  }

  int64_t now_ = 0, most_ = 0;
};

int64_t MostBytes(const TriedStep& step, bool recomputes) {
  const auto counter = std::make_shared<TensorBytes>();
  const c10::DebugInfoGuard counting(c10::DebugInfoKind::PROFILER_STATE, counter);
  Gradients(step, recomputes);
  return counter->most();
}

// The memory of everything that a step creates, including the model and its gradients.
TEST(ActivationCheckpointing, NeedsLessMemoryTheMoreLayersThereAre) {
  TriedStep step;
  step.rows = 16;
  step.training = true;
  for (const int layers : {4, 12}) {
    step.config.set_encoder_layers(layers);
    step.config.set_decoder_layers(layers);
    TriedStep idle = step;
    idle.rows = 1;
    const int64_t model = MostBytes(idle, true);
    const int64_t kept = MostBytes(step, false) - model, again = MostBytes(step, true) - model;
    EXPECT_LT(again * (layers == 4 ? 2 : 4), kept) << layers << " layers: " << again << " bytes";
    printf("%d layers each: %.1f MiB kept, %.1f MiB computed again\n", layers,
           static_cast<double>(kept) / (1 << 20), static_cast<double>(again) / (1 << 20));
  }
}

}  // namespace
}  // namespace unival
