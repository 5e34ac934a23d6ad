// Files "loss", "loss_function", "training" and "ema": what a training step computes and changes.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "app/parity/replay.h"
#include "backbone/checkpoint/safetensors.h"
#include "sdk/native/status_macros.h"
#include "sdk/testing/golden.h"
#include "training/loss/loss.h"
#include "training/optimizer/adamw.h"
#include "training/optimizer/moving_average.h"
#include "training/optimizer/schedule.h"

namespace unival {
namespace parity {
namespace {

constexpr char kEmbedding[] = "encoder.embed_tokens.weight";
constexpr Tolerance kLoss = {0, 1e-5};
constexpr Tolerance kExact = {0, 0};

// Under training in train mode, batch statistics amplify rounding.
struct TrainingTolerances {
  Tolerance loss, gradient_norm, norm, change;
};
constexpr TrainingTolerances kPlain = {{0, 1e-5}, {0, 1e-3}, {0, 1e-5}, {1e-12, 1e-3}};
constexpr TrainingTolerances kBatchStatistics = {{0, 1e-3}, {0, 5e-3}, {0, 1e-4}, {1e-12, 0.1}};
constexpr Tolerance kStatistics = {0, 1e-3};

double Norm(const at::Tensor& tensor) { return tensor.to(at::kDouble).norm().item<double>(); }

TokenRange RangeOf(const std::string& text) {
  return {std::stol(text), std::stol(text.substr(text.find(',') + 1))};
}

LossConfig ReadLoss(const std::string& criterion, const Json& params) {
  LossConfig config;
  config.encouraging = absl::StrContains(criterion, "encouraging");
  config.label_smoothing = params.value("label_smoothing", 0.0);
  config.log_end = params.value("log_end", 1.0);
  config.drop_worst_ratio = params.value("drop_worst_ratio", 0.0);
  config.drop_worst_after = params.value("drop_worst_after", int64_t{0});
  config.ignore_prefix = params.value("ignore_prefix_size", int64_t{0});
  config.sentence_average = params.value("sentence_avg", false);
  config.ignore_eos = params.value("ignore_eos", false);
  config.rdrop_alpha = params.value("use_rdrop", false) ? params.value("reg_alpha", 1.0) : 0;
  if (params.contains("constraint_range")) {
    config.allowed_range = RangeOf(params.at("constraint_range"));
  }
  return config;
}

struct LossRequest {
  LossConfig config;
  LossMasks masks;
  int64_t update = 0;
  std::string input_name;  // of generated media: "input.<this>.patch_images"
  uint64_t input_seed = 0;
};

absl::StatusOr<LossResult> LossOn(ReferenceModel& model, const Json& sample,
                                  const LossRequest& request) {
  ModelInput input{{}, TokenTensor(sample.at("src_tokens"))};
  at::Tensor previous = TokenTensor(sample.at("prev_output_tokens"));
  at::Tensor target = TokenTensor(sample.at("target"));
  for (const MediaField& kind : kMediaFields) {
    const Json shape = sample.value(absl::StrCat(kind.field, "_shape"), Json());
    if (shape.is_null()) continue;
    const at::Tensor media =
        GoldenInput(absl::StrCat("input.", request.input_name, ".", kind.field),
                    request.input_seed, shape.get<std::vector<int64_t>>(), kind.amplitude);
    ModalitySegment segment{kind.modality, {}, model.Features(kind.modality, media)};
    for (int64_t row = 0; row < media.size(0); ++row) segment.rows.push_back(row);
    input.segments.push_back(std::move(segment));
  }
  if (request.config.rdrop_alpha > 0) {
    input.source_tokens = at::cat({input.source_tokens, input.source_tokens});
    previous = at::cat({previous, previous});
    target = at::cat({target, target});
  }
  UnivalModel& backbone = model.backbone();
  return ComputeLoss(backbone.Decode(backbone.Encode(input), previous), target, request.config,
                     request.update, request.masks);
}

absl::StatusOr<LossResult> LossOfCase(ReferenceModel& model, const Json& golden,
                                      uint64_t input_seed) {
  LossRequest request;
  request.config = ReadLoss(golden.at("criterion"), golden.at("params"));
  request.update = golden.at("update_num");
  request.input_name = golden.at("name");
  request.input_seed = input_seed;
  const Json& sample = golden.at("sample");
  if (sample.is_array()) {  // two views of the same rows
    const std::string name = request.input_name;
    request.input_name = name + ".v1";
    UNIVAL_ASSIGN_OR_RETURN(const LossResult first, LossOn(model, sample.at(0), request));
    request.input_name = name + ".v2";
    UNIVAL_ASSIGN_OR_RETURN(const LossResult second, LossOn(model, sample.at(1), request));
    return CombineViews(first, second);
  }
  const Json answers = golden.value("answers", Json());
  if (!answers.is_null()) {
    request.masks.allowed =
        AllowedByAnswers(TokenTensor(sample.at("target")),
                         answers.get<std::vector<std::vector<int64_t>>>(),
                         model.backbone().vocabulary_size());
  }
  if (sample.contains("conf")) {
    request.masks.confidence = at::tensor(sample.at("conf").get<std::vector<float>>());
  }
  return LossOn(model, sample, request);
}

void CheckGradients(ReferenceModel& model, const Json& golden, Checker& check) {
  double squares = 0;
  for (const NamedTensor& parameter : model.State()) {
    const at::Tensor gradient = parameter.is_buffer ? at::Tensor() : parameter.tensor.grad();
    if (!gradient.defined()) continue;
    squares += std::pow(Norm(gradient), 2);
    const Json& norms = golden.at("grad_norms");
    if (!norms.contains(parameter.name)) continue;
    check.Number("loss", absl::StrCat("gradient of ", parameter.name), Norm(gradient),
                 norms.at(parameter.name), {0, 1e-3});
  }
  check.Number("loss", "norm of all gradients", std::sqrt(squares),
               golden.at("total_grad_norm_of_unnormalised_loss"), {0, 1e-3});
}

absl::Status CheckLossCase(ReferenceModel& model, const Json& golden, uint64_t input_seed,
                           Checker& check) {
  for (const NamedTensor& entry : model.State()) {
    if (!entry.is_buffer) entry.tensor.mutable_grad().reset();
  }
  UNIVAL_ASSIGN_OR_RETURN(const LossResult result, LossOfCase(model, golden, input_seed));
  check.Number("loss", "loss", result.loss.item<double>(), golden.at("loss"), kLoss);
  check.Number("loss", "nll_loss", result.nll, golden.at("nll_loss"), kLoss);
  check.Number("loss", "sample_size", static_cast<double>(result.sample_size),
               golden.at("sample_size"), kExact);
  result.loss.backward();
  CheckGradients(model, golden, check);
  return absl::OkStatus();
}

// The loss function alone on stored logits.
absl::Status CheckLossFunction(const TensorMap& golden, const Json& params, int64_t update,
                               Checker& check) {
  const std::string name = params.at("name");
  const auto tensor = [&](const std::string& field) { return golden.at(name + "/" + field); };
  LossConfig config;
  config.label_smoothing = params.value("epsilon", 0.0);
  config.drop_worst_ratio = params.value("drop_worst_ratio", 0.0);
  config.drop_worst_after = params.value("drop_worst_after", int64_t{0});
  config.rdrop_alpha = params.value("use_rdrop", false) ? params.value("reg_alpha", 1.0) : 0;
  config.pad = config.eos = -1;  // the stored targets are drawn from the whole vocabulary
  if (params.contains("constraint_start")) {
    config.allowed_range = TokenRange{params.at("constraint_start"), params.at("constraint_end")};
  }
  // The halves that the divergence compares are the first and the second half of the tokens.
  const int64_t rows = config.rdrop_alpha > 0 ? 2 : 1;
  const at::Tensor logits = golden.at("logits").clone().requires_grad_();
  const int64_t vocabulary = logits.size(-1);
  LossMasks masks;
  if (absl::StrContains(name, "cmask")) {
    masks.allowed = golden.at("constraint_masks").view({rows, -1, vocabulary});
  }
  UNIVAL_ASSIGN_OR_RETURN(const LossResult result,
                          ComputeLoss(logits.view({rows, -1, vocabulary}),
                                      golden.at("target").view({rows, -1}), config, update, masks));
  check.Number("loss", "loss", result.loss.item<double>(), tensor("loss").item<double>(), kLoss);
  check.Number("loss", "nll_loss", result.nll, tensor("nll_loss").item<double>(), kLoss);
  check.Number("loss", "ntokens", static_cast<double>(result.sample_size), params.at("ntokens"),
               kExact);
  result.loss.backward();
  check.Tensor("loss", "grad_logits", logits.grad(), tensor("grad_logits"), {1e-6, 0});
  return absl::OkStatus();
}

class TrainingCase {
 public:
  TrainingCase(ReferenceModel& model, const Json& golden, Checker& check)
      : model_(model), golden_(golden), check_(check) {}

