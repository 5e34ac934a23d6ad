// A seed must give the same numbers in every version, so these values may never change.
#include "sdk/base/random.h"

#include <gtest/gtest.h>

#include <cstring>

namespace unival {
namespace {

TEST(Random, GivesThePublishedSequenceOfSplitMix64) {
  SeededRandom random(0);
  EXPECT_EQ(random.Next(), 0xE220A8397B1DCDAFu);
  EXPECT_EQ(random.Next(), 0x6E789E6AA1B965F4u);
  EXPECT_EQ(random.Next(), 0x06C45D188009454Fu);
}

TEST(Random, DrawsTheSameNumbersForever) {
  SeededRandom random(7);
  EXPECT_EQ(random.Next(), 0x63CBE1E459320DD7u);
  EXPECT_EQ(random.Uniform(-2.5, 10), -0x1.252383ba4986ap+1);
  EXPECT_EQ(random.Uniform(-2.5, 10), 0x1.184de4c923b4dp+3);
  EXPECT_EQ(random.Uniform(-2.5, 10), 0x1.32581fbf42a24p+2);
  EXPECT_EQ(random.Integer(-3, 1000), 616);
  EXPECT_EQ(random.Integer(-3, 1000), 961);
  EXPECT_EQ(random.Integer(-3, 1000), 287);
  EXPECT_EQ(random.Normal(), -0x1.c4b34c13c900bp+0);
  EXPECT_EQ(random.Normal(), 0x1.65a86672685cap+1);
  EXPECT_EQ(random.Normal(), 0x1.4b1eab19d6aa2p-1);
}

uint64_t Bits(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

TEST(Random, DrawsTheSameNumbersForeverInLongRuns) {
  uint64_t hash = 0;
  SeededRandom random(123456789);
  for (int i = 0; i < 100000; ++i) {
    hash = hash * 31 + Bits(random.Uniform(0.85, 1.15));
    hash = hash * 31 + static_cast<uint64_t>(random.Integer(0, 17));
    hash = hash * 31 + Bits(random.Normal());
  }
  EXPECT_EQ(hash, 0x6ADD195E68489926u);
  hash = 0;
  SeededRandom other(7);
  for (uint64_t i = 0; i < 100000; ++i) {
    hash = hash * 31 + other.Next();
    hash = hash * 31 + other.Below(i + 1);
  }
  EXPECT_EQ(hash, 0x3B3FE8FAC39098CBu);
}

TEST(Random, AnEmptyRangeOfIntegersDrawsNothing) {
  SeededRandom random(7), untouched(7);
  EXPECT_EQ(random.Integer(5, 5), 5);
  EXPECT_EQ(random.Integer(5, 4), 5);
  EXPECT_EQ(random.Next(), untouched.Next());
}

TEST(Mix, HashesNumbersInTheirOrder) {
  EXPECT_EQ(Mix(1), 0x910A2DEC89025CC1u);
  EXPECT_EQ(Mix(1, 2, 3), 0xD0734750FDE362B3u);
  EXPECT_NE(Mix(1, 2), Mix(2, 1));
  EXPECT_EQ(SplitMix64Finalizer(0), 0u);
  EXPECT_EQ(Mix(0), SeededRandom(0).Next()) << "the first number of the generator";
}

TEST(Fnv1a, HashesNames) {
  EXPECT_EQ(Fnv1a(""), 0xCBF29CE484222325u);
  EXPECT_EQ(Fnv1a("a"), 0xAF63DC4C8601EC8Cu);  // the published test vectors
  EXPECT_EQ(Fnv1a("foobar"), 0x85944171F73967E8u);
}

TEST(UnitInterval, ReachesZeroAndNeverOne) {
  EXPECT_EQ(UnitInterval(0), 0.0);
  EXPECT_EQ(UnitInterval(~uint64_t{0}), 1 - 0x1p-53);
}

}  // namespace
}  // namespace unival
