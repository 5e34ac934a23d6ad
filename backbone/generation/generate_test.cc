#include "backbone/generation/generate.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "sdk/native/answer_set.h"

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kVocabulary = 12;
constexpr int64_t kEos = 2;
using Tokens = std::vector<int64_t>;

// Logits as a pure function of sample and history, so that any mistake in reordering shows.
class TableDecoder : public IncrementalDecoder {
 public:
  using Table = std::function<float(int64_t sample, const Tokens& history, int64_t token)>;

  TableDecoder(int64_t samples, Table table, int64_t max_steps = 64)
      : samples_(samples), max_steps_(max_steps), table_(std::move(table)), histories_(samples) {
    ids_.resize(samples);
    std::iota(ids_.begin(), ids_.end(), 0);
  }

  int64_t batch_size() const override { return samples_; }
  int64_t max_steps() const override { return max_steps_; }

  at::Tensor Step(const at::Tensor& tokens) override {
    ++steps_;
    EXPECT_EQ(tokens.numel(), static_cast<int64_t>(histories_.size()));
    at::Tensor logits = at::empty({tokens.numel(), kVocabulary});
    for (int64_t row = 0; row < tokens.numel(); ++row) {
      histories_[row].push_back(tokens.data_ptr<int64_t>()[row]);
      const int64_t sample = ids_[row / (histories_.size() / ids_.size())];
      for (int64_t token = 0; token < kVocabulary; ++token) {
        logits.data_ptr<float>()[row * kVocabulary + token] =
            table_(sample, histories_[row], token);
      }
    }
    rows_computed_ += tokens.numel();
    return column_major ? logits.t().contiguous().t() : logits;
  }

  bool column_major = false;  // strides as large products have them

  void Reorder(const at::Tensor& rows, const at::Tensor& samples) override {
    std::vector<Tokens> histories;
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < rows.numel(); ++i) {
      histories.push_back(histories_.at(rows.data_ptr<int64_t>()[i]));
    }
    for (int64_t i = 0; i < samples.numel(); ++i) {
      ids.push_back(ids_.at(samples.data_ptr<int64_t>()[i]));
    }
    histories_ = std::move(histories);
    ids_ = std::move(ids);
    ASSERT_EQ(histories_.size() % ids_.size(), 0u);
  }

  int64_t steps() const { return steps_; }
  int64_t rows_computed() const { return rows_computed_; }

 private:
  int64_t samples_, max_steps_;
  Table table_;
  std::vector<Tokens> histories_;
  std::vector<int64_t> ids_;
  int64_t steps_ = 0, rows_computed_ = 0;
};

// Pseudo-random, but sharp enough to have a clear order.
float RandomLogit(int64_t sample, const Tokens& history, int64_t token) {
  uint64_t h = 1469598103934665603ULL ^ static_cast<uint64_t>(sample * 977 + token);
  for (int64_t t : history) h = (h ^ static_cast<uint64_t>(t + 1)) * 1099511628211ULL;
  h ^= h >> 29;
  h *= 0xBF58476D1CE4E5B9ULL;
  h ^= h >> 32;
  return static_cast<float>(h % 10007) / 10007.0f * 4.0f;
}

double LogProbability(int64_t sample, const Tokens& history, int64_t token) {
  double sum = 0;
  for (int64_t t = 0; t < kVocabulary; ++t) sum += std::exp(RandomLogit(sample, history, t));
  return RandomLogit(sample, history, token) - std::log(sum);
}

double SequenceScore(int64_t sample, const Tokens& prefix, const Tokens& tokens) {
  Tokens history = {0};
  double score = 0;
  Tokens all = prefix;
  all.insert(all.end(), tokens.begin(), tokens.end());
  all.push_back(kEos);
  for (int64_t token : all) {
    score += LogProbability(sample, history, token);
    history.push_back(token);
  }
  return score;
}

std::vector<std::vector<Hypothesis>> Search(TableDecoder& decoder, const GenerationConfig& config,
                                            const std::vector<GenerationRequest>& requests,
                                            const GenerationOptions& options = {}) {
  auto found = Generate(decoder, config, requests, SpecialTokens(), options);
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? *found : std::vector<std::vector<Hypothesis>>(requests.size());
}

std::vector<Hypothesis> SearchOne(TableDecoder& decoder, const GenerationConfig& config,
                                  const GenerationRequest& request) {
  return Search(decoder, config, {request})[0];
}

GenerationConfig Config(int beam, int max_tokens) {
  GenerationConfig config;
  config.set_beam(beam);
  config.set_max_tokens(max_tokens);
  config.set_n_best(beam);
  return config;
}

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
  options.mask_after_softmax = true;  // so that other tokens keep their share of probability
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

