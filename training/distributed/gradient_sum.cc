#include "training/distributed/gradient_sum.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <memory>
#include <utility>

#include "absl/types/optional.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

struct Place {
  size_t bucket = 0;
  int64_t begin = 0;  // in the bucket
};

struct Bucket {
  std::vector<size_t> members;  // indices of parameters
  int64_t numel = 0;
  size_t missing = 0;  // gradients that have not come in this step
  at::Tensor flat;
  absl::optional<PendingSum> sum;
};

}  // namespace

struct GradientSum::State {
  World* world = nullptr;
  std::vector<at::Tensor> parameters;
  std::vector<Place> places;
  std::vector<Bucket> buckets;
  std::vector<double> has_gradient;
  std::vector<std::shared_ptr<torch::autograd::Node>> nodes;  // kept alive, as they own the hooks
  size_t next = 0;                                            // bucket to be sent
  bool begun = false;

  at::Tensor SliceOf(size_t index) {
    const Place& place = places[index];
    return buckets[place.bucket].flat.narrow(0, place.begin, parameters[index].numel());
  }

  void Fill(size_t index) {
    at::NoGradGuard no_grad;
    const at::Tensor& gradient = parameters[index].grad();
    has_gradient[index] = gradient.defined() ? 1 : 0;
    at::Tensor slice = SliceOf(index);
    if (gradient.defined()) {
      slice.copy_(gradient.reshape(-1));
    } else {
      slice.zero_();
    }
  }

  void Arrived(size_t index) {
    if (!begun || has_gradient[index] >= 0) return;
    Fill(index);
    --buckets[places[index].bucket].missing;
    while (next < buckets.size() && buckets[next].missing == 0) Leave();
  }

  void Leave() {
    Bucket& bucket = buckets[next++];
    bucket.sum = world->BeginSum(bucket.flat);
  }
};

namespace {

// Called when backward has put a parameter's gradient in place.
class Hook : public torch::autograd::FunctionPostHook {
 public:
  explicit Hook(std::function<void()> arrived) : arrived_(std::move(arrived)) {}
  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override {
    arrived_();
    return outputs;
  }

 private:
  const std::function<void()> arrived_;
};

}  // namespace

GradientSum::GradientSum(World* world, const std::vector<NamedTensor>& parameters,
                         int64_t bucket_bytes)
    : state_(std::make_shared<State>()) {
  State& state = *state_;
  state.world = world;
  state.places.resize(parameters.size());
  for (const NamedTensor& parameter : parameters) state.parameters.push_back(parameter.tensor);
  for (size_t i = parameters.size(); i-- > 0;) {
    const int64_t numel = parameters[i].tensor.numel();
    const bool is_full = !state.buckets.empty() && state.buckets.back().numel > 0 &&
                         (state.buckets.back().numel + numel) * 4 > bucket_bytes;
    if (state.buckets.empty() || is_full) state.buckets.emplace_back();
    Bucket& bucket = state.buckets.back();
    state.places[i] = {state.buckets.size() - 1, bucket.numel};
    bucket.members.push_back(i);
    bucket.numel += numel;
  }
  for (Bucket& bucket : state.buckets) bucket.flat = at::zeros({bucket.numel}, at::kFloat);
  for (size_t i = 0; i < parameters.size(); ++i) {
    auto node = torch::autograd::impl::grad_accumulator(parameters[i].tensor);
    const std::weak_ptr<State> weak = state_;
    node->add_post_hook(std::make_unique<Hook>([weak, i] {
      if (const std::shared_ptr<State> alive = weak.lock()) alive->Arrived(i);
    }));
    state.nodes.push_back(std::move(node));
  }
}

GradientSum::~GradientSum() = default;

void GradientSum::Begin() {
  State& state = *state_;
  state.begun = true;
  state.next = 0;
  state.has_gradient.assign(state.parameters.size(), -1);
  for (Bucket& bucket : state.buckets) {
    bucket.missing = bucket.members.size();
    bucket.sum.reset();
  }
}

absl::Status GradientSum::Finish() {
  State& state = *state_;
  if (!state.begun) Begin();
  return CatchTorch("sum of gradients", [&]() -> absl::Status {
    at::NoGradGuard no_grad;
    // In order, so that what is missing in a bucket is filled before the ones behind it leave.
    for (size_t i = 0; i < state.buckets.size(); ++i) {
      for (size_t member : state.buckets[i].members) {
        if (state.has_gradient[member] < 0) state.Fill(member);
      }
      state.buckets[i].missing = 0;
      if (state.next == i) state.Leave();
    }
    state.begun = false;
    for (Bucket& bucket : state.buckets) UNIVAL_RETURN_IF_ERROR(bucket.sum->Wait());
    UNIVAL_RETURN_IF_ERROR(state.world->Sum(&state.has_gradient));
    for (size_t i = 0; i < state.parameters.size(); ++i) {
      at::Tensor& parameter = state.parameters[i];
      if (state.has_gradient[i] == 0) continue;
      if (!parameter.grad().defined()) parameter.mutable_grad() = at::zeros_like(parameter);
      parameter.mutable_grad().copy_(state.SliceOf(i).view(parameter.sizes()));
    }
    return absl::OkStatus();
  });
}

}  // namespace unival
