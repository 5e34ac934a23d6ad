#include "backbone/generation/generate.h"

#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "backbone/generation/generation_tests.h"
#include "sdk/native/answer_set.h"

namespace unival::generation_tests {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Generate, StridesOfTheLogitsDoNotMatter) {
  for (const int beam : {1, 3}) {
    GenerationConfig config;
    config.set_beam(beam);
    config.set_n_best(beam);
    config.set_max_tokens(6);
    config.set_no_repeat_ngram(2);
    std::vector<GenerationRequest> requests(2);
    requests[1].prefix = {7, 8};
    requests[1].constraint.answers = {{4, 5}, {6}};
    std::vector<std::vector<Tokens>> found[2];
    for (const bool column_major : {false, true}) {
      TableDecoder decoder(2, RandomLogit);
      decoder.column_major = column_major;
      const auto hypotheses = Generate(decoder, config, requests, SpecialTokens());
      ASSERT_TRUE(hypotheses.ok()) << hypotheses.status();
      for (const auto& request : *hypotheses) {
        std::vector<Tokens>& tokens = found[column_major].emplace_back();
        for (const Hypothesis& hypothesis : request) tokens.push_back(hypothesis.tokens);
      }
    }
    EXPECT_EQ(found[0], found[1]);
  }
}

TEST(Greedy, FollowsTheLikeliestTokensAndStopsAtTheBound) {
  TableDecoder decoder(2, RandomLogit);
  const auto found = Search(decoder, Config(1, 5), {{}, {}});
  for (int64_t sample = 0; sample < 2; ++sample) {
    Tokens history = {0};
    while (history.size() < 6) {
      int64_t best = 0;
      for (int64_t t = 0; t < kVocabulary; ++t) {
        if (t == 1 || (t == kEos && history.size() == 1)) continue;
        if (RandomLogit(sample, history, t) > RandomLogit(sample, history, best)) best = t;
      }
      if (best == kEos) break;
      history.push_back(best);
    }
    const Hypothesis& best = found[sample].at(0);
    EXPECT_EQ(best.tokens, Tokens(history.begin() + 1, history.end()));
    EXPECT_NEAR(best.score, SequenceScore(sample, {}, best.tokens) / (best.tokens.size() + 1),
                1e-5);
  }
}

TEST(BeamSearch, WithAWideBeamFindsWhatEnumerationFinds) {
  constexpr TokenRange kAllowed = {4, 11};  // 7 + 7 * 7 sequences, fewer than beams
  GenerationConfig config = Config(kMaxBeam, 2);
  config.set_unnormalized(true);
  GenerationOptions options;
  options.mask_after_softmax = true;  // so that other tokens keep their probability
  TableDecoder decoder(1, RandomLogit);
  const auto found = Search(decoder, config, {{{}, {{}, {kAllowed}}, 0}}, options);
  std::map<double, Tokens, std::greater<>> all;
  const auto add = [&](const Tokens& tokens) { all[SequenceScore(0, {}, tokens)] = tokens; };
  for (int64_t a = kAllowed.begin; a < kAllowed.end; ++a) {
    add({a});
    for (int64_t b = kAllowed.begin; b < kAllowed.end; ++b) add({a, b});
  }
  ASSERT_EQ(found[0].size(), all.size());
  auto expected = all.begin();
  for (const Hypothesis& hypothesis : found[0]) {
    EXPECT_EQ(hypothesis.tokens, expected->second);
    EXPECT_NEAR(hypothesis.score, expected->first, 1e-5);
    ++expected;
  }
}

TEST(BeamSearch, GivesARequestTheSameHypothesesAloneAndInABatch) {
  const std::vector<GenerationRequest> requests = {
      {{5, 6}, {}, 0}, {{}, {}, 0}, {{7}, {{}, {{4, 9}}}, 0}, {{}, {{{4, 5}, {6}}, {}}, 0}};
  const GenerationConfig config = Config(3, 6);
  TableDecoder batched(4, RandomLogit);
  const auto together = Search(batched, config, requests);
  for (size_t i = 0; i < requests.size(); ++i) {
    TableDecoder single(1, [&](int64_t, const Tokens& history, int64_t token) {
      return RandomLogit(i, history, token);
    });
    const auto alone = Search(single, config, {requests[i]});
    ASSERT_EQ(alone[0].size(), together[i].size());
    for (size_t k = 0; k < alone[0].size(); ++k) {
      EXPECT_EQ(alone[0][k].tokens, together[i][k].tokens);
      EXPECT_NEAR(alone[0][k].score, together[i][k].score, 1e-6);
    }
  }
}

