// Losses, gradients and optimizer updates of the golden model against the original
// implementation.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "backbone/model/golden_model.h"
#include "backbone/model/model.h"
#include "sdk/testing/golden.h"
#include "tests/integration/golden_image_input.h"
#include "training/loss/loss.h"
#include "training/optimizer/adamw.h"
#include "training/optimizer/schedule.h"

namespace unival {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kInputSeed = 61;

Json LoadJson(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  return Json::parse(file);
}

at::Tensor ToTensor(const Json& rows) {
  std::vector<int64_t> flat;
  for (const Json& row : rows) {
    for (const Json& token : row) flat.push_back(token);
  }
  const int64_t count = rows.size();
  return at::tensor(flat, at::kLong).view({count, -1});
}

LossConfig LossOf(const Json& golden) {
  const Json& params = golden.at("params");
  const auto get = [&](const char* name, double otherwise) {
    return params.contains(name) ? params.at(name).get<double>() : otherwise;
  };
  const auto is_set = [&](const char* name) { return params.contains(name) && params.at(name); };
  LossConfig config;
  config.label_smoothing = get("label_smoothing", 0);
  config.encouraging = golden.at("criterion") == "adjust_label_smoothed_encouraging_loss";
  config.log_end = get("log_end", 1);
  config.drop_worst_ratio = get("drop_worst_ratio", 0);
  config.drop_worst_after = static_cast<int64_t>(get("drop_worst_after", 0));
  config.ignore_prefix = static_cast<int64_t>(get("ignore_prefix_size", 0));
  config.sentence_average = is_set("sentence_avg");
  config.ignore_eos = is_set("ignore_eos");
  config.rdrop_alpha = is_set("use_rdrop") ? get("reg_alpha", 1) : 0;
  if (params.contains("constraint_range")) {
    const std::string range = params.at("constraint_range");
    config.allowed_range =
        TokenRange{std::stol(range), std::stol(range.substr(range.find(',') + 1))};
  }
  return config;
}

// Model and image network with everything that the reference's state_dict names.
struct Golden {
  std::shared_ptr<UnivalModel> model = GoldenModel(GoldenConfig());
  GoldenImages images{1};