  absl::Status Run() {
    model_.Train(true);
    const Json& optimizer = golden_.at("optimizer");
    AdamWConfig config;
    optimizer.at("betas").at(0).get_to(config.beta1);
    optimizer.at("betas").at(1).get_to(config.beta2);
    config.epsilon = optimizer.at("eps");
    config.weight_decay = optimizer.at("weight_decay");
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
    result.loss.backward();
    const double norm = optimizer_->ScaleAndClipGradients(
        1.0 / static_cast<double>(result.sample_size), golden_.at("optimizer").at("clip_norm"));
    check_.Number("training", at + "gradient norm", norm, step.at("grad_norm_before_clip"),
                  tolerances_.gradient_norm);
    const double rate = LearningRate(Schedule(), finished);
    check_.Number("training", at + "learning rate", rate, step.at("lr_used"), {0, 1e-12});
    return optimizer_->Step(rate);
  }

  ScheduleConfig Schedule() const {
    ScheduleConfig config;
    config.kind = ScheduleConfig::Kind::kPolynomial;
    config.peak = golden_.at("optimizer").at("lr");
    config.end_rate = golden_.at("schedule").value("end_lr", 0.0);
    config.power = golden_.at("schedule").value("power", 1.0);
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
      const Json& expected = after.at(name);
      const at::Tensor now = optimizer_->parameters()[i].tensor.detach();
      check_.Number("training", absl::StrCat(name, ", norm"), Norm(now), expected.at("norm"),
                    tolerances_.norm);
      check_.Number("training", absl::StrCat(name, ", change"), Norm(now - before_[i]),
                    expected.at("delta_norm"), tolerances_.change);
    }
    check_.EqualJson("training", "parameters that the case lists", compared, after.size());
  }