TEST(BeamSearch, RanksByTheForcedPrefixTooAndScoresTheAnswerAlone) {
  const Tokens prefix = {9, 8, 7};
  const GenerationConfig config = Config(4, 3);
  TableDecoder decoder(1, RandomLogit);
  const auto found = Search(decoder, config, {{prefix, {}, 0}});
  ASSERT_EQ(found[0].size(), 4u);
  double last = 0;
  for (const Hypothesis& hypothesis : found[0]) {
    const auto count = static_cast<double>(hypothesis.tokens.size() + 1);
    EXPECT_LE(hypothesis.tokens.size(), 3u);
    EXPECT_NEAR(hypothesis.score, SequenceScore(0, prefix, hypothesis.tokens) / count, 1e-5);
    Tokens all = prefix;
    all.insert(all.end(), hypothesis.tokens.begin(), hypothesis.tokens.end());
    const double rank = SequenceScore(0, {}, all) / (count + 3);
    EXPECT_LE(rank, last);
    last = rank;
  }
}

TEST(BeamSearch, ScoresThePrefixWhereItIsPartOfTheHypothesis) {
  GenerationOptions options;
  options.keep_prefix = true;
  TableDecoder decoder(1, RandomLogit);
  const auto found = Search(decoder, Config(4, 3), {{{9, 8, 7}, {}, 0}}, options);
  for (const Hypothesis& hypothesis : found[0]) {
    EXPECT_NEAR(
        hypothesis.score,
        SequenceScore(0, {}, hypothesis.tokens) / static_cast<double>(hypothesis.tokens.size() + 1),
        1e-5);
  }
}

TEST(BeamSearch, EmitsOnlyAllowedRangesAndForbidsEarlyEnds) {
  GenerationConfig config = Config(3, 4);
  config.set_min_tokens(4);
  TableDecoder decoder(1, RandomLogit);
  for (const Hypothesis& h : SearchOne(decoder, config, {{}, {{}, {{4, 6}, {10, 12}}}, 0})) {
    EXPECT_EQ(h.tokens.size(), 4u);
    for (int64_t token : h.tokens) EXPECT_TRUE(token == 4 || token == 5 || token >= 10) << token;
  }
}

TEST(BeamSearch, NeverRepeatsAnNgram) {
  GenerationConfig config = Config(3, 12);
  config.set_no_repeat_ngram(2);
  config.set_min_tokens(12);
  // Token 4 is by far the likeliest after everything.
  TableDecoder decoder(1, [](int64_t sample, const Tokens& history, int64_t token) {
    return RandomLogit(sample, history, token) + (token == 4 ? 20.0f : 0.0f);
  });
  for (const Hypothesis& hypothesis : SearchOne(decoder, config, {})) {
    std::set<std::pair<int64_t, int64_t>> seen;
    for (size_t i = 0; i + 1 < hypothesis.tokens.size(); ++i) {
      EXPECT_TRUE(seen.emplace(hypothesis.tokens[i], hypothesis.tokens[i + 1]).second);
    }
  }
}

TEST(BeamSearch, WithAnswersReturnsAnswersOnly) {
  const std::vector<Tokens> answers = {{4}, {4, 5}, {6, 7, 8}, {9}};
  GenerationConfig config = Config(5, 0);
  TableDecoder decoder(1, RandomLogit);
  const auto found = Search(decoder, config, {{{10}, {answers, {}}, 0}});
  EXPECT_EQ(found[0].size(), answers.size());
  for (const Hypothesis& hypothesis : found[0]) {
    EXPECT_THAT(answers, testing::Contains(hypothesis.tokens));
  }
}

