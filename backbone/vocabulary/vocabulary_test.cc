#include "backbone/vocabulary/vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "backbone/vocabulary/layout.h"

namespace unival {
namespace {

BaseBlocks Published() {
  BaseBlocks blocks;
  blocks.text_size = 50260;
  blocks.text_hash = "text";
  blocks.image_codes = 8192;
  blocks.location_bins = 1000;
  return blocks;
}

VocabularyLayout Small() {
  BaseBlocks blocks;
  blocks.text_size = 10;
  blocks.location_bins = 5;
  return *BaseLayout(blocks);
}

int64_t BeginOf(const VocabularyLayout& layout, const std::string& id) {
  return FindBlock(layout, id)->extents(0).begin();
}

bool SaysAll(const absl::Status& status, const std::vector<std::string>& words) {
  return std::all_of(words.begin(), words.end(), [&](const std::string& word) {
    return status.message().find(word) != absl::string_view::npos;
  });
}

TEST(Layout, BaseLayoutEqualsThePublishedIds) {
  const auto layout = BaseLayout(Published());
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(LayoutSize(*layout), 59457);
  EXPECT_EQ(BeginOf(*layout, "core.bpe"), 4);
  EXPECT_EQ(BeginOf(*layout, "core.mask"), 50264);
  EXPECT_EQ(BeginOf(*layout, "core.image_code"), 50265);
  EXPECT_EQ(BeginOf(*layout, "core.location_bin"), 58457);
}

TEST(Layout, BlocksAddedTogetherAreOrderedById) {
  const VocabularyLayout base = *BaseLayout(Published());
  const BlockSpec depth{"depth.bin", 256, "a", "depth"};
  const BlockSpec audio{"audio_event.label", 527, "b", "audio_event"};
  const auto together = AddBlocks(base, {depth, audio});
  ASSERT_TRUE(together.ok());
  EXPECT_EQ(BeginOf(*together, "audio_event.label"), 59457);
  EXPECT_EQ(BeginOf(*together, "depth.bin"), 59984);
  EXPECT_EQ(Fingerprint(*together), Fingerprint(*AddBlocks(base, {audio, depth})));

  const auto one_by_one = AddBlocks(*AddBlocks(base, {depth}), {audio});
  EXPECT_EQ(BeginOf(*one_by_one, "depth.bin"), 59457);
  EXPECT_EQ(BeginOf(*one_by_one, "audio_event.label"), 59713);
  EXPECT_NE(Fingerprint(*together), Fingerprint(*one_by_one));
}

TEST(Layout, AddingTheSameBlockAgainUsesIt) {
  const auto once = AddBlocks(Small(), {{"depth.bin", 8, "a", "depth"}});
  const auto twice = AddBlocks(*once, {{"depth.bin", 8, "a", "depth"}});
  ASSERT_TRUE(twice.ok());
  EXPECT_EQ(Fingerprint(*once), Fingerprint(*twice));
}

TEST(Layout, AnotherHashOrSizeIsRefused) {
  const auto layout = AddBlocks(Small(), {{"depth.bin", 8, "hash_a", "depth"}});
  const absl::Status other = AddBlocks(*layout, {{"depth.bin", 8, "hash_b", "depth"}}).status();
  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(SaysAll(other, {"depth.bin", "hash_a", "hash_b"})) << other;
  const absl::Status larger = AddBlocks(*layout, {{"depth.bin", 9, "hash_a", "depth"}}).status();
  EXPECT_TRUE(SaysAll(larger, {"8", "9", "grow"})) << larger;
  EXPECT_FALSE(AddBlocks(*layout, {{"depth.bin", 7, "hash_a", "depth"}}).ok());
}

TEST(Layout, MalformedSpecsAreRefused) {
  for (const std::string id : {"", "depth", "Depth.bin", ".bin", "depth.", "depth..bin", "d.b b"}) {
    EXPECT_EQ(AddBlocks(Small(), {{id, 4, "", ""}}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << id;
  }
  EXPECT_FALSE(AddBlocks(Small(), {{"depth.bin", 0, "", ""}}).ok());
  EXPECT_FALSE(AddBlocks(Small(), {{"depth.bin", -1, "", ""}}).ok());
  EXPECT_FALSE(AddBlocks(Small(), {{"depth.bin", INT64_MAX, "", ""}}).ok());
  EXPECT_FALSE(AddBlocks(Small(), {{"depth.bin", 1, "", ""}, {"depth.bin", 1, "", ""}}).ok());
}

TEST(Layout, RetiringKeepsIdsAndRevivingGivesThemBack) {
  const auto added = AddBlocks(Small(), {{"depth.bin", 8, "a", "depth"}});
  const auto retired = RetireBlock(*added, "depth.bin");
  ASSERT_TRUE(retired.ok());
  EXPECT_EQ(LayoutSize(*retired), LayoutSize(*added));
  EXPECT_FALSE(RetireBlock(*retired, "depth.bin").ok());
  const auto later = AddBlocks(*retired, {{"thermal.bin", 3, "t", "thermal"}});
  EXPECT_EQ(BeginOf(*later, "thermal.bin"), LayoutSize(*added));
  const auto revived = AddBlocks(*retired, {{"depth.bin", 8, "a", "depth"}});
  EXPECT_EQ(Fingerprint(*revived), Fingerprint(*added));
}

TEST(Layout, SpecialAndUnknownBlocksCannotBeRetired) {
  EXPECT_EQ(RetireBlock(Small(), "core.special").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(RetireBlock(Small(), "depth.bin").status().code(), absl::StatusCode::kNotFound);
}

TEST(Layout, GrowthAppendsAnExtentAndChecksThePrefix) {
  const std::vector<std::string> forms = {"<0>", "<1>", "<2>", "<3>"};
  const auto layout = AddBlocks(
      Small(), {{"depth.bin", 2, SurfaceFormsHash(forms, 2), "depth"}, {"z.last", 3, "", "z"}});
  const BlockGrowth growth = {4, SurfaceFormsHash(forms, 2), SurfaceFormsHash(forms)};
  const auto grown = GrowBlock(*layout, "depth.bin", growth);
  ASSERT_TRUE(grown.ok()) << grown.status();
  ASSERT_TRUE(ValidateLayout(*grown).ok());
  const VocabularyBlock* block = FindBlock(*grown, "depth.bin");
  ASSERT_EQ(block->extents_size(), 2);
  EXPECT_EQ(block->extents(1).begin(), LayoutSize(*layout));
  EXPECT_EQ(block->extents(1).local_begin(), 2);
  EXPECT_TRUE(AddBlocks(*grown, {{"depth.bin", 4, SurfaceFormsHash(forms), "depth"}}).ok());

  EXPECT_FALSE(GrowBlock(*layout, "depth.bin", {2, growth.prefix_hash, ""}).ok());
  EXPECT_FALSE(GrowBlock(*layout, "depth.bin", {1, growth.prefix_hash, ""}).ok());
  EXPECT_EQ(GrowBlock(*layout, "depth.bin", {4, "other", ""}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(GrowBlock(*RetireBlock(*layout, "depth.bin"), "depth.bin", growth).ok());
}

TEST(Layout, HolesOverlapsAndMissingSpecialsAreRefused) {
  VocabularyLayout layout = Small();
  layout.mutable_blocks(1)->mutable_extents(0)->set_begin(5);
  EXPECT_FALSE(ValidateLayout(layout).ok());
  layout.mutable_blocks(1)->mutable_extents(0)->set_begin(3);
  EXPECT_FALSE(ValidateLayout(layout).ok());
  EXPECT_FALSE(ValidateLayout(VocabularyLayout()).ok());
  layout = Small();
  layout.mutable_blocks(2)->set_id("core.bpe");
  EXPECT_FALSE(ValidateLayout(layout).ok());
  layout = Small();
  layout.mutable_blocks(1)->mutable_extents(0)->set_local_begin(1);
  EXPECT_FALSE(ValidateLayout(layout).ok());
  layout = Small();
  layout.mutable_blocks(1)->mutable_extents(0)->set_size(INT64_MAX);
  EXPECT_FALSE(ValidateLayout(layout).ok());
}

TEST(Layout, SurfaceFormsAreNotConfusedByConcatenation) {
  EXPECT_NE(SurfaceFormsHash({"ab", "c"}), SurfaceFormsHash({"a", "bc"}));
  EXPECT_EQ(SurfaceFormsHash({"a", "b", "c"}, 2), SurfaceFormsHash({"a", "b"}));
}

// Any sequence of additions, retirements and extensions keeps the meaning of every id. The result
// of a transaction does not depend on the order of its blocks.
TEST(Layout, RandomHistoriesNeverMoveAnId) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    VocabularyLayout layout = Small();
    std::map<std::pair<std::string, int64_t>, int64_t> known;  // (block, local) -> global
    int64_t next_name = 0;
    for (int step = 0; step < 25; ++step) {
      const VocabularyBlock& chosen =
          layout.blocks(static_cast<int>(random() % layout.blocks_size()));
      const std::string id = chosen.id();
      const int64_t size = BlockSize(chosen);
      switch (random() % 4) {
        case 0: {
          if (auto retired = RetireBlock(layout, id); retired.ok()) layout = *retired;
          break;
        }
        case 1: {
          auto grown = GrowBlock(layout, id,
                                 {size + 1 + static_cast<int64_t>(random() % 4),
                                  chosen.content_hash(), "h" + std::to_string(step)});
          if (grown.ok()) layout = *grown;
          break;
        }
        case 2: {
          auto revived = AddBlocks(layout, {{id, size, chosen.content_hash(), ""}});
          ASSERT_TRUE(revived.ok()) << revived.status();
          layout = *revived;
          break;
        }
        default: {
          std::vector<BlockSpec> specs;
          for (uint32_t i = 0; i <= random() % 3; ++i) {
            specs.push_back(
                {"plugin.b" + std::to_string(random() % 7) + "_" + std::to_string(next_name++),
                 1 + static_cast<int64_t>(random() % 9), "", "plugin"});
          }
          const auto added = AddBlocks(layout, specs);
          std::shuffle(specs.begin(), specs.end(), random);
          ASSERT_TRUE(added.ok()) << added.status();
          EXPECT_EQ(Fingerprint(*added), Fingerprint(*AddBlocks(layout, specs)));
          layout = *added;
        }
      }
      ASSERT_TRUE(ValidateLayout(layout).ok()) << ValidateLayout(layout);
      std::map<std::pair<std::string, int64_t>, int64_t> now;
      for (const VocabularyBlock& block : layout.blocks()) {
        for (const VocabularyExtent& extent : block.extents()) {
          for (int64_t i = 0; i < extent.size(); ++i) {
            now[{block.id(), extent.local_begin() + i}] = extent.begin() + i;
          }
        }
      }
      for (const auto& [token, global] : known) ASSERT_EQ(now.at(token), global);
      known = std::move(now);
    }
  }
}

// One token per letter a..j; everything else is outside the vocabulary.
class Letters : public Tokenizer {
 public:
  explicit Letters(TokenBlockSpec spec) : spec_(std::move(spec)) {}
  const TokenBlockSpec& block() const override { return spec_; }
  absl::StatusOr<std::vector<int64_t>> Encode(absl::string_view text) const override {
    std::vector<int64_t> ids;
    for (char c : text) ids.push_back(c >= 'a' && c <= 'j' ? c - 'a' : -1);
    return ids;
  }
  absl::StatusOr<std::string> Decode(absl::Span<const int64_t> tokens) const override {
    std::string text;
    for (int64_t token : tokens) text.push_back(static_cast<char>('a' + token));
    return text;
  }

 private:
  const TokenBlockSpec spec_;
};

std::shared_ptr<const Vocabulary> SmallVocabulary() {
  auto vocabulary =
      Vocabulary::Create(Small(), std::make_shared<Letters>(TokenBlockSpec{"core.bpe", 10, ""}));
  EXPECT_TRUE(vocabulary.ok()) << vocabulary.status();
  return *vocabulary;
}

TEST(Vocabulary, TextIsEncodedAsGlobalIdsWithUnk) {
  auto vocabulary = SmallVocabulary();
  EXPECT_EQ(*vocabulary->EncodeText("acz"), std::vector<int64_t>({4, 6, 3}));
  EXPECT_EQ(*vocabulary->EncodeText(""), std::vector<int64_t>());
}

TEST(Vocabulary, DecodingSkipsTokensOfOtherBlocks) {
  auto vocabulary = SmallVocabulary();
  EXPECT_EQ(*vocabulary->DecodeText({0, 4, 3, 5, 14, 15, 2}), "ab");
  EXPECT_EQ(vocabulary->DecodeText({4, 20}).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(vocabulary->DecodeText({-1}).status().code(), absl::StatusCode::kOutOfRange);
}

TEST(Vocabulary, IdsAndIdentitiesAreInverse) {
  auto layout = AddBlocks(Small(), {{"depth.bin", 3, "a", "depth"}, {"e.f", 2, "", "e"}});
  auto grown = GrowBlock(*layout, "depth.bin", {6, "a", "b"});
  auto vocabulary = Vocabulary::Create(*grown, nullptr);
  ASSERT_TRUE(vocabulary.ok());
  for (int64_t id = 0; id < (*vocabulary)->size(); ++id) {
    auto token = (*vocabulary)->Identify(id);
    ASSERT_TRUE(token.ok());
    EXPECT_EQ(*(*vocabulary)->GlobalId(token->block, token->index), id);
  }
  EXPECT_EQ((*vocabulary)->BlockRanges("depth.bin")->size(), 2u);
  EXPECT_EQ(*(*vocabulary)->BlockSize("depth.bin"), 6);
  EXPECT_FALSE((*vocabulary)->Identify((*vocabulary)->size()).ok());
  EXPECT_EQ((*vocabulary)->GlobalId("depth.bin", 6).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ((*vocabulary)->GlobalId("nothing.here", 0).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(Vocabulary, MaskIsItsTokenOrUnk) {
  EXPECT_EQ(SmallVocabulary()->mask(), 14);
  BaseBlocks blocks;
  blocks.text_size = 10;
  blocks.mask = false;
  EXPECT_EQ((*Vocabulary::Create(*BaseLayout(blocks), nullptr))->mask(), 3);
  // The first of several tokens would be taken for it without a word.
  const auto several = Vocabulary::Create(*BaseLayout(blocks), nullptr, "core.special");
  EXPECT_NE(several.status().message().find("\"core.special\" of 4"), absl::string_view::npos)
      << several.status();
}

TEST(Vocabulary, RetiredBlocksAreHiddenAndTheirIdsListed) {
  auto layout = RetireBlock(Small(), "core.location_bin");
  auto vocabulary = Vocabulary::Create(*layout, nullptr);
  ASSERT_TRUE(vocabulary.ok());
  EXPECT_FALSE((*vocabulary)->HasBlock("core.location_bin"));
  EXPECT_EQ((*vocabulary)->BlockSize("core.location_bin").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ((*vocabulary)->Identify(15)->block, "core.location_bin");
  const std::vector<RetiredTokens> retired = RetiredTokensOf((*vocabulary)->layout());
  ASSERT_EQ(retired.size(), 1u);
  EXPECT_EQ(retired[0].block, "core.location_bin");
  EXPECT_EQ(retired[0].range.begin, 15);
  EXPECT_EQ(retired[0].range.end, 20);
  EXPECT_TRUE(RetiredTokensOf(Small()).empty());
}

TEST(Vocabulary, AnotherTokenizerIsRefused) {
  auto create = [](TokenBlockSpec spec) {
    BaseBlocks blocks;
    blocks.text_size = 10;
    blocks.text_hash = "hash_a";
    return Vocabulary::Create(*BaseLayout(blocks), std::make_shared<Letters>(std::move(spec)))
        .status();
  };
  EXPECT_TRUE(create({"core.bpe", 10, "hash_a"}).ok());
  EXPECT_TRUE(create({"core.bpe", 10, ""}).ok());
  EXPECT_TRUE(SaysAll(create({"core.bpe", 10, "hash_b"}), {"hash_a", "hash_b"}));
  EXPECT_TRUE(SaysAll(create({"core.bpe", 11, "hash_a"}), {"10", "11"}));
  EXPECT_TRUE(SaysAll(create({"core.text", 10, "hash_a"}), {"core.text", "core.bpe"}));
}

TEST(Vocabulary, TextWithoutATokenizerIsAnError) {
  auto vocabulary = Vocabulary::Create(Small(), nullptr);
  EXPECT_EQ((*vocabulary)->EncodeText("a").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ((*vocabulary)->DecodeText({4}).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace unival
