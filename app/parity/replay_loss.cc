// Files "loss" and "loss_function": losses and their gradients.
#include <ATen/ATen.h>

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "app/parity/loss_case.h"
#include "app/parity/replay.h"
#include "sdk/native/status_macros.h"
#include "sdk/testing/golden.h"

namespace unival {
namespace parity {
namespace {

constexpr Tolerance kLoss = {0, 1e-5};
constexpr Tolerance kExact = {0, 0};

// Gradients are mathematically zero, and rounding noise alone, below this share of the whole norm.
constexpr double kGradientNoise = 1e-5;

TokenRange RangeOf(const std::string& text) {
  return {std::stol(text), std::stol(text.substr(text.find(',') + 1))};
}

}  // namespace

double Norm(const at::Tensor& tensor) { return tensor.to(at::kDouble).norm().item<double>(); }

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

std::map<std::string, double> GradientNorms(ReferenceModel& model) {
  std::map<std::string, double> norms;
  for (const NamedTensor& parameter : model.State()) {
    if (parameter.is_buffer) continue;
    const at::Tensor gradient = parameter.tensor.grad();
    norms[parameter.name] = gradient.defined() ? Norm(gradient) : 0;
  }
  return norms;
}

double JointNorm(const std::map<std::string, double>& norms) {
  double squares = 0;
  for (const auto& norm : norms) squares += norm.second * norm.second;
  return std::sqrt(squares);
}

void CheckGradientNorms(const std::string& stage, const std::map<std::string, double>& norms,
                        double scale, const Json& recorded, Checker& check) {
  const double noise = kGradientNoise * JointNorm(norms) * scale;
  for (const auto& [name, expected] : recorded.items()) {
    const auto found = norms.find(name);
    if (found == norms.end()) {
      check.Equal(stage, "gradient of " + name, false, "the model has no such parameter");
      continue;
    }
    check.Number(stage, "gradient of " + name, found->second * scale, expected, {noise, 1e-3});
  }
}

namespace {

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
  const std::map<std::string, double> norms = GradientNorms(model);
  CheckGradientNorms("loss", norms, 1, golden.at("grad_norms"), check);
  check.Number("loss", "norm of all gradients", JointNorm(norms),
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

}  // namespace parity
}  // namespace unival
