// Scoring of all answers of a closed set.
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "backbone/generation/generation_tests.h"
#include "sdk/native/answer_set.h"

namespace unival::generation_tests {
namespace {

using ::testing::HasSubstr;

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

// A tree with many more branches than one step can process.
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

struct CountedRows {
  int64_t most = 0, all = 0;
};

// Copies of a table are copies of its histories.
class ForkingDecoder : public TableDecoder {
 public:
  ForkingDecoder(int64_t samples, CountedRows* rows, Table table = RandomLogit)
      : TableDecoder(samples, std::move(table)), rows_(rows) {}
  at::Tensor Step(const at::Tensor& tokens) override {
    rows_->most = std::max(rows_->most, tokens.numel());
    rows_->all += tokens.numel();
    return TableDecoder::Step(tokens);
  }
  std::unique_ptr<IncrementalDecoder> Fork(const at::Tensor& rows,
                                           const at::Tensor& samples) const override {
    auto fork = std::make_unique<ForkingDecoder>(*this);
    fork->Reorder(rows, samples);
    return fork;
  }

 private:
  CountedRows* rows_;
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
  CountedRows rows;
  ForkingDecoder decoder(3, &rows);
  const GenerationRequest wide{{9}, {answers, {}}, 0};
  const GenerationRequest narrow{{9, 9}, {{{5}, {6}}, {}}, 0};
  const auto found = Search(decoder, config, {wide, narrow, wide});
  EXPECT_LE(rows.most, 512);
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

// The best `n` of `answers` for two samples, with other settings in `config`.
std::vector<std::vector<Hypothesis>> BestOf(const AnswerSet& answers, int n, CountedRows* rows,
                                            GenerationConfig config = {},
                                            const TableDecoder::Table& table = RandomLogit) {
  config.set_score_candidates(true);
  config.set_n_best(n);
  ForkingDecoder decoder(2, rows, table);
  return Search(decoder, config, {{{9}, {answers, {}}, 0}, {{}, {answers, {}}, 0}});
}

TEST(Candidates, ThatCannotBeAmongTheBestAreLeftOutAndTheBestAreTheSame) {
  const AnswerSet answers(WideAnswers());
  CountedRows all_rows;
  const auto all = BestOf(answers, 10000, &all_rows);
  for (const int n : {1, 5, 40}) {
    CountedRows rows;
    const auto best = BestOf(answers, n, &rows);
    for (size_t sample = 0; sample < best.size(); ++sample) {
      ASSERT_EQ(best[sample].size(), static_cast<size_t>(n));
      for (int i = 0; i < n; ++i) {
        EXPECT_EQ(best[sample][i].tokens, all[sample][i].tokens) << n << " " << i;
        EXPECT_EQ(best[sample][i].score, all[sample][i].score) << n << " " << i;
      }
    }
    EXPECT_LT(rows.all, all_rows.all / 3) << n;
  }
}

// When a later token can improve the score of an answer, no answer may be skipped.
TEST(Candidates, AreAllVisitedWhereATokenMayRaiseTheScore) {
  std::vector<Tokens> tokens = WideAnswers();
  for (Tokens& answer : tokens) answer.back() = answer.back() == 4 ? 3 : 5;  // <unk>
  const AnswerSet answers(tokens);
  GenerationConfig config;
  config.set_unk_penalty(-20);
  CountedRows rows, all_rows;
  const auto all = BestOf(answers, 10000, &all_rows, config);
  const auto best = BestOf(answers, 1, &rows, config);
  for (size_t sample = 0; sample < best.size(); ++sample) {
    EXPECT_EQ(best[sample][0].tokens.back(), 3);
    EXPECT_EQ(best[sample][0].tokens, all[sample][0].tokens);
  }
}

TEST(Candidates, OfOneScoreComeInTheOrderOfTheirTokens) {
  const auto same = [](int64_t, const Tokens&, int64_t) { return 1.0f; };
  CountedRows rows;
  const auto best = BestOf(AnswerSet(WideAnswers()), 3, &rows, {}, same);
  for (const auto& found : best) {
    EXPECT_EQ(found[0].tokens, Tokens({4, 4, 4, 4, 4}));
    EXPECT_EQ(found[1].tokens, Tokens({4, 4, 4, 4, 5}));
    EXPECT_EQ(found[2].tokens, Tokens({4, 4, 4, 5, 4}));
  }
}

// NaN is an error of the model and must not be skipped like a bad answer.
TEST(Candidates, ThatAreNoNumbersAreNotLeftOut) {
  const auto broken = [](int64_t sample, const Tokens& history, int64_t token) {
    const bool is_broken = sample == 0 && history.size() > 2 && history[2] == 7;
    return is_broken ? std::nanf("") : RandomLogit(sample, history, token);
  };
  CountedRows all_rows, rows;
  const AnswerSet answers(WideAnswers());
  const auto all = BestOf(answers, 10000, &all_rows, {}, broken);
  const auto best = BestOf(answers, 1, &rows, {}, broken);
  EXPECT_EQ(best[1][0].tokens, all[1][0].tokens);
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

}  // namespace
}  // namespace unival::generation_tests