TEST(BeamSearch, CountsTheForcedPrefixInTheScoreButLeavesItOutOfTheTokens) {
  GenerationConfig config = Config(4, 3);
  config.set_unnormalized(true);
  TableDecoder decoder(1, RandomLogit);
  const auto found = Search(decoder, config, {{{9, 8, 7}, {}, 0}});
  ASSERT_EQ(found[0].size(), 4u);
  for (const Hypothesis& hypothesis : found[0]) {
    EXPECT_LE(hypothesis.tokens.size(), 3u);
    EXPECT_NEAR(hypothesis.score, SequenceScore(0, {9, 8, 7}, hypothesis.tokens), 1e-5);
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
  config.set_min_tokens(100);
  TableDecoder decoder(1, RandomLogit, /*max_steps=*/8);
  EXPECT_EQ(Search(decoder, config, {{}})[0][0].tokens.size(), 7u);
  EXPECT_EQ(decoder.steps(), 8);
}

TEST(Candidates, ScoresEveryAnswerUnderTheConstraintAndSharesTheirBeginnings) {
  const std::vector<Tokens> answers = {{4}, {4, 5}, {4, 5, 6, 7}, {8, 9}, {8, 10, 11}};
  GenerationConfig config;
  config.set_score_candidates(true);
  config.set_n_best(10);
  TableDecoder decoder(2, RandomLogit);
  const auto found =
      Search(decoder, config, {{{9}, {answers, {}}, 0}, {{9, 9}, {{{5}, {6}}, {}}, 0}});
  ASSERT_EQ(found[0].size(), answers.size());
  EXPECT_EQ(found[1].size(), 2u);
  const AnswerTrie trie(answers, kEos);
  for (const Hypothesis& hypothesis : found[0]) {
    double expected = 0;
    Tokens history = {0, 9};
    int32_t node = AnswerTrie::kRoot;
    Tokens rest = hypothesis.tokens;
    rest.push_back(kEos);
    for (int64_t token : rest) {
      double sum = 0;
      for (int64_t t : trie.Children(node)) sum += std::exp(RandomLogit(0, history, t));
      expected += RandomLogit(0, history, token) - std::log(sum);
      node = trie.Next(node, token);
      history.push_back(token);
    }
    EXPECT_NEAR(hypothesis.score, expected, 1e-5);
  }
  EXPECT_GE(found[0][0].score, found[0][1].score);
}

// A tree far wider than what one step may hold.
std::vector<Tokens> WideAnswers() {
  std::vector<Tokens> answers;
  for (int64_t a = 4; a < kVocabulary; ++a) {
    for (int64_t b = 4; b < kVocabulary; ++b) {
      for (int64_t c = 4; c < kVocabulary; ++c) {
        for (int64_t d = 4; d < kVocabulary; ++d) {
          answers.push_back({a, b, c, d, 4});
          answers.push_back({a, b, c, d, 5});
        }
      }
    }
  }
  return answers;
}

// Copies of a table are copies of its histories.
class ForkingDecoder : public TableDecoder {
 public:
  ForkingDecoder(int64_t samples, int64_t* most_rows)
      : TableDecoder(samples, RandomLogit), most_rows_(most_rows) {}
  at::Tensor Step(const at::Tensor& tokens) override {
    *most_rows_ = std::max(*most_rows_, tokens.numel());
    return TableDecoder::Step(tokens);
  }
  std::unique_ptr<IncrementalDecoder> Fork(const at::Tensor& rows,
                                           const at::Tensor& samples) const override {
    auto fork = std::make_unique<ForkingDecoder>(*this);
    fork->Reorder(rows, samples);
    return fork;
  }

 private:
  int64_t* most_rows_;
};

std::map<Tokens, float> ScoresOf(const std::vector<Hypothesis>& hypotheses) {
  std::map<Tokens, float> scores;
  for (const Hypothesis& hypothesis : hypotheses) scores[hypothesis.tokens] = hypothesis.score;
  return scores;
}

TEST(Candidates, OfAnyNumberAreScoredWithABoundedNumberOfRows) {
  const AnswerSet answers(WideAnswers());  // 8192
  GenerationConfig config;
  config.set_score_candidates(true);
  config.set_n_best(10000);
  int64_t most_rows = 0;
  ForkingDecoder decoder(3, &most_rows);
  const GenerationRequest wide{{9}, {answers, {}}, 0};
  const GenerationRequest narrow{{9, 9}, {{{5}, {6}}, {}}, 0};
  const auto found = Search(decoder, config, {wide, narrow, wide});
  EXPECT_LE(most_rows, 512);
  ASSERT_EQ(found[0].size(), answers.size());
  EXPECT_EQ(found[1].size(), 2u);
  ASSERT_EQ(found[2].size(), answers.size());
  EXPECT_NE(found[0][0].score, found[2][0].score);  // samples are not mixed up
  double total = 0;                                 // probabilities of all answers
  for (const Hypothesis& hypothesis : found[0]) total += std::exp(hypothesis.score);
  EXPECT_NEAR(total, 1, 1e-3);
  // One answer, by hand.
  double expected = 0;
  Tokens history = {0, 9};
  for (const int64_t token : {7, 4, 11, 6, 5}) {
    double sum = 0;
    const int64_t last = history.size() == 6 ? 6 : kVocabulary;
    for (int64_t t = 4; t < last; ++t) sum += std::exp(RandomLogit(0, history, t));
    expected += RandomLogit(0, history, token) - std::log(sum);
    history.push_back(token);
  }
  EXPECT_NEAR(ScoresOf(found[0]).at({7, 4, 11, 6, 5}), expected, 1e-4);
}

TEST(Candidates, OfADecoderThatCannotBeCopiedAreRefusedWhereTheyAreTooMany) {
  GenerationConfig config;
  config.set_score_candidates(true);
  TableDecoder decoder(2, RandomLogit);
  const AnswerSet answers(WideAnswers());
  const auto found =
      Generate(decoder, config, {{{}, {answers, {}}, 0}, {{}, {answers, {}}, 0}}, {});
  EXPECT_EQ(found.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("smaller batch"));
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
}  // namespace unival