TEST(BeamSearch, AppliesTheLengthPenaltyAndTheUnkPenalty) {
  GenerationConfig config = Config(3, 4);
  config.set_length_penalty(0.5);
  config.set_unk_penalty(100);
  TableDecoder decoder(1, RandomLogit);
  for (const Hypothesis& hypothesis : SearchOne(decoder, config, {})) {
    const double sum = SequenceScore(0, {}, hypothesis.tokens);
    EXPECT_NEAR(hypothesis.score, sum / std::sqrt(hypothesis.tokens.size() + 1.0), 1e-5);
    EXPECT_THAT(hypothesis.tokens, testing::Not(testing::Contains(3)));
  }
}

TEST(BeamSearch, CutsTheBoundToTheDecodersPositions) {
  GenerationConfig config = Config(2, 100);
  config.set_min_tokens(7);
  TableDecoder decoder(1, RandomLogit, /*max_steps=*/8);
  EXPECT_EQ(Search(decoder, config, {{}})[0][0].tokens.size(), 7u);
  EXPECT_EQ(decoder.steps(), 8);
}

TEST(Sampling, IsAFunctionOfTheSeeds) {
  GenerationConfig config = Config(4, 6);
  config.set_sample(true);
  config.set_seed(7);
  const auto draw = [&](uint64_t seed) {
    TableDecoder decoder(1, RandomLogit);
    Tokens joined;
    for (const Hypothesis& hypothesis : SearchOne(decoder, config, {{5}, {}, seed})) {
      joined.insert(joined.end(), hypothesis.tokens.begin(), hypothesis.tokens.end());
      joined.push_back(kEos);
    }
    return joined;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST(Sampling, FollowsTheDistribution) {
  GenerationConfig config = Config(50, 1);
  config.set_sample(true);
  config.set_unnormalized(true);
  std::map<int64_t, int> counts;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    TableDecoder decoder(1, RandomLogit);
    for (const Hypothesis& h : SearchOne(decoder, config, {{}, {}, seed})) ++counts[h.tokens.at(0)];
  }
  double possible = 0;  // neither <pad> nor an early end
  for (int64_t t = 0; t < kVocabulary; ++t) {
    if (t != 1 && t != kEos) possible += std::exp(LogProbability(0, {0}, t));
  }
  for (int64_t t = 0; t < kVocabulary; ++t) {
    const bool is_possible = t != 1 && t != kEos;
    const double share = is_possible ? std::exp(LogProbability(0, {0}, t)) / possible : 0;
    EXPECT_NEAR(counts[t] / 2000.0, share, 0.04) << t;
  }
}

TEST(Sampling, TopKAndTopPKeepTheLikeliestTokens) {
  std::vector<std::pair<double, int64_t>> order;
  for (int64_t t = 0; t < kVocabulary; ++t) {
    if (t != 1 && t != kEos) order.push_back({-LogProbability(0, {0}, t), t});
  }
  std::sort(order.begin(), order.end());
  GenerationConfig config = Config(kMaxBeam, 1);
  config.set_sample(true);
  const auto tokens = [&] {
    TableDecoder decoder(1, RandomLogit);
    std::set<int64_t> drawn;
    for (const Hypothesis& h : SearchOne(decoder, config, {})) drawn.insert(h.tokens.at(0));
    return drawn;
  };
  config.set_top_k(2);
  EXPECT_EQ(tokens(), (std::set<int64_t>{order[0].second, order[1].second}));
  config.set_top_k(0);
  config.set_top_p(1e-6);
  EXPECT_EQ(tokens(), (std::set<int64_t>{order[0].second}));
}

// </s> is by far the likeliest token after everything.
float EndsAtOnce(int64_t sample, const Tokens& history, int64_t token) {
  return RandomLogit(sample, history, token) + (token == kEos ? 20.0f : 0.0f);
}

TEST(AnExplicitZero, OfMinTokensAllowsAnEmptyAnswer) {
  for (int beam : {1, 3}) {
    GenerationConfig config = Config(beam, 4);
    TableDecoder by_default(1, EndsAtOnce);
    EXPECT_EQ(SearchOne(by_default, config, {})[0].tokens.size(), 1u);
    config.set_min_tokens(0);
    TableDecoder decoder(1, EndsAtOnce);
    EXPECT_TRUE(SearchOne(decoder, config, {})[0].tokens.empty());
  }
}

TEST(AnExplicitZero, OfTheLengthPenaltyDividesByOne) {
  GenerationConfig config = Config(3, 4);
  config.set_length_penalty(0);
  TableDecoder decoder(1, RandomLogit);
  for (const Hypothesis& hypothesis : SearchOne(decoder, config, {})) {
    EXPECT_NEAR(hypothesis.score, SequenceScore(0, {}, hypothesis.tokens), 1e-5);
  }
}

TEST(AnExplicitZero, OfTheTemperatureTakesTheLikeliestTokenEachTime) {
  GenerationConfig config = Config(1, 6);
  TableDecoder greedy(1, RandomLogit);
  const Hypothesis likeliest = SearchOne(greedy, config, {})[0];
  config.set_beam(4);
  config.set_temperature(0);
  for (bool sample : {false, true}) {
    for (uint64_t seed : {1, 2, 3}) {
      config.set_sample(sample);
      TableDecoder decoder(1, RandomLogit);
      const auto found = SearchOne(decoder, config, {{}, {}, seed});
      EXPECT_EQ(found[0].tokens, likeliest.tokens);
      EXPECT_EQ(found[0].score, likeliest.score);
    }
  }
}

TEST(AnExplicitZero, OfARequestGoesBeforeItsTasksValue) {
  GenerationConfig task, request;
  task.set_no_repeat_ngram(3);
  task.set_min_tokens(4);
  task.set_unnormalized(true);
  task.set_beam(5);
  request.set_no_repeat_ngram(0);
  request.set_min_tokens(0);
  request.set_unnormalized(false);
  task.MergeFrom(request);
  EXPECT_EQ(task.no_repeat_ngram(), 0);
  EXPECT_EQ(task.min_tokens(), 0);
  EXPECT_FALSE(task.unnormalized());
  EXPECT_EQ(task.beam(), 5);
}

absl::Status ErrorOf(const GenerationConfig& config, const GenerationRequest& request) {
  TableDecoder decoder(1, RandomLogit);
  return Generate(decoder, config, {request}, SpecialTokens()).status();
}

TEST(Generate, NamesTheFieldThatIsWrong) {
  GenerationConfig config = Config(2, 4);
  config.set_n_best(3);
  EXPECT_THAT(std::string(ErrorOf(config, {}).message()), HasSubstr("generation.n_best"));
  config = Config(2, 4);
  config.set_temperature(0);
  EXPECT_THAT(std::string(ErrorOf(config, {}).message()), HasSubstr("temperature 0"));
  config = Config(2, 4);
  config.set_top_p(1.5);
  EXPECT_THAT(std::string(ErrorOf(config, {}).message()), HasSubstr("generation.top_p"));
  config = Config(2, 1);
  EXPECT_THAT(std::string(ErrorOf(config, {{}, {{{4, 5, 6}}, {}}, 0}).message()),
              HasSubstr("max_tokens"));
  config.set_score_candidates(true);
  EXPECT_THAT(std::string(ErrorOf(config, {}).message()), HasSubstr("closed set"));
  EXPECT_THAT(std::string(ErrorOf(Config(1, 4), {{2}, {}, 0}).message()), HasSubstr("prefix"));
  EXPECT_THAT(std::string(ErrorOf(Config(1, 4), {Tokens(70, 5), {}, 0}).message()),
              HasSubstr("64 positions"));
}

TEST(Generate, RefusesBeamsThatMemoryCannotHold) {
  for (int beam : {-1, kMaxBeam + 1, 1000000}) {
    const absl::Status status = ErrorOf(Config(beam, 4), {});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), absl::StrCat("generation.beam: expected 1 to 64, got ", beam));
  }
  GenerationConfig config = Config(1, 4);
  config.set_sample(true);
  config.set_n_best(1000000);
  EXPECT_THAT(std::string(ErrorOf(config, {}).message()), HasSubstr("generation.n_best"));
}

