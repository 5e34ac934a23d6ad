// Tokens of retired blocks are never generated.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "backbone/generation/generation_tests.h"

namespace unival::generation_tests {
namespace {

using ::testing::HasSubstr;

// Tokens 5 and 8 to 10 are retired, and the decoder prefers them to all others.
constexpr char kRetiredBlock[] = "old.code";

bool IsRetired(int64_t token) { return token == 5 || (token >= 8 && token < 11); }

GenerationVocabulary WithRetired() {
  GenerationVocabulary vocabulary;
  vocabulary.retired = {{kRetiredBlock, {5, 6}}, {kRetiredBlock, {8, 11}}};
  return vocabulary;
}

float PrefersRetired(int64_t sample, const Tokens& history, int64_t token) {
  return RandomLogit(sample, history, token) + (IsRetired(token) ? 20 : 0);
}

// A model that has no such tokens.
float WithoutRetired(int64_t sample, const Tokens& history, int64_t token) {
  return IsRetired(token) ? -std::numeric_limits<float>::infinity()
                          : RandomLogit(sample, history, token);
}

struct Strategy {
  const char* name;
  std::function<void(GenerationConfig*, std::vector<GenerationRequest>*)> choose;
};

class RetiredTokensTest : public ::testing::TestWithParam<Strategy> {
 protected:
  std::vector<std::vector<Hypothesis>> Run(const TableDecoder::Table& table,
                                           const GenerationVocabulary& vocabulary,
                                           const GenerationOptions& options = {}) {
    GenerationConfig config = Config(1, 6);
    std::vector<GenerationRequest> requests(3);
    requests[1].prefix = {7, 6};
    requests[2].seed = 9;
    GetParam().choose(&config, &requests);
    TableDecoder decoder(3, table);
    auto found = Generate(decoder, config, requests, vocabulary, options);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? *found : std::vector<std::vector<Hypothesis>>();
  }
};

bool HoldsRetired(const std::vector<std::vector<Hypothesis>>& found) {
  for (const std::vector<Hypothesis>& request : found) {
    for (const Hypothesis& hypothesis : request) {
      if (std::any_of(hypothesis.tokens.begin(), hypothesis.tokens.end(), IsRetired)) return true;
    }
  }
  return false;
}

TEST_P(RetiredTokensTest, AreAsIfTheModelDidNotHaveThem) {
  const auto found = Run(PrefersRetired, WithRetired());
  const auto expected = Run(WithoutRetired, SpecialTokens());
  ASSERT_EQ(found.size(), expected.size());
  EXPECT_FALSE(HoldsRetired(found));
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].size(), expected[i].size());
    for (size_t k = 0; k < found[i].size(); ++k) {
      EXPECT_EQ(found[i][k].tokens, expected[i][k].tokens) << i << " " << k;
      EXPECT_NEAR(found[i][k].score, expected[i][k].score, 1e-5) << i << " " << k;
    }
  }
}

TEST_P(RetiredTokensTest, AreNotGeneratedWhereConstraintsAreMaskedAfterTheSoftmax) {
  GenerationOptions options;
  options.mask_after_softmax = true;
  EXPECT_FALSE(HoldsRetired(Run(PrefersRetired, WithRetired(), options)));
}

const Strategy kStrategies[] = {
    {"Greedy", [](auto*, auto*) {}},
    {"Beam",
     [](GenerationConfig* config, auto*) {
       config->set_beam(3);
       config->set_n_best(3);
     }},
    {"Sampling",
     [](GenerationConfig* config, auto*) {
       config->set_sample(true);
       config->set_n_best(8);
     }},
    {"SamplingFromTheLikeliest",
     [](GenerationConfig* config, auto*) {
       config->set_sample(true);
       config->set_n_best(8);
       config->set_top_k(5);
       config->set_top_p(0.9f);
     }},
    {"Ranges",
     [](GenerationConfig* config, std::vector<GenerationRequest>* requests) {
       config->set_beam(2);
       for (GenerationRequest& request : *requests) request.constraint.allowed = {{4, 10}};
     }},
    {"ClosedSet",
     [](GenerationConfig* config, std::vector<GenerationRequest>* requests) {
       config->set_beam(2);
       for (GenerationRequest& request : *requests) {
         request.constraint.answers = {{4, 6}, {4, 7}, {11}};
       }
     }},
    {"Candidates",
     [](GenerationConfig* config, std::vector<GenerationRequest>* requests) {
       config->set_score_candidates(true);
       config->set_n_best(3);
       for (GenerationRequest& request : *requests) {
         request.constraint.answers = {{4, 6}, {4, 7}, {11}};
       }
     }},
};

INSTANTIATE_TEST_SUITE_P(Strategies, RetiredTokensTest, ::testing::ValuesIn(kStrategies),
                         [](const auto& test) { return test.param.name; });

TEST(Generate, ASoftPrefixLendsNothingToRetiredTokens) {
  GenerationOptions options;
  options.soft_prefix = options.keep_prefix = true;
  std::vector<GenerationRequest> requests(2);
  requests[0].prefix = {7, 6};
  TableDecoder decoder(2, PrefersRetired);
  const auto found = Generate(decoder, Config(4, 6), requests, WithRetired(), options);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_FALSE(HoldsRetired(*found));
}

TEST(Generate, SaysWhichRetiredBlockARequestNeeds) {
  const std::pair<GenerationRequest, const char*> cases[] = {
      {{{7, 9}, {}, 0}, "request 0: the prefix holds token 9"},
      {{{}, {{{4}, {4, 5}}, {}}, 0}, "request 0: an answer holds token 5"},
      {{{}, {{}, {{5, 6}, {9, 11}}}, 0}, "request 0: all allowed tokens are"},
  };
  for (const auto& [request, says] : cases) {
    TableDecoder decoder(1, RandomLogit);
    const absl::Status status = Generate(decoder, Config(1, 4), {request}, WithRetired()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr(says));
    EXPECT_THAT(std::string(status.message()), HasSubstr(kRetiredBlock));
  }
}

}  // namespace
}  // namespace unival::generation_tests
