// Files "training" and "ema": what updates change.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "sdk/testing/golden.h"
#include "training/optimizer/adamw.h"
#include "training/optimizer/moving_average.h"
#include "training/optimizer/schedule.h"
#include "upstream/parity/batch_input.h"
#include "upstream/parity/fields.h"
#include "upstream/parity/loss_case.h"
#include "upstream/parity/replay.h"

namespace unival {
namespace parity {
namespace {

constexpr char kEmbedding[] = "encoder.embed_tokens.weight";

// Under training in train mode, batch statistics amplify rounding.
struct TrainingTolerances {
  Tolerance loss, gradient_norm, norm, change;
};
constexpr TrainingTolerances kPlain = {{0, 1e-5}, {0, 1e-3}, {0, 1e-5}, {1e-12, 1e-3}};
constexpr TrainingTolerances kBatchStatistics = {{0, 1e-3}, {0, 5e-3}, {0, 1e-4}, {1e-12, 0.1}};
constexpr Tolerance kStatistics = {0, 1e-3};

class TrainingCase {
 public:
  TrainingCase(ReferenceModel& model, const Json& golden, Checker& check)
      : model_(model), golden_(golden), check_(check) {}

  absl::Status Run() {
    model_.Train(true);
    const Json& optimizer = golden_.at("optimizer");
    OptimizerConfig config;
    optimizer.at("betas").at(0).get_to(config.beta1);
    optimizer.at("betas").at(1).get_to(config.beta2);
    config.epsilon = optimizer.at("eps");
    config.weight_decay = optimizer.at("weight_decay");
    const std::string name = optimizer.value("name", "adam");
    if (name != "adam") {
      return absl::UnimplementedError(absl::StrCat("optimizer.name: no optimizer \"", name, "\""));
    }
    UNIVAL_ASSIGN_OR_RETURN(optimizer_, AdamW::Create(config, Freeze()));
    for (const NamedTensor& parameter : optimizer_->parameters()) {
      before_.push_back(parameter.tensor.detach().clone());
    }
    tolerances_ = kPlain;
    for (const Json& step : golden_.at("steps")) {
      for (const MediaField& kind : kMediaFields) {
        if (step.at("sample").contains(absl::StrCat(kind.field, "_shape"))) {
          tolerances_ = kBatchStatistics;
        }
      }
    }
    for (const Json& step : golden_.at("steps")) UNIVAL_RETURN_IF_ERROR(Update(step));
    CheckParameters();
    CheckStatistics();
    return absl::OkStatus();
  }

 private:
  // Freezes what the case freezes; returns the rest.
  std::vector<NamedTensor> Freeze() {
    const Json& listed = golden_.at("trainable");
    const std::string flags = golden_.at("extra_flags");
    const bool embedding_frozen = absl::StrContains(flags, "freeze-encoder-embedding");
    std::vector<NamedTensor> kept;
    for (NamedTensor& parameter : model_.State()) {
      if (parameter.is_buffer) continue;
      const bool trains =
          listed.is_null() || std::count(listed.begin(), listed.end(), parameter.name) > 0;
      if (trains && !(embedding_frozen && parameter.name == kEmbedding)) {
        kept.push_back(parameter);
      } else {
        parameter.tensor.set_requires_grad(false);
      }
    }
    return kept;
  }

