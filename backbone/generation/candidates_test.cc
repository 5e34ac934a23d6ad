// Closed sets of answers, all of them scored.
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
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

}  // namespace
}  // namespace unival::generation_tests
