// Every string of the reference's tokenizer fixtures. The tokenizer's files are not in this tree:
// the environment variable UNIVAL_SHARED names the folder that has golden/bpe and
// golden/bpe_cases.json.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "runtime/loader/shipped_tokenizers.h"

namespace unival {
namespace {

// core.bpe starts here in the published vocabulary.
constexpr int64_t kFirstGlobalId = 4;

class Gpt2BpeGolden : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("UNIVAL_SHARED");
    ASSERT_NE(shared, nullptr) << "set UNIVAL_SHARED: bazel test --test_env=UNIVAL_SHARED=FOLDER";
    const std::string golden = std::string(shared) + "/golden";
    std::ifstream file(golden + "/bpe_cases.json");
    cases_ = nlohmann::json::parse(file, nullptr, false);
    ASSERT_TRUE(cases_.is_object()) << golden << "/bpe_cases.json is missing or damaged";
    Registry registry;
    ASSERT_TRUE(RegisterShippedTokenizers(registry).ok());
    auto tokenizer = registry.CreateTokenizer("gpt2_bpe", golden + "/bpe", "core.bpe");
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    tokenizer_ = *std::move(tokenizer);
  }

  nlohmann::json cases_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(Gpt2BpeGolden, EveryStringHasTheReferencesTokens) {
  EXPECT_EQ(tokenizer_->block().size, 50260);
  ASSERT_EQ(cases_["encode"].size(), 199u);
  for (const auto& item : cases_["encode"]) {
    const std::string text = item["text"];
    auto ids = tokenizer_->Encode(text);
    ASSERT_TRUE(ids.ok()) << text << ": " << ids.status();
    const std::vector<int64_t> locals = *ids;
    for (int64_t& id : *ids) id += kFirstGlobalId;
    EXPECT_EQ(*ids, item["ids"].get<std::vector<int64_t>>()) << text;
    EXPECT_EQ(*tokenizer_->Decode(locals), item["decoded"].get<std::string>()) << text;
  }
}

TEST_F(Gpt2BpeGolden, SpecialTokensAreNotPartOfTheBlock) {
  const auto& item = cases_["decode"][0];
  std::vector<int64_t> locals;
  for (int64_t id : item["ids"]) {
    if (id >= kFirstGlobalId) locals.push_back(id - kFirstGlobalId);
  }
  EXPECT_EQ(*tokenizer_->Decode(locals), item["decoded"].get<std::string>());
}

}  // namespace
}  // namespace unival
