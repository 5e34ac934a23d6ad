// Losses, gradients and optimizer updates of the golden text model against the original
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
#include "training/loss/loss.h"
#include "training/optimizer/adamw.h"
#include "training/optimizer/schedule.h"

namespace unival {
namespace {

using Json = nlohmann::json;

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

LossResult LossOn(UnivalModel& model, const Json& sample, const LossConfig& config,
                  int64_t update = 0, const LossMasks& masks = {}) {
  at::Tensor source = ToTensor(sample.at("src_tokens"));
  at::Tensor previous = ToTensor(sample.at("prev_output_tokens"));
  at::Tensor target = ToTensor(sample.at("target"));
  if (config.rdrop_alpha > 0) {
    source = at::cat({source, source});
    previous = at::cat({previous, previous});
    target = at::cat({target, target});
  }
  const at::Tensor logits = model.Decode(model.Encode({{}, source}), previous);
  auto result = ComputeLoss(logits, target, config, update, masks);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : LossResult();
}

double Norm(const at::Tensor& tensor) { return tensor.to(at::kDouble).norm().item<double>(); }

void ReplayLoss(const Json& golden) {
  SCOPED_TRACE(golden.at("name").get<std::string>());
  const auto model = GoldenModel(GoldenConfig());
  const Json& sample = golden.at("sample");
  LossMasks masks;
  if (!golden.at("answers").is_null()) {
    masks.allowed =
        AllowedByAnswers(ToTensor(sample.at("target")), golden.at("answers"), kTinyVocabulary);
  }
  if (sample.contains("conf")) {
    masks.confidence = at::tensor(sample.at("conf").get<std::vector<float>>());
  }
  const LossResult result = LossOn(*model, sample, LossOf(golden), golden.at("update_num"), masks);
  const double loss = golden.at("loss"), nll = golden.at("nll_loss");
  EXPECT_NEAR(result.loss.item<double>(), loss, std::abs(loss) * 1e-5);
  EXPECT_NEAR(result.nll, nll, std::abs(nll) * 1e-5);
  EXPECT_EQ(result.sample_size, golden.at("sample_size").get<double>());
  result.loss.backward();
  double squares = 0;
  for (const auto& item : model->named_parameters()) {
    const at::Tensor& gradient = item.value().grad();
    if (!gradient.defined()) continue;
    squares += std::pow(Norm(gradient), 2);
    const std::string name = ReferenceNameOf(item.key());
    if (!golden.at("grad_norms").contains(name)) continue;
    const double expected = golden.at("grad_norms").at(name);
    EXPECT_NEAR(Norm(gradient), expected, expected * 1e-3) << name;
  }
  const double total = golden.at("total_grad_norm_of_unnormalised_loss");
  EXPECT_NEAR(std::sqrt(squares), total, total * 1e-3);
}

TEST(GoldenLosses, EveryTextCaseGivesTheSameLossAndGradients) {
  int replayed = 0;
  const Json golden = LoadJson("tests/golden/tiny/losses.json");
  for (const Json& golden_case : golden.at("cases")) {
    const Json& sample = golden_case.at("sample");
    const bool has_image = std::any_of(sample.items().begin(), sample.items().end(), [](auto item) {
      return item.key().find("patch_images") != std::string::npos;
    });
    if (has_image || golden_case.at("name") == "ce_two_views") continue;
    ReplayLoss(golden_case);
    ++replayed;
  }
  EXPECT_EQ(replayed, 13);
}

const Json& CaseNamed(const Json& golden, const std::string& name) {
  return *std::find_if(golden.at("cases").begin(), golden.at("cases").end(),
                       [&](const Json& item) { return item.at("name") == name; });
}

ScheduleConfig ScheduleOf(const Json& golden) {
  ScheduleConfig config;
  config.kind = ScheduleConfig::Kind::kPolynomial;
  config.peak = golden.at("optimizer").at("lr");
  config.total_updates = golden.at("schedule").at("total_updates");
  config.warmup_ratio = golden.at("schedule").at("warmup_ratio");
  return config;
}

std::vector<NamedTensor> Parameters(UnivalModel& model) {
  std::vector<NamedTensor> parameters;
  for (const auto& item : model.named_parameters()) {
    parameters.push_back({item.key(), item.value()});
  }
  return parameters;
}

void ExpectGoldenParameters(const Json& golden, const std::vector<NamedTensor>& parameters,
                            const std::vector<at::Tensor>& before) {
  const auto unstable = golden.at("zero_gradient_parameters").get<std::vector<std::string>>();
  size_t compared = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::string name = ReferenceNameOf(parameters[i].name);
    if (std::count(unstable.begin(), unstable.end(), name) > 0) continue;
    if (!golden.at("params_after").contains(name)) continue;
    const Json& expected = golden.at("params_after").at(name);
    const at::Tensor now = parameters[i].tensor.detach();
    const double norm = expected.at("norm"), change = expected.at("delta_norm");
    EXPECT_NEAR(Norm(now), norm, norm * 1e-5) << name;
    EXPECT_NEAR(Norm(now - before[i]), change, change * 1e-3 + 1e-12) << name;
    const double largest = now.abs().max().item<double>();
    for (size_t k = 0; k < expected.at("idx").size(); ++k) {
      const double value = now.reshape({-1})[expected.at("idx")[k].get<int64_t>()].item<double>();
      EXPECT_NEAR(value, expected.at("values")[k].get<double>(), largest * 1e-4) << name;
    }
    ++compared;
  }
  EXPECT_GT(compared, 100u);
}

TEST(GoldenTraining, FourTextUpdatesGiveTheSameParameters) {
  const Json all = LoadJson("tests/golden/tiny/training.json");
  const Json& golden = CaseNamed(all, "text");
  const auto model = GoldenModel(GoldenConfig());
  model->train();
  AdamWConfig config;
  config.weight_decay = golden.at("optimizer").at("weight_decay");
  auto optimizer = AdamW::Create(config, Parameters(*model));
  ASSERT_TRUE(optimizer.ok()) << optimizer.status();
  std::vector<at::Tensor> before;
  for (const NamedTensor& p : (*optimizer)->parameters())
    before.push_back(p.tensor.detach().clone());
  LossConfig loss;
  loss.label_smoothing = golden.at("criterion").at("label_smoothing");
  for (const Json& step : golden.at("steps")) {
    const int64_t finished = (*optimizer)->updates();
    (*optimizer)->ZeroGradients();
    const LossResult result = LossOn(*model, step.at("sample"), loss, finished);
    const double expected = step.at("loss");
    EXPECT_NEAR(result.loss.item<double>(), expected, expected * 1e-5);
    result.loss.backward();
    const double norm = (*optimizer)
                            ->ScaleAndClipGradients(1.0 / static_cast<double>(result.sample_size),
                                                    golden.at("optimizer").at("clip_norm"));
    const double expected_norm = step.at("grad_norm_before_clip");
    EXPECT_NEAR(norm, expected_norm, expected_norm * 1e-4);
    const double rate = LearningRate(ScheduleOf(golden), finished);
    EXPECT_DOUBLE_EQ(rate, step.at("lr_used").get<double>());
    ASSERT_TRUE((*optimizer)->Step(rate).ok());
  }
  ExpectGoldenParameters(golden, (*optimizer)->parameters(), before);
}

}  // namespace
}  // namespace unival