  // Reference names; what is shared or computed there appears once or not at all.
  std::vector<NamedTensor> Parameters() {
    std::vector<NamedTensor> parameters;
    for (const auto& item : model->named_parameters()) {
      parameters.push_back({ReferenceNameOf(item.key()), item.value()});
    }
    for (const auto& item : images.network().named_parameters()) {
      parameters.push_back({GoldenImages::kPrefix + item.key(), item.value()});
    }
    return parameters;
  }
};

// `image_name`: of the generated input; unused for samples without an image.
LossResult LossOn(Golden& golden, const Json& sample, const LossConfig& config, int64_t update,
                  const LossMasks& masks, const std::string& image_name, const Json& image_shape) {
  ModelInput input{{}, ToTensor(sample.at("src_tokens"))};
  at::Tensor previous = ToTensor(sample.at("prev_output_tokens"));
  at::Tensor target = ToTensor(sample.at("target"));
  if (!image_shape.is_null()) {
    const at::Tensor pixels =
        GoldenInput("input." + image_name + ".patch_images", kInputSeed, image_shape, 1);
    input.segments.push_back(golden.images.Segment(pixels, {0, 1}));
  }
  if (config.rdrop_alpha > 0) {
    input.source_tokens = at::cat({input.source_tokens, input.source_tokens});
    previous = at::cat({previous, previous});
    target = at::cat({target, target});
  }
  const at::Tensor logits = golden.model->Decode(golden.model->Encode(input), previous);
  auto result = ComputeLoss(logits, target, config, update, masks);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : LossResult();
}

Json ImageShapeOf(const Json& sample) { return sample.value("patch_images_shape", Json()); }

double Norm(const at::Tensor& tensor) { return tensor.to(at::kDouble).norm().item<double>(); }

LossResult LossOfCase(Golden& model, const Json& golden) {
  const Json& sample = golden.at("sample");
  const std::string name = golden.at("name");
  const int64_t update = golden.at("update_num");
  if (sample.is_array()) {
    const LossConfig config = LossOf(golden);
    return CombineViews(
        LossOn(model, sample[0], config, update, {}, name + ".v1", ImageShapeOf(sample[0])),
        LossOn(model, sample[1], config, update, {}, name + ".v2", ImageShapeOf(sample[1])));
  }
  LossMasks masks;
  if (!golden.at("answers").is_null()) {
    masks.allowed =
        AllowedByAnswers(ToTensor(sample.at("target")), golden.at("answers"), kTinyVocabulary);
  }
  if (sample.contains("conf")) {
    masks.confidence = at::tensor(sample.at("conf").get<std::vector<float>>());
  }
  return LossOn(model, sample, LossOf(golden), update, masks, name, ImageShapeOf(sample));
}

void ReplayLoss(Golden& model, const Json& golden) {
  SCOPED_TRACE(golden.at("name").get<std::string>());
  for (NamedTensor& parameter : model.Parameters()) parameter.tensor.mutable_grad().reset();
  const LossResult result = LossOfCase(model, golden);
  const double loss = golden.at("loss"), nll = golden.at("nll_loss");
  EXPECT_NEAR(result.loss.item<double>(), loss, std::abs(loss) * 1e-5);
  EXPECT_NEAR(result.nll, nll, std::abs(nll) * 1e-5);
  EXPECT_EQ(result.sample_size, golden.at("sample_size").get<double>());
  result.loss.backward();
  double squares = 0;
  for (const NamedTensor& parameter : model.Parameters()) {
    const at::Tensor& gradient = parameter.tensor.grad();
    if (!gradient.defined()) continue;
    squares += std::pow(Norm(gradient), 2);
    if (!golden.at("grad_norms").contains(parameter.name)) continue;
    const double expected = golden.at("grad_norms").at(parameter.name);
    EXPECT_NEAR(Norm(gradient), expected, expected * 1e-3) << parameter.name;
  }
  const double total = golden.at("total_grad_norm_of_unnormalised_loss");
  EXPECT_NEAR(std::sqrt(squares), total, total * 1e-3);
}

TEST(GoldenLosses, EveryCaseGivesTheSameLossAndGradients) {
  const Json golden = LoadJson("tests/golden/tiny/losses.json");
  EXPECT_EQ(golden.at("cases").size(), 16u);
  Golden model;
  for (const Json& golden_case : golden.at("cases")) ReplayLoss(model, golden_case);
}

// Relative tolerances: in training mode batch statistics amplify rounding.
struct Tolerances {
  double loss, gradient_norm, norm, change;
};
constexpr Tolerances kText = {1e-5, 1e-4, 1e-5, 1e-3};
constexpr Tolerances kImage = {1e-3, 5e-3, 1e-4, 0.1};

ScheduleConfig ScheduleOf(const Json& golden) {
  ScheduleConfig config;
  config.kind = ScheduleConfig::Kind::kPolynomial;
  config.peak = golden.at("optimizer").at("lr");
  config.total_updates = golden.at("schedule").at("total_updates");
  config.warmup_ratio = golden.at("schedule").at("warmup_ratio");
  return config;
}

// Freezes what the case freezes; returns the rest.
std::vector<NamedTensor> Trainable(Golden& model, const Json& golden) {
  const std::string flags = golden.at("extra_flags");
  std::vector<NamedTensor> kept;
  for (NamedTensor& parameter : model.Parameters()) {
    const Json& listed = golden.at("trainable");
    const bool is_listed =
        listed.is_null() || std::count(listed.begin(), listed.end(), parameter.name) > 0;
    const bool is_embedding = parameter.name == "encoder.embed_tokens.weight";
    if (is_listed &&
        !(is_embedding && flags.find("freeze-encoder-embedding") != std::string::npos)) {
      kept.push_back(parameter);
    } else {
      parameter.tensor.set_requires_grad(false);
    }
  }
  return kept;
}

void ExpectGoldenParameters(const Json& golden, const std::vector<NamedTensor>& parameters,
                            const std::vector<at::Tensor>& before, const Tolerances& tolerances) {
  const auto unstable = golden.at("zero_gradient_parameters").get<std::vector<std::string>>();
  size_t compared = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::string& name = parameters[i].name;
    if (!golden.at("params_after").contains(name)) continue;
    ++compared;
    if (std::count(unstable.begin(), unstable.end(), name) > 0) continue;
    const Json& expected = golden.at("params_after").at(name);
    const at::Tensor now = parameters[i].tensor.detach();
    const double norm = expected.at("norm"), change = expected.at("delta_norm");
    EXPECT_NEAR(Norm(now), norm, norm * tolerances.norm) << name;
    EXPECT_NEAR(Norm(now - before[i]), change, change * tolerances.change + 1e-12) << name;
  }
  EXPECT_EQ(compared, golden.at("params_after").size());
}

