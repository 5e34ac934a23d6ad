#include "sdk/base/byte_order.h"

#include <gtest/gtest.h>

namespace unival {
namespace {

TEST(ByteOrder, IsOfWhatStandsThere) {
  EXPECT_EQ(LittleEndian("\x01\x02\xff\x77", 3), 0xff0201u);
  EXPECT_EQ(BigEndian("\x01\x02\xff\x77", 3), 0x0102ffu);
  EXPECT_EQ(LittleEndian("\xff\xff\xff\xff\xff\xff\xff\xff", 8), ~uint64_t{0});
}

TEST(ByteOrder, TakesBytesBeyondTheEndForZero) {
  EXPECT_EQ(LittleEndian("\x01\x02", 4), 0x0201u);
  EXPECT_EQ(BigEndian("\x01\x02", 4), 0x01020000u);
  EXPECT_EQ(LittleEndian("", 8), 0u);
}

TEST(ByteOrder, WritesWhatItReads) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{0x80}, uint64_t{0x1234567890abcdef}}) {
    EXPECT_EQ(LittleEndian(LittleEndianBytes(value, 8), 8), value);
    EXPECT_EQ(BigEndian(BigEndianBytes(value, 8), 8), value);
    EXPECT_EQ(LittleEndian(LittleEndianBytes(value, 3), 3), value & 0xffffff) << "the lowest";
  }
}

}  // namespace
}  // namespace unival
