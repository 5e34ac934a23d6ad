// Tokens of an answer that are certain before the search has ended.
#include <gtest/gtest.h>

#include "backbone/generation/generate.h"
#include "backbone/generation/generation_tests.h"

namespace unival {
namespace {

using namespace generation_tests;

GenerationConfig Sampling(int draws) {
  GenerationConfig config = Config(draws, 9);
  config.set_sample(true);
  config.set_seed(5);
  return config;
}

GenerationConfig Scoring() {
  GenerationConfig config = Config(1, 6);
  config.set_score_candidates(true);
  return config;
}

const std::vector<GenerationRequest>& Requests() {
  static const auto* const kRequests = new std::vector<GenerationRequest>{
      {{5, 6}, {}, 0}, {{}, {}, 1}, {{7}, {{}, {{4, 9}}}, 0}, {{}, {{{4, 5}, {4, 6}}, {}}, 0}};
  return *kRequests;
}

// All tokens that are reported for each request, in order.
std::vector<std::vector<Tokens>> Told(const GenerationConfig& config,
                                      const std::vector<GenerationRequest>& requests,
                                      std::vector<std::vector<Hypothesis>>* found) {
  std::vector<std::vector<Tokens>> told(requests.size());
  GenerationOptions options;
  options.on_certain = [&](int64_t request, absl::Span<const int64_t> tokens) {
    told[request].emplace_back(tokens.begin(), tokens.end());
    return true;
  };
  TableDecoder decoder(requests.size(), RandomLogit);
  *found = Search(decoder, config, requests, options);
  return told;
}

void ExpectGrowsToTheBest(const GenerationConfig& config,
                          const std::vector<GenerationRequest>& requests) {
  std::vector<std::vector<Hypothesis>> found;
  const auto told = Told(config, requests, &found);
  TableDecoder silent(requests.size(), RandomLogit);
  const auto expected = Search(silent, config, requests);
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(found[i].front().tokens, expected[i].front().tokens);
    EXPECT_EQ(found[i].front().score, expected[i].front().score);
    ASSERT_FALSE(told[i].empty());
    EXPECT_EQ(told[i].back(), found[i].front().tokens);
    for (size_t k = 1; k < told[i].size(); ++k) {
      const Tokens& before = told[i][k - 1];
      ASSERT_GT(told[i][k].size(), before.size());
      EXPECT_EQ(Tokens(told[i][k].begin(), told[i][k].begin() + before.size()), before);
    }
  }
}

TEST(CertainTokens, GrowToTheBestHypothesisAndChangeNothing) {
  for (const GenerationConfig& config :
       {Config(1, 8), Config(3, 8), Config(5, 3), Sampling(1), Sampling(4)}) {
    ExpectGrowsToTheBest(config, Requests());
  }
  ExpectGrowsToTheBest(Scoring(), {Requests()[3]});
}

TEST(CertainTokens, AreEveryTokenAtOnceInGreedySearchAndSampling) {
  for (const GenerationConfig& config : {Config(1, 8), Sampling(1)}) {
    std::vector<std::vector<Hypothesis>> found;
    const auto told = Told(config, {Requests()[1]}, &found);
    ASSERT_EQ(told[0].size(), found[0].front().tokens.size());
    for (size_t k = 0; k < told[0].size(); ++k) EXPECT_EQ(told[0][k].size(), k + 1);
  }
}

// When two beams differ from their second token on, the first token is reported before the end.
TEST(CertainTokens, OfABeamSearchAreWhatAllBeamsShare) {
  const auto table = [](int64_t, const Tokens& history, int64_t token) {
    if (history.size() == 1) return token == 4 ? 20.0f : 0.0f;
    if (history.size() == 2) return token == 5 || token == 6 ? 9.0f : 0.0f;
    return token == kEos && history.size() == 5 ? 9.0f : token == 7 ? 5.0f : 0.0f;
  };
  std::vector<size_t> sizes;
  GenerationOptions options;
  options.on_certain = [&](int64_t, absl::Span<const int64_t> tokens) {
    sizes.push_back(tokens.size());
    return true;
  };
  TableDecoder decoder(1, table);
  const auto found = Search(decoder, Config(2, 8), {{}}, options);
  ASSERT_FALSE(sizes.empty());
  EXPECT_EQ(sizes.front(), 1u);
  EXPECT_EQ(sizes.back(), found[0].front().tokens.size());
}

TEST(CertainTokens, FalseEndsTheSearch) {
  // Several beams or samples may share no token before the end; then all tokens are reported at
  // once.
  const std::vector<std::pair<GenerationConfig, int>> cases = {
      {Config(1, 8), 2}, {Config(3, 8), 1}, {Sampling(2), 1}};
  for (const auto& [config, wanted] : cases) {
    int calls = 0;
    GenerationOptions options;
    options.on_certain = [&calls, last = wanted](int64_t, absl::Span<const int64_t>) {
      return ++calls < last;
    };
    TableDecoder decoder(1, RandomLogit);
    const auto found = Generate(decoder, config, {Requests()[1]}, GenerationVocabulary(), options);
    EXPECT_TRUE(absl::IsCancelled(found.status())) << found.status();
    EXPECT_EQ(calls, wanted);
  }
}

}  // namespace
}  // namespace unival