  void CheckStatistics() {
    const Json statistics = golden_.value("batchnorm_after", Json::object());
    size_t compared = 0;
    for (const NamedTensor& entry : model_.State()) {
      if (!statistics.contains(entry.name)) continue;
      ++compared;
      check_.Number("training", absl::StrCat(entry.name, ", norm"), Norm(entry.tensor),
                    statistics.at(entry.name).at("norm"), kStatistics);
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
                     state.at("num_batches_tracked").item<int64_t>(),
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

absl::Status ReplayLosses(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  for (const Json& golden : file->at("cases")) {
    context.Case(entry, golden.at("name"), [&](Checker& check) -> absl::Status {
      UNIVAL_ASSIGN_OR_RETURN(
          ReferenceModel * model,
          context.models.Get({entry.config, Json::object(), file->at("weights_seed")}));
      return CheckLossCase(*model, golden, file->at("input_seed"), check);
    });
  }
  return absl::OkStatus();
}

absl::Status ReplayLossFunctions(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const SafetensorsContents golden,
                          ReadSafetensorsFile(context.fixture.Path(entry.file)));
  const Json cases = Json::parse(golden.metadata.at("cases"));
  const int64_t update = std::stol(golden.metadata.at("update_num"));
  for (const Json& params : cases) {
    context.Case(entry, params.at("name"), [&](Checker& check) {
      return CheckLossFunction(golden.tensors, params, update, check);
    });
  }
  return absl::OkStatus();
}

absl::Status ReplayTraining(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  for (const Json& golden : file->at("cases")) {
    context.Case(entry, golden.at("name"), [&](Checker& check) -> absl::Status {
      UNIVAL_ASSIGN_OR_RETURN(
          const auto model,
          context.models.Make({entry.config, Json::object(), golden.at("weights_seed")}));
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
