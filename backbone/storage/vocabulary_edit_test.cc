#include "backbone/storage/vocabulary_edit.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/token_rows.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kWidth = 64;

// A model directory in which only the embedding matters.
class VocabularyEditTest : public ::testing::Test {
 protected:
  VocabularyEditTest() : folder_(fs::path(::testing::TempDir()) / "vocabulary_edit") {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    edit_.model = (folder_ / "model").string();
    BaseBlocks base;
    base.text_size = 40;
    base.location_bins = 8;
    Manifest manifest;
    manifest.set_name("small");
    *manifest.mutable_vocabulary() = BaseLayout(base).value();
    manifest.mutable_tokenizer()->set_block("core.bpe");
    const VocabularyLayout& layout = manifest.vocabulary();
    auto writer = ModelDirectoryWriter::Create(edit_.model).value();
    const at::Tensor rows = at::rand({LayoutSize(layout), kWidth});
    EXPECT_TRUE(AddTokenComponents(rows, layout, *writer).ok());
    EXPECT_TRUE(writer->AddTensors("backbone", {{"w", at::rand({2})}}).ok());
    const absl::Status status = writer->Commit(manifest);
    EXPECT_TRUE(status.ok()) << status;
  }

  absl::StatusOr<VocabularyChange> Add(std::vector<BlockSpec> blocks, bool grow = false) {
    return AddVocabularyBlocks(edit_, std::move(blocks), grow);
  }

  // Rows [n, D] of a block in the model directory `name`.
  at::Tensor Rows(const std::string& name, const std::string& block) {
    const auto model = ModelDirectory::Open((folder_ / name).string()).value();
    return model->ReadComponent(TokensComponentId(block)).value().at(kTokenRows).clone();
  }

  fs::path folder_;
  VocabularyEdit edit_;
};

TEST_F(VocabularyEditTest, AddsFreshRowsAtTheEndAndWritesDownTheAct) {
  const at::Tensor text = Rows("model", "core.bpe");
  const auto change = Add({{"z.code", 4, "", "z"}, {"a.code", 300, "", "a"}});
  ASSERT_TRUE(change.ok()) << change.status();
  EXPECT_EQ(change->tokens, change->tokens_before + 304);
  const auto model = ModelDirectory::Open(edit_.model).value();
  EXPECT_LT(FindBlock(model->manifest().vocabulary(), "a.code")->extents(0).begin(),
            FindBlock(model->manifest().vocabulary(), "z.code")->extents(0).begin());
  EXPECT_EQ(model->manifest().lineage(0).command(), "vocab add a.code=300 z.code=4 init normal");
  EXPECT_TRUE(at::equal(Rows("model", "core.bpe"), text));
  const at::Tensor fresh = Rows("model", "a.code");
  EXPECT_NEAR(fresh.square().mean().item<double>(), 1.0 / kWidth, 0.002);
}

TEST_F(VocabularyEditTest, FreshRowsDependOnTheBlockAndTheSeedAlone) {
  const auto rows = [&](const std::string& output, uint64_t seed, std::vector<BlockSpec> blocks) {
    edit_.output = (folder_ / output).string();
    edit_.seed = seed;
    EXPECT_TRUE(Add(std::move(blocks)).ok());
    return Rows(output, "a.code");
  };
  const BlockSpec a = {"a.code", 4, "", "a"}, b = {"aa.code", 3, "", "aa"};
  EXPECT_TRUE(at::equal(rows("one", 1, {a}), rows("two", 1, {b, a})));
  EXPECT_FALSE(at::equal(rows("three", 1, {a}), rows("four", 2, {a})));
  EXPECT_FALSE(at::equal(rows("five", 1, {a}), rows("six", 0, {a})));
  EXPECT_FALSE(fs::exists(folder_ / "model/tokens.a.code.safetensors")) << "the model is as it was";
}

TEST_F(VocabularyEditTest, ABlockGrowsByTheRowsThatItWouldHaveHad) {
  edit_.output = (folder_ / "whole").string();
  ASSERT_TRUE(Add({{"a.code", 6, "", "a"}}).ok());
  edit_.output = "";
  ASSERT_TRUE(Add({{"a.code", 4, "", "a"}}).ok());
  EXPECT_FALSE(Add({{"a.code", 6, "", "a"}}).ok()) << "only when asked";
  ASSERT_TRUE(Add({{"a.code", 6, "", "a"}}, /*grow=*/true).ok());
  EXPECT_TRUE(at::equal(Rows("model", "a.code"), Rows("whole", "a.code")));
}

TEST_F(VocabularyEditTest, MeanRowsAreTheMeanOfTheText) {
  edit_.fresh_rows = "mean";
  ASSERT_TRUE(Add({{"a.code", 2, "", "a"}}).ok());
  const at::Tensor mean = Rows("model", "core.bpe").mean(0);
  EXPECT_LT((Rows("model", "a.code") - mean).abs().max().item<double>(), 1e-6);
}

TEST_F(VocabularyEditTest, RetiresAndRevives) {
  ASSERT_TRUE(Add({{"a.code", 4, "", "a"}}).ok());
  const at::Tensor rows = Rows("model", "a.code");
  ASSERT_TRUE(RetireVocabularyBlock(edit_, "a.code").ok());
  EXPECT_TRUE(at::equal(Rows("model", "a.code"), rows));
  ASSERT_TRUE(Add({{"a.code", 4, "", "a"}}).ok());
  ASSERT_TRUE(RetireVocabularyBlock(edit_, "core.location_bin").ok());
  EXPECT_TRUE(Add({{"core.location_bin", 8, "", "core"}}).ok());
}

TEST_F(VocabularyEditTest, SaysWhatIsNotPossible) {
  const auto says = [](const auto& result) { return std::string(result.status().message()); };
  EXPECT_THAT(says(RetireVocabularyBlock(edit_, "core.bpe")), HasSubstr("the tokenizer's"));
  EXPECT_THAT(says(RetireVocabularyBlock(edit_, "none.code")), HasSubstr("none.code"));
  EXPECT_THAT(says(Add({{"core.none", 4, "", "core"}})), HasSubstr("no such block"));
  EXPECT_THAT(says(Add({})), HasSubstr("no block to add"));
  edit_.fresh_rows = "zero";
  EXPECT_THAT(says(Add({{"a.code", 4, "", "a"}})), HasSubstr("normal, mean, got \"zero\""));
  EXPECT_THAT(FreshRowKinds(), ElementsAre("normal", "mean"));
  edit_.model = "nowhere";
  EXPECT_THAT(says(Add({{"a.code", 4, "", "a"}})), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace unival
