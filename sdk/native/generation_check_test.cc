#include "sdk/native/generation_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace unival {
namespace {

using ::testing::HasSubstr;

std::string MisfitOf(const GenerationConfig& config) {
  EXPECT_TRUE(CheckGenerationConfig(config).ok()) << "each number is right by itself";
  return std::string(CheckGenerationTogether(config).message());
}

TEST(GenerationCheck, MoreAnswersThanTheSearchHasAreRefused) {
  GenerationConfig config;
  config.set_n_best(5);
  EXPECT_EQ(MisfitOf(config),
            "generation.n_best: expected at most generation.beam, 1, got 5; raise beam, or lower "
            "n_best");
  config.set_beam(5);
  EXPECT_EQ(MisfitOf(config), "");
  config.set_beam(kMaxBeam);
  config.set_n_best(kMaxBeam + 1);
  EXPECT_THAT(MisfitOf(config), HasSubstr("expected at most 64, got 65"));
  config.set_sample(true);
  EXPECT_THAT(MisfitOf(config), HasSubstr("expected at most 64, got 65"));
  config.set_n_best(kMaxBeam);
  config.set_beam(1);
  EXPECT_EQ(MisfitOf(config), "") << "several are drawn";
  config.set_temperature(0);
  EXPECT_THAT(MisfitOf(config), HasSubstr("1, as temperature 0 gives one answer, got 64"));
}

TEST(GenerationCheck, AClosedSetMayGiveAllItsAnswers) {
  GenerationConfig config;
  config.set_score_candidates(true);
  config.set_temperature(0);
  config.set_n_best(10000);
  EXPECT_EQ(MisfitOf(config), "");
}

TEST(GenerationCheck, TheLeastLengthIsComparedWithTheUsualMostWhereNoneIsSet) {
  GenerationConfig config;
  config.set_min_tokens(static_cast<int>(kDefaultMaxTokens) + 1);
  EXPECT_THAT(std::string(CheckLeastTokens(config, kDefaultMaxTokens).message()),
              HasSubstr("generation.min_tokens: expected at most 64, as max_tokens is not set"));
  EXPECT_TRUE(CheckLeastTokens(config, kDefaultMaxTokens + 1).ok());
  config.set_max_tokens(100);
  EXPECT_TRUE(CheckLeastTokens(config, kDefaultMaxTokens).ok());
}

}  // namespace
}  // namespace unival
