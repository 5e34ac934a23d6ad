#include "sdk/base/memory_use.h"

#include <gtest/gtest.h>

#include <vector>

namespace unival {
namespace {

TEST(MemoryUse, CountsWhatIsTouchedAndRemembersTheMost) {
  constexpr int64_t kBlock = int64_t{64} << 20, kNoise = int64_t{8} << 20;
  const MemoryUse before = MemoryOfThisProcess();
  MemoryUse with;
  {
    const std::vector<char> block(kBlock, 'x');
    with = MemoryOfThisProcess();
    EXPECT_EQ(block.back(), 'x');
  }
  const MemoryUse after = MemoryOfThisProcess();
  EXPECT_GT(before.resident, 0);
  EXPECT_GT(before.own, 0);
  EXPECT_LE(before.own, before.resident);
  EXPECT_GE(with.addresses, with.resident);
  EXPECT_GT(with.resident - before.resident, kBlock - kNoise);
  EXPECT_GT(with.own - before.own, kBlock - kNoise);
  EXPECT_LT(after.resident, with.resident - kBlock + kNoise);
  // Linux first counts pages per thread and adds the counts later.
  EXPECT_GE(after.peak, with.resident - kNoise);
  EXPECT_EQ(PeakMemoryMb(), static_cast<double>(MemoryOfThisProcess().peak) / (1 << 20));
}

}  // namespace
}  // namespace unival
