#include "sdk/base/names.h"

#include <gtest/gtest.h>

#include <string>

namespace unival {
namespace {

TEST(NamesTest, ALowerSnakeWordBeginsWithALetter) {
  for (const char* good : {"a", "depth", "log_mel_2", "x_"})
    EXPECT_TRUE(IsLowerSnake(good)) << good;
  for (const char* bad : {"", "2d", "_x", "Depth", "a-b", "a b", "\xc3\xa4"}) {
    EXPECT_FALSE(IsLowerSnake(bad)) << bad;
  }
}

TEST(NamesTest, AnIdHasTwoTo48Bytes) {
  EXPECT_FALSE(IsId("a"));
  EXPECT_TRUE(IsId("ab"));
  EXPECT_TRUE(IsId(std::string(48, 'a')));
  EXPECT_FALSE(IsId(std::string(49, 'a')));
  EXPECT_FALSE(IsId("2d"));
}

}  // namespace
}  // namespace unival
