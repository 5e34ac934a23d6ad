// Search with the golden model, hypothesis by hypothesis against the original implementation.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "backbone/generation/generate.h"
#include "backbone/model/golden_model.h"
#include "backbone/model/model.h"
#include "sdk/testing/golden.h"
#include "tests/integration/golden_image_input.h"

namespace unival {
namespace {

using Json = nlohmann::json;
using Tokens = std::vector<int64_t>;

constexpr int64_t kPad = 1, kEos = 2;
constexpr double kScoreTolerance = 1e-4;
constexpr float kEosScale = 5.0f;

Json LoadJson(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  return Json::parse(file);
}

// Random weights almost never end a sentence, so the golden files scale the row of </s>.
std::shared_ptr<UnivalModel> SearchModel() {
  auto model = GoldenModel(GoldenConfig());
  const at::NoGradGuard no_grad;
  auto parameters = model->named_parameters();
  parameters["encoder.embed_tokens.weight"].select(0, kEos).copy_(
      parameters["decoder.layer_norm.bias"].mul(kEosScale));
  return model;
}

at::Tensor ToTensor(const Json& rows) {
  Tokens flat;
  for (const Json& row : rows) {
    for (const Json& token : row) flat.push_back(token);
  }
  const int64_t count = rows.size();
  return at::tensor(flat, at::kLong).view({count, -1});
}

template <typename Value>
Value Get(const Json& params, const char* name, Value otherwise) {
  return params.contains(name) ? params.at(name).get<Value>() : otherwise;
}

GenerationConfig ConfigOf(const Json& golden) {
  const Json& params = golden.at("params");
  const int64_t source = golden.at("src_tokens")[0].size();
  GenerationConfig config;
  config.set_beam(params.at("beam_size"));
  config.set_n_best(params.at("beam_size"));
  config.set_max_tokens(static_cast<int>(Get(params, "max_len_a", 0.0) * source) +
                        Get(params, "max_len_b", 200));
  config.set_min_tokens(Get(params, "min_len", 1));
  config.set_unnormalized(!Get(params, "normalize_scores", true));
  config.set_length_penalty(Get(params, "len_penalty", 1.0f));
  config.set_unk_penalty(Get(params, "unk_penalty", 0.0f));
  config.set_temperature(Get(params, "temperature", 1.0f));
  config.set_no_repeat_ngram(Get(params, "no_repeat_ngram_size", 0));
  return config;
}

Constraint ConstraintOf(const Json& golden) {
  Constraint constraint;
  if (!golden.at("answers").is_null()) golden.at("answers").get_to(constraint.answers);
  if (!golden.at("constraint_range").is_null()) {
    const std::string range = golden.at("constraint_range");
    const size_t comma = range.find(',');
    // The reference leaves the special tokens allowed.
    constraint.allowed = {{0, 4}, {std::stol(range), std::stol(range.substr(comma + 1))}};
  }
  return constraint;
}

std::vector<GenerationRequest> RequestsOf(const Json& golden) {
  std::vector<GenerationRequest> requests(golden.at("src_tokens").size());
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].constraint = ConstraintOf(golden);
    if (golden.at("prefix_tokens").is_null()) continue;
    for (int64_t token : golden.at("prefix_tokens")[i]) {
      if (token != kPad) requests[i].prefix.push_back(token);
    }
  }
  return requests;
}

GenerationOptions OptionsOf(const Json& golden) {
  GenerationOptions options;
  options.mask_after_softmax = Get(golden.at("params"), "zero_shot", false);
  options.forbid_special_tokens = Get(golden.at("params"), "gen_code", false);
  options.soft_prefix = !golden.at("prefix_tokens").is_null() && golden.at("answers").is_null();
  return options;
}

// The golden hypotheses hold prefix and </s>.
Tokens Generated(const Json& hypothesis, size_t prefix) {
  Tokens tokens = hypothesis.at("tokens").get<Tokens>();
  EXPECT_EQ(tokens.back(), kEos);
  tokens.pop_back();
  return Tokens(tokens.begin() + std::min(prefix, tokens.size()), tokens.end());
}