TEST(Generate, ReportsLogitsThatAreNotNumbers) {
  for (int beam : {1, 3}) {
    TableDecoder decoder(1, [](int64_t, const Tokens&, int64_t) { return std::nanf(""); });
    EXPECT_EQ(Generate(decoder, Config(beam, 4), {{}}, SpecialTokens()).status().code(),
              absl::StatusCode::kInternal);
  }
}

TEST(Generate, AnExactCountIsKeptUpToTheStepsOfTheDecoder) {
  for (const int beam : {1, 2}) {
    GenerationConfig config = Config(beam, 7);
    config.set_min_tokens(7);
    TableDecoder decoder(1, RandomLogit, /*max_steps=*/8);  // <s> and seven tokens
    EXPECT_EQ(Search(decoder, config, {{}})[0][0].tokens.size(), 7u);
  }
}

TEST(Generate, RefusesALeastLengthThatTheDecoderCannotReach) {
  GenerationConfig config = Config(2, 8);
  config.set_min_tokens(8);
  TableDecoder decoder(1, RandomLogit, /*max_steps=*/8);
  absl::Status status = Generate(decoder, config, {{}}, SpecialTokens()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "request 0: 8 tokens asked (min_tokens), the model has 7 positions; ask for fewer");
  config = Config(2, 6);
  config.set_min_tokens(6);
  const GenerationRequest prefixed{{5, 6}, {}, 0};
  status = Generate(decoder, config, {prefixed}, SpecialTokens()).status();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("6 tokens asked (min_tokens) behind a prefix of 2, the model has 7"));
}

