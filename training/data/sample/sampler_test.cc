#include "training/data/sample/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace unival {
namespace {

using testing::HasSubstr;

SamplerOptions ThreeSources() {
  SamplerOptions options;
  options.seed = 7;
  options.sources = {{"caption", 100, 2.0, 0, 8}, {"vqa", 37, 1.0, 0, 4}, {"text", 10, 0.5, 50, 3}};
  return options;
}

BalancedSampler Make(const SamplerOptions& options) { return *BalancedSampler::Create(options); }

bool SameBatch(const MicroBatch& a, const MicroBatch& b) {
  return a.source == b.source && a.epoch == b.epoch && a.indices == b.indices && a.seeds == b.seeds;
}

TEST(SamplerTest, PermutationsVisitEveryRecordOnce) {
  for (const int64_t size : {1, 2, 3, 5, 16, 17, 100, 1000}) {
    std::set<int64_t> seen;
    for (int64_t i = 0; i < size; ++i) seen.insert(PermutedIndex(i, size, 99));
    EXPECT_EQ(static_cast<int64_t>(seen.size()), size);
    EXPECT_EQ(*seen.begin(), 0);
    EXPECT_EQ(*seen.rbegin(), size - 1);
  }
}

TEST(SamplerTest, PermutationsOfDifferentKeysLookUnrelated) {
  int fixed = 0, in_order = 0;
  for (int64_t i = 0; i + 1 < 1000; ++i) {
    fixed += PermutedIndex(i, 1000, 1) == PermutedIndex(i, 1000, 2);
    in_order += PermutedIndex(i, 1000, 1) < PermutedIndex(i + 1, 1000, 1);
  }
  EXPECT_LT(fixed, 10);
  EXPECT_NEAR(in_order, 500, 60);
}

TEST(SamplerTest, EveryEpochShowsEveryRecordOnce) {
  SamplerOptions options;
  options.sources = {{"only", 37, 1.0, 0, 5}};
  BalancedSampler sampler = Make(options);
  std::vector<int64_t> drawn;
  while (drawn.size() < 3 * 37) {
    for (const int64_t index : sampler.Next(0).indices) drawn.push_back(index);
  }
  for (int epoch = 0; epoch < 3; ++epoch) {
    const std::set<int64_t> seen(drawn.begin() + 37 * epoch, drawn.begin() + 37 * (epoch + 1));
    EXPECT_EQ(seen.size(), 37u) << epoch;
  }
  EXPECT_NE(std::vector<int64_t>(drawn.begin(), drawn.begin() + 37),
            std::vector<int64_t>(drawn.begin() + 37, drawn.begin() + 74));
}

TEST(SamplerTest, EverySourceStaysWithinOneBatchOfItsShare) {
  BalancedSampler sampler = Make(ThreeSources());
  const double shares[] = {2.0 / 3.5, 1.0 / 3.5, 0.5 / 3.5};
  std::vector<double> counts(3, 0);
  for (int n = 1; n <= 2000; ++n) {
    ++counts[sampler.Next(/*step=*/1000).source];
    for (int i = 0; i < 3; ++i) EXPECT_LE(std::abs(counts[i] - shares[i] * n), 1.0) << n;
  }
}

TEST(SamplerTest, ALockedSourceWaitsForItsStep) {
  BalancedSampler sampler = Make(ThreeSources());
  for (int step = 0; step < 50; ++step) EXPECT_NE(sampler.Next(step).source, 2);
  std::set<int> later;
  for (int step = 50; step < 70; ++step) later.insert(sampler.Next(step).source);
  EXPECT_EQ(later.count(2), 1u);
  EXPECT_EQ(sampler.drawn(2) % 3, 0);
}

TEST(SamplerTest, EqualSeedsGiveEqualBatchesAndOthersDoNot) {
  SamplerOptions options = ThreeSources();
  BalancedSampler a = Make(options), b = Make(options);
  options.seed = 8;
  BalancedSampler c = Make(options);
  bool differs = false;
  for (int step = 0; step < 100; ++step) {
    const MicroBatch batch = a.Next(step);
    EXPECT_TRUE(SameBatch(batch, b.Next(step)));
    differs |= !SameBatch(batch, c.Next(step));
  }
  EXPECT_TRUE(differs);
}

TEST(SamplerTest, ARestoredSamplerGoesOnWhereItStopped) {
  for (const int stop : {0, 1, 17, 60}) {
    BalancedSampler whole = Make(ThreeSources()), resumed = Make(ThreeSources());
    for (int step = 0; step < stop; ++step) whole.Next(step);
    ASSERT_TRUE(resumed.Restore(whole.Save()).ok());
    for (int step = stop; step < 120; ++step) {
      EXPECT_TRUE(SameBatch(whole.Next(step), resumed.Next(step))) << step;
    }
    EXPECT_EQ(whole.Save(), resumed.Save());
  }
}

TEST(SamplerTest, RanksShareTheSourceAndSplitTheRows) {
  SamplerOptions options = ThreeSources();
  options.world_size = 2;
  BalancedSampler first = Make(options);
  options.rank = 1;
  BalancedSampler second = Make(options);
  std::vector<int64_t> captions;
  for (int step = 0; captions.size() < 100; ++step) {
    const MicroBatch a = first.Next(step), b = second.Next(step);
    ASSERT_EQ(a.source, b.source);
    if (a.source != 0) continue;
    captions.insert(captions.end(), a.indices.begin(), a.indices.end());
    captions.insert(captions.end(), b.indices.begin(), b.indices.end());
  }
  EXPECT_EQ(std::set<int64_t>(captions.begin(), captions.begin() + 100).size(), 100u);
}

TEST(SamplerTest, AWorldOfAnotherSizeGoesOnBehindTheRowsDrawn) {
  SamplerOptions options = ThreeSources();
  options.world_size = 2;
  BalancedSampler before = Make(options);
  for (int step = 0; step < 31; ++step) before.Next(step);
  options.world_size = 1;
  BalancedSampler after = Make(options);
  ASSERT_TRUE(after.Restore(before.Save()).ok());
  for (int source = 0; source < 3; ++source) EXPECT_EQ(after.drawn(source), before.drawn(source));
  for (int step = 31; step < 60; ++step) after.Next(step);
  EXPECT_TRUE(before.Restore(after.Save()).ok());
}

TEST(SamplerTest, RowsHaveSeedsOfTheirOwn) {
  BalancedSampler sampler = Make(ThreeSources());
  std::set<uint64_t> seeds;
  size_t rows = 0;
  for (int step = 0; step < 100; ++step) {
    for (const uint64_t seed : sampler.Next(step).seeds) {
      seeds.insert(seed);
      ++rows;
    }
  }
  EXPECT_EQ(seeds.size(), rows);
}

TEST(SamplerTest, StatesOfOtherRunsAreRefused) {
  BalancedSampler sampler = Make(ThreeSources());
  SamplerOptions other = ThreeSources();
  other.sources[1].size = 38;
  EXPECT_THAT(std::string(sampler.Restore(Make(other).Save()).message()),
              HasSubstr("belongs to other data"));
  EXPECT_FALSE(sampler.Restore("{").ok());
  EXPECT_FALSE(sampler.Restore("{}").ok());
  EXPECT_FALSE(sampler.Restore("[]").ok());
  EXPECT_THAT(std::string(sampler.Restore("{").message()),
              testing::StartsWith("sampler state: parse error at line 1"));
  EXPECT_THAT(std::string(sampler.Restore("{}").message()),
              testing::StartsWith("sampler state: key 'identity' not found"));
}

TEST(SamplerTest, SettingsAreCheckedByField) {
  const auto error = [](auto change) {
    SamplerOptions options = ThreeSources();
    change(options);
    return std::string(BalancedSampler::Create(options).status().message());
  };
  EXPECT_THAT(error([](SamplerOptions& o) { o.sources[1].size = 0; }),
              HasSubstr("source \"vqa\": records: expected at least one, got 0"));
  EXPECT_THAT(error([](SamplerOptions& o) { o.sources[0].weight = -1; }),
              HasSubstr("source \"caption\": weight"));
  EXPECT_THAT(error([](SamplerOptions& o) { o.sources[0].weight = NAN; }), HasSubstr("weight"));
  EXPECT_THAT(error([](SamplerOptions& o) { o.sources[0].batch = 0; }), HasSubstr("batch"));
  EXPECT_THAT(error([](SamplerOptions& o) { o.rank = 1; }), HasSubstr("rank 1 of a world of 1"));
  EXPECT_THAT(
      error([](SamplerOptions& o) { o.sources[0].unlock_step = o.sources[1].unlock_step = 1; }),
      HasSubstr("unlock_step: 0"));
}

TEST(SamplerTest, ANameOfAnyBytesIsSavedAndRestored) {
  SamplerOptions options = ThreeSources();
  options.sources[1].name = "\xff\xfe";
  BalancedSampler sampler = Make(options);
  sampler.Next(0);
  const std::string saved = sampler.Save();
  BalancedSampler other = Make(options);
  EXPECT_TRUE(other.Restore(saved).ok()) << other.Restore(saved);
  EXPECT_TRUE(SameBatch(sampler.Next(1), other.Next(1)));
}

SamplerOptions MixedSources(int64_t rows) {
  SamplerOptions options = ThreeSources();
  options.mixed_rows = rows;
  return options;
}

TEST(SamplerTest, MixedRowsKeepEverySourceWithinOneRowOfItsShare) {
  BalancedSampler sampler = Make(MixedSources(7));
  std::vector<double> share(3, 0), drawn(3, 0);
  for (int64_t step = 0; step < 120; ++step) {
    const MicroBatch batch = sampler.Next(step);
    ASSERT_EQ(batch.indices.size(), 7u);
    EXPECT_EQ(batch.source, batch.sources[0]);
    std::vector<int64_t> rows(3, 0);
    for (const int source : batch.sources) ++rows[static_cast<size_t>(source)];
    EXPECT_EQ(batch.source_rows, rows);
    const double total = step < 50 ? 3 : 3.5;
    const double weights[] = {2, 1, step < 50 ? 0 : 0.5};
    for (size_t i = 0; i < 3; ++i) {
      share[i] += 7 * weights[i] / total;
      drawn[i] += static_cast<double>(rows[i]);
      EXPECT_LE(std::abs(share[i] - drawn[i]), 1 + 1e-9) << step << " " << i;
    }
  }
}

TEST(SamplerTest, RanksShareTheMixedRowsThatOneWouldDraw) {
  BalancedSampler whole = Make(MixedSources(8));
  std::vector<BalancedSampler> ranks;
  for (const int rank : {0, 1}) {
    SamplerOptions options = MixedSources(4);
    options.rank = rank, options.world_size = 2;
    ranks.push_back(Make(options));
  }
  for (int64_t step = 0; step < 60; ++step) {
    const MicroBatch expected = whole.Next(step);
    MicroBatch joined = ranks[0].Next(step);
    const MicroBatch second = ranks[1].Next(step);
    EXPECT_EQ(joined.source_rows, expected.source_rows);
    EXPECT_EQ(second.source_rows, expected.source_rows);
    joined.indices.insert(joined.indices.end(), second.indices.begin(), second.indices.end());
    joined.sources.insert(joined.sources.end(), second.sources.begin(), second.sources.end());
    joined.seeds.insert(joined.seeds.end(), second.seeds.begin(), second.seeds.end());
    EXPECT_EQ(joined.indices, expected.indices);
    EXPECT_EQ(joined.sources, expected.sources);
    EXPECT_EQ(joined.seeds, expected.seeds);
  }
}

TEST(SamplerTest, MixedRowsGoOnFromASavedStateAlsoInAnotherWorld) {
  BalancedSampler sampler = Make(MixedSources(6));
  for (int64_t step = 0; step < 20; ++step) sampler.Next(step);
  BalancedSampler again = Make(MixedSources(6));
  ASSERT_EQ(again.Restore(sampler.Save()), absl::OkStatus());
  SamplerOptions half = MixedSources(6);
  half.world_size = 2;
  BalancedSampler wider = Make(half);
  ASSERT_EQ(wider.Restore(sampler.Save()), absl::OkStatus());
  const MicroBatch expected = sampler.Next(20);
  EXPECT_TRUE(SameBatch(again.Next(20), expected));
  EXPECT_EQ(wider.Next(20).indices, expected.indices) << "the first rank has the first rows";
  EXPECT_FALSE(Make(ThreeSources()).Restore(sampler.Save()).ok()) << "rows that are not mixed";
}

}  // namespace
}  // namespace unival