  absl::Status Update(const Json& step) {
    const int64_t finished = optimizer_->updates();
    const std::string at = absl::StrCat("update ", finished + 1, ", ");
    optimizer_->ZeroGradients();
    LossRequest request;
    request.config = ReadLoss(golden_.at("criterion").at("name"), golden_.at("criterion"));
    request.update = finished;
    request.input_name =
        absl::StrCat("train_", golden_.at("name").get<std::string>(), ".", finished);
    request.input_seed = golden_.at("input_seed");
    UNIVAL_ASSIGN_OR_RETURN(const LossResult result, LossOn(model_, step.at("sample"), request));
    check_.Number("training", at + "loss", result.loss.item<double>(), step.at("loss"),
                  tolerances_.loss);
    check_.Number("training", at + "nll_loss", result.nll, step.at("nll_loss"), tolerances_.loss);
    check_.Number("training", at + "sample_size", static_cast<double>(result.sample_size),
                  step.at("sample_size"), kExact);
    result.loss.backward();
    const double scale = 1.0 / static_cast<double>(result.sample_size);
    if (finished == 0 && golden_.contains("step1_grad_norms")) {
      CheckGradientNorms("training", GradientNorms(model_), scale, golden_.at("step1_grad_norms"),
                         check_);
    }
    const double norm =
        optimizer_->ScaleAndClipGradients(scale, golden_.at("optimizer").at("clip_norm"));
    check_.Number("training", at + "gradient norm", norm, step.at("grad_norm_before_clip"),
                  tolerances_.gradient_norm);
    UNIVAL_ASSIGN_OR_RETURN(const Schedule schedule,
                            Schedule::Create("polynomial", SchedulePlan()));
    const double rate = schedule.Rate(finished);
    check_.Number("training", at + "learning rate", rate, step.at("lr_used"), {0, 1e-12});
    return optimizer_->Step(rate);
  }

  ScheduleConfig SchedulePlan() const {
    ScheduleConfig config;
    config.peak = golden_.at("optimizer").at("lr");
    config.option["end_rate"] = golden_.at("schedule").value("end_lr", 0.0);
    config.option["power"] = golden_.at("schedule").value("power", 1.0);
    config.total_updates = golden_.at("schedule").at("total_updates");
    config.warmup_ratio = golden_.at("schedule").at("warmup_ratio");
    return config;
  }

  // Tensors with a gradient of mathematically zero move by their rounding noise alone.
  void CheckParameters() {
    const auto unstable = golden_.at("zero_gradient_parameters").get<std::vector<std::string>>();
    const Json& after = golden_.at("params_after");
    size_t compared = 0;
    for (size_t i = 0; i < before_.size(); ++i) {
      const std::string& name = optimizer_->parameters()[i].name;
      if (!after.contains(name)) continue;
      ++compared;
      if (std::count(unstable.begin(), unstable.end(), name) > 0) continue;
      CheckParameter(name, optimizer_->parameters()[i].tensor.detach(), before_[i], after.at(name));
    }
    check_.EqualJson("training", "parameters that the case lists", compared, after.size());
  }

  // Norms, and single values within the error that the change as a whole may have.
  void CheckParameter(const std::string& name, const at::Tensor& now, const at::Tensor& before,
                      const Json& expected) {
    const double change = expected.at("delta_norm");
    const double error = change * std::max(tolerances_.change.relative,
                                           2 * expected.value("rel_update_noise_vs_float64", 0.0)) +
                         1e-6;
    check_.Number("training", name + ", norm", Norm(now), expected.at("norm"), tolerances_.norm);
    check_.Number("training", name + ", change", Norm(now - before), change, tolerances_.change);
    const at::Tensor flat = now.to(at::kDouble).reshape({-1});
    check_.Number("training", name + ", sum", flat.sum().item<double>(), expected.at("sum"),
                  {error * std::sqrt(static_cast<double>(flat.numel())), 1e-6});
    for (size_t i = 0; i < expected.at("idx").size(); ++i) {
      const int64_t index = expected.at("idx").at(i);
      check_.Number("training", absl::StrCat(name, ", value ", index), flat[index].item<double>(),
                    expected.at("values").at(i), {error, 0});
    }
  }

  void CheckStatistics() {
    const Json& statistics = OrNull(golden_, "batchnorm_after");
    size_t compared = 0;
    for (const NamedTensor& entry : model_.State()) {
      if (!statistics.contains(entry.name)) continue;
      ++compared;
      const Json& expected = statistics.at(entry.name);
      check_.Number("training", entry.name + ", norm", Norm(entry.tensor), expected.at("norm"),
                    kStatistics);
      const auto first = expected.at("first").get<std::vector<float>>();
      check_.Tensor("training", entry.name + ", first values",
                    entry.tensor.reshape({-1}).slice(0, 0, static_cast<int64_t>(first.size())),
                    at::tensor(first), {1e-5, kStatistics.relative});
    }
    check_.EqualJson("training", "statistics that the case lists", compared, statistics.size());
  }