ModelInput InputOf(const Json& golden) {
  ModelInput input{{}, ToTensor(golden.at("src_tokens"))};
  const Json& image = golden.at("image");
  if (image.is_null()) return input;
  std::vector<int64_t> rows;
  for (size_t i = 0; i < image.at("patch_masks").size(); ++i) {
    if (image.at("patch_masks")[i]) rows.push_back(i);
  }
  const std::string name = "input." + golden.at("name").get<std::string>() + ".patch_images";
  const at::Tensor pixels = GoldenInput(name, golden.at("input_seed"), image.at("shape"), 1);
  GoldenImages images(golden.at("weights_seed"));
  input.segments.push_back(images.Segment(pixels.index_select(0, at::tensor(rows)), rows));
  return input;
}

void Replay(UnivalModel& model, const Json& golden) {
  SCOPED_TRACE(golden.at("name").get<std::string>());
  const std::vector<GenerationRequest> requests = RequestsOf(golden);
  const GenerationConfig config = ConfigOf(golden);
  const EncoderOutput encoded = model.Encode(InputOf(golden));
  const GenerationOptions options = OptionsOf(golden);
  at::Tensor code_rows;
  if (options.forbid_special_tokens) code_rows = at::ones({encoded.states.size(0)}, at::kBool);
  auto decoder = model.NewIncrementalDecoder(encoded, RowsPerSample(config), code_rows);
  auto found = Generate(*decoder, config, requests, SpecialTokens(), options);
  ASSERT_TRUE(found.ok()) << found.status();
  for (size_t i = 0; i < requests.size(); ++i) {
    const Json& expected = golden.at("hypotheses")[i];
    ASSERT_EQ((*found)[i].size(), expected.size());
    for (size_t k = 0; k < expected.size(); ++k) {
      const Hypothesis& hypothesis = (*found)[i][k];
      EXPECT_EQ(hypothesis.tokens, Generated(expected[k], requests[i].prefix.size()))
          << "request " << i << ", hypothesis " << k;
      EXPECT_NEAR(hypothesis.score, expected[k].at("score").get<double>(), kScoreTolerance);
    }
  }
}

TEST(GoldenGeneration, EveryCaseGivesTheSameHypotheses) {
  const at::NoGradGuard no_grad;
  const auto model = SearchModel();
  const Json golden = LoadJson("tests/golden/tiny/generation.json");
  EXPECT_EQ(golden.at("cases").size(), 20u);
  for (const Json& golden_case : golden.at("cases")) Replay(*model, golden_case);
}

TEST(GoldenGeneration, EveryCandidateGetsTheSameScore) {
  const at::NoGradGuard no_grad;
  const auto model = SearchModel();
  const Json golden = LoadJson("tests/golden/tiny/vqa_allcand.json");
  const auto answers = golden.at("answers").get<std::vector<Tokens>>();
  std::vector<GenerationRequest> requests;
  for (const Json& prompt : golden.at("decoder_prompts")) {
    GenerationRequest request;
    request.prefix = prompt.get<Tokens>();
    request.prefix.erase(request.prefix.begin());  // <s>
    request.constraint.answers = answers;
    requests.push_back(request);
  }
  GenerationConfig config;
  config.set_score_candidates(true);
  config.set_n_best(answers.size());
  const EncoderOutput encoded = model->Encode({{}, ToTensor(golden.at("src_tokens"))});
  auto decoder = model->NewIncrementalDecoder(encoded, RowsPerSample(config));
  auto found = Generate(*decoder, config, requests, SpecialTokens());
  ASSERT_TRUE(found.ok()) << found.status();
  for (size_t i = 0; i < requests.size(); ++i) {
    std::map<Tokens, double> scores;
    for (const Hypothesis& hypothesis : (*found)[i]) scores[hypothesis.tokens] = hypothesis.score;
    for (size_t k = 0; k < answers.size(); ++k) {
      EXPECT_NEAR(scores.at(answers[k]), golden.at("scores")[i][k].get<double>(), kScoreTolerance);
    }
    EXPECT_EQ((*found)[i][0].tokens, answers.at(golden.at("predicted_index")[i]));
  }
}

}  // namespace
}  // namespace unival