TEST(Generate, RefusesALeastLengthBeyondTheUsualMost) {
  GenerationConfig config = Config(1, 0);
  config.set_min_tokens(65);
  TableDecoder decoder(1, RandomLogit, /*max_steps=*/128);
  EXPECT_THAT(std::string(Generate(decoder, config, {{}}, SpecialTokens()).status().message()),
              HasSubstr("generation.min_tokens: expected at most 64, as max_tokens is not set"));
  config.set_min_tokens(64);
  EXPECT_EQ(Search(decoder, config, {{}})[0][0].tokens.size(), 64u);
}

TEST(Generate, AllowedRangesLeaveTheSpecialTokensProbabilityOnlyWhereAsked) {
  GenerationConfig config = Config(1, 1);
  config.set_unnormalized(true);
  double score[2];
  for (const bool keep : {false, true}) {
    GenerationOptions options;
    options.ranges_keep_special_tokens = keep;
    TableDecoder decoder(1, [](int64_t, const Tokens&, int64_t token) {
      return token == 4 || token == kEos ? 8.0f : 0.0f;
    });
    const Hypothesis best = Search(decoder, config, {{{}, {{}, {{4, 6}}}, 0}}, options)[0][0];
    EXPECT_EQ(best.tokens, Tokens{4});
    score[keep] = best.score;
  }
  EXPECT_GT(score[0], score[1]);
}

TEST(AnswerSet, CopiesShareOneTreeThatMayOutliveThem) {
  std::shared_ptr<const AnswerTrie> trie;
  {
    const AnswerSet answers({{4}, {4, 5}});
    const Constraint constraint{answers, {}};
    EXPECT_EQ(constraint.answers.trie(), answers.trie());
    EXPECT_EQ(AnswerSet({{4}, {4, 5}}).answers(), answers.answers());
    trie = constraint.answers.trie();
  }
  EXPECT_THAT(trie->Children(AnswerTrie::kRoot), ElementsAre(4));
  EXPECT_TRUE(AnswerSet().empty());
  EXPECT_EQ(AnswerSet(std::vector<Tokens>()).trie(), nullptr);
}

TEST(AnswerSet, EndsAsTheSearchDoes) {
  TableDecoder decoder(1, RandomLogit);
  const GenerationRequest request{{}, {AnswerSet({{4}}, /*eos=*/7), {}}, 0};
  EXPECT_THAT(
      std::string(Generate(decoder, Config(1, 4), {request}, SpecialTokens()).status().message()),
      HasSubstr("ends with token 7, expected 2"));
}

TEST(AnswerTrie, ListsWhatMayFollow) {
  const AnswerTrie trie({{4}, {4, 5}, {6}}, kEos);
  EXPECT_THAT(trie.Children(AnswerTrie::kRoot), ElementsAre(4, 6));
  EXPECT_THAT(trie.Children(trie.Next(AnswerTrie::kRoot, 4)), ElementsAre(kEos, 5));
  EXPECT_EQ(trie.Next(AnswerTrie::kRoot, 5), AnswerTrie::kOutside);
  EXPECT_THAT(trie.Children(AnswerTrie::kOutside), ElementsAre(kEos));
  EXPECT_EQ(trie.longest_answer(), 2);
}

}  // namespace
}  // namespace unival::generation_tests