void ExpectGoldenStatistics(const Json& golden, Golden& model) {
  size_t compared = 0;
  for (const auto& item : model.images.network().named_buffers()) {
    const std::string name = GoldenImages::kPrefix + item.key();
    if (!golden.at("batchnorm_after").contains(name)) continue;
    const Json& expected = golden.at("batchnorm_after").at(name);
    if (!expected.is_object()) continue;  // counters
    const double norm = expected.at("norm");
    EXPECT_NEAR(Norm(item.value()), norm, norm * 1e-3) << name;
    ++compared;
  }
  EXPECT_GT(compared, 20u);
}

void ReplayTraining(const Json& golden) {
  const std::string name = golden.at("name");
  SCOPED_TRACE(name);
  const Tolerances tolerances = name == "text" ? kText : kImage;
  Golden model;
  model.model->train();
  model.images.network().train();
  AdamWConfig config;
  config.weight_decay = golden.at("optimizer").at("weight_decay");
  auto optimizer = AdamW::Create(config, Trainable(model, golden));
  ASSERT_TRUE(optimizer.ok()) << optimizer.status();
  std::vector<at::Tensor> before;
  for (const NamedTensor& p : (*optimizer)->parameters()) {
    before.push_back(p.tensor.detach().clone());
  }
  LossConfig loss;
  loss.label_smoothing = golden.at("criterion").at("label_smoothing");
  for (const Json& step : golden.at("steps")) {
    const int64_t finished = (*optimizer)->updates();
    const std::string image = "train_" + name + "." + std::to_string(finished);
    (*optimizer)->ZeroGradients();
    const LossResult result = LossOn(model, step.at("sample"), loss, finished, {}, image,
                                     ImageShapeOf(step.at("sample")));
    const double expected = step.at("loss");
    EXPECT_NEAR(result.loss.item<double>(), expected, expected * tolerances.loss);
    result.loss.backward();
    const double norm = (*optimizer)
                            ->ScaleAndClipGradients(1.0 / static_cast<double>(result.sample_size),
                                                    golden.at("optimizer").at("clip_norm"));
    const double expected_norm = step.at("grad_norm_before_clip");
    EXPECT_NEAR(norm, expected_norm, expected_norm * tolerances.gradient_norm);
    const double rate = LearningRate(ScheduleOf(golden), finished);
    EXPECT_DOUBLE_EQ(rate, step.at("lr_used").get<double>());
    ASSERT_TRUE((*optimizer)->Step(rate).ok());
  }
  ExpectGoldenParameters(golden, (*optimizer)->parameters(), before, tolerances);
  ExpectGoldenStatistics(golden, model);
}

TEST(GoldenTraining, FourUpdatesGiveTheSameParametersUnderEveryFreezing) {
  const Json golden = LoadJson("tests/golden/tiny/training.json");
  EXPECT_EQ(golden.at("cases").size(), 4u);
  for (const Json& golden_case : golden.at("cases")) ReplayTraining(golden_case);
}

}  // namespace
}  // namespace unival