  ReferenceModel& model_;
  const Json& golden_;
  Checker& check_;
  TrainingTolerances tolerances_ = kPlain;
  std::unique_ptr<AdamW> optimizer_;
  std::vector<at::Tensor> before_;
};

class MovingAverageCase {
 public:
  MovingAverageCase(ReferenceModel& model, const Json& golden, Checker& check)
      : golden_(golden), check_(check), counter_(at::zeros({}, at::kLong)) {
    const Json& listed = golden.at("steps").at(0).at("tensors");
    for (const NamedTensor& entry : model.State()) {
      if (!listed.contains(entry.name)) continue;
      auto& tensors = entry.name == kEmbedding ? tied_ : tensors_;
      tensors.push_back({entry.name, at::zeros(entry.tensor.sizes()), false});
    }
    tensors_.push_back({"num_batches_tracked", counter_, true});
  }

  absl::Status Run() {
    Fill(golden_.at("initial_weights_seed"));
    const double decay = golden_.at("decay");
    const int64_t start = golden_.at("start_update");
    UNIVAL_ASSIGN_OR_RETURN(const auto average, MovingAverage::Create({decay, start}, tensors_));
    // The reference averages the embedding once under each of its three names: three times an
    // update.
    UNIVAL_ASSIGN_OR_RETURN(const auto thrice,
                            MovingAverage::Create({decay * decay * decay, start}, tied_));
    for (const Json& step : golden_.at("steps")) {
      const int64_t update = step.at("update");
      Fill(step.at("weights_seed"));
      counter_.fill_(update);
      average->Update(update);
      thrice->Update(update);
      TensorState state = average->State();
      for (const auto& [name, tensor] : thrice->State()) state[name] = tensor;
      Compare(state, step, absl::StrCat("update ", update, ", "));
    }
    return absl::OkStatus();
  }

 private:
  void Fill(uint64_t seed) {
    for (const auto* tensors : {&tensors_, &tied_}) {
      for (const NamedTensor& entry : *tensors) {
        if (!entry.is_buffer) FillTensorByFormula(entry.name, seed, entry.tensor);
      }
    }
  }

  void Compare(const TensorState& state, const Json& step, const std::string& at) {
    check_.EqualJson("moving_average", at + "num_batches_tracked",
                     TensorOf(state, "num_batches_tracked").item<int64_t>(),
                     step.at("num_batches_tracked"));
    for (const auto& [name, expected] : step.at("tensors").items()) {
      const auto found = state.find(name);
      if (found == state.end()) {
        check_.Equal("moving_average", at + name, false, "the model has no such tensor");
        continue;
      }
      check_.Number("moving_average", at + name + ", norm", Norm(found->second),
                    expected.at("norm"), {0, 1e-6});
      const auto first = expected.at("first").get<std::vector<float>>();
      check_.Tensor("moving_average", at + name + ", first values",
                    found->second.reshape({-1}).slice(0, 0, static_cast<int64_t>(first.size())),
                    at::tensor(first), {2e-7, 0});
    }
  }

  const Json& golden_;
  Checker& check_;
  at::Tensor counter_;
  std::vector<NamedTensor> tensors_, tied_;
};

}  // namespace

absl::Status ReplayTraining(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  for (const Json& golden : file->at("cases")) {
    context.Case(entry, golden.at("name"), [&](Checker& check) -> absl::Status {
      UNIVAL_ASSIGN_OR_RETURN(const auto model, context.models.Make({entry.config, Json::object(),
                                                                     golden.at("weights_seed")}));
      return TrainingCase(*model, golden, check).Run();
    });
  }
  return absl::OkStatus();
}

absl::Status ReplayMovingAverage(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  for (const Json& golden : file->at("cases")) {
    context.Case(entry, golden.at("name"), [&](Checker& check) -> absl::Status {
      UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model, context.models.Get({entry.config}));
      return MovingAverageCase(*model, golden, check).Run();
    });
  }
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
