#include "training/merging/running_statistics.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// The mean's value before a second pass. What the pass leaves of it shows the layer's momentum. It
// is large beside the means of features.
constexpr double kStart = 1048576;
// A momentum below this is rounding: the pass did not reach the layer.
constexpr double kLeastMomentum = 1e-6;

const at::Tensor* FindBuffer(const torch::OrderedDict<std::string, at::Tensor>& buffers,
                             const char* name) {
  const at::Tensor* found = buffers.find(name);
  return found != nullptr && found->defined() ? found : nullptr;
}

at::Tensor DoubleCopy(const at::Tensor& tensor) {
  return tensor.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
}

// How often the layer normalised since its count was set to 0; once where it does not count.
int64_t Calls(const at::Tensor& count) { return count.defined() ? count.item<int64_t>() : 1; }

}  // namespace

RunningStatistics::RunningStatistics(torch::nn::Module& encoder, const std::string& prefix) {
  for (const auto& item : encoder.named_modules(/*name_prefix=*/"", /*include_self=*/false)) {
    const auto buffers = item.value()->named_buffers(/*recurse=*/false);
    const at::Tensor* mean = FindBuffer(buffers, "running_mean");
    const at::Tensor* variance = FindBuffer(buffers, "running_var");
    if (mean == nullptr || variance == nullptr) continue;
    Layer& layer = layers_.emplace_back();
    layer.name = absl::StrCat(prefix, item.key(), ".");
    layer.module = item.value();
    layer.mean = *mean, layer.variance = *variance;
    if (const at::Tensor* count = FindBuffer(buffers, "num_batches_tracked")) layer.count = *count;
    layer.mean_sum = at::zeros_like(layer.mean, at::kDouble);
    layer.variance_sum = at::zeros_like(layer.variance, at::kDouble);
  }
}

absl::Status RunningStatistics::Pass(double start, const std::function<absl::Status()>& forward) {
  for (const Layer& layer : layers_) {
    layer.mean.fill_(start);
    layer.variance.zero_();
    if (layer.count.defined()) layer.count.zero_();
    layer.module->train();
  }
  const absl::Status status = forward();
  for (const Layer& layer : layers_) layer.module->eval();
  return status;
}

// Finds each layer's momentum m. A layer sets its mean r to (1 - m) r + m s, n times in a pass. So
// a pass that starts at kStart ends (1 - m)^n kStart above a pass that starts at 0, whatever s is.
absl::Status RunningStatistics::LearnMomenta(const std::vector<BatchMoments>& from_zero,
                                             const std::function<absl::Status()>& forward) {
  UNIVAL_RETURN_IF_ERROR(Pass(kStart, forward));
  for (size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    if (layer.momentum > 0 || from_zero[i].calls == 0) continue;
    const double left = (layer.mean - from_zero[i].mean).mean().item<double>() / kStart;
    const auto calls = static_cast<double>(from_zero[i].calls);
    const double momentum = 1 - std::pow(std::max(0.0, left), 1 / calls);
    if (momentum >= kLeastMomentum) {
      layer.momentum = momentum;
    } else if (layer.count.defined()) {  // without a count it may not have been reached
      return absl::FailedPreconditionError(absl::StrCat(
          layer.name, "running_mean: expected statistics that move in training, got a momentum of ",
          "0; leave the modality's records out of the re-estimation"));
    }
  }
  return absl::OkStatus();
}

absl::Status RunningStatistics::AddBatch(const std::function<absl::Status()>& forward) {
  const at::NoGradGuard no_grad;
  ++batches_;
  UNIVAL_RETURN_IF_ERROR(Pass(0, forward));
  std::vector<BatchMoments> ends;
  bool is_new = false;
  for (const Layer& layer : layers_) {
    ends.push_back({DoubleCopy(layer.mean), DoubleCopy(layer.variance), Calls(layer.count)});
    is_new = is_new || (layer.momentum == 0 && ends.back().calls > 0);
  }
  if (is_new) UNIVAL_RETURN_IF_ERROR(LearnMomenta(ends, forward));
  for (size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    if (layer.momentum == 0 || ends[i].calls == 0) continue;
    // A running statistic that started at 0 ends at this share of the batch's statistic.
    const double share = 1 - std::pow(1 - layer.momentum, static_cast<double>(ends[i].calls));
    layer.mean_sum += ends[i].mean / share;
    layer.variance_sum += ends[i].variance / share;
    ++layer.batches;
  }
  return absl::OkStatus();
}

absl::Status RunningStatistics::AddTo(std::map<std::string, at::Tensor>* means) const {
  for (const Layer& layer : layers_) {
    if (layer.batches == 0) continue;
    const auto count = static_cast<double>(layer.batches);
    const at::Tensor mean = (layer.mean_sum / count).to(at::kFloat);
    const at::Tensor variance = (layer.variance_sum / count).to(at::kFloat);
    if (!(mean + variance).isfinite().all().item<bool>()) {
      return absl::InvalidArgumentError(absl::StrCat(
          layer.name, "running_var: expected batches with a mean and a variance, got values that ",
          "are no numbers; give more records, or a larger --batch"));
    }
    (*means)[layer.name + "running_mean"] = mean;
    (*means)[layer.name + "running_var"] = variance;
  }
  return absl::OkStatus();
}

}  // namespace unival
