#include "sdk/base/printable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unival {
namespace {

using ::testing::HasSubstr;
using ::testing::Lt;

TEST(PrintableTest, TextOfAnyLanguageStaysAsItIs) {
  const std::string text = "a b\tc\nПривет, 世界 😀 é";
  EXPECT_EQ(Printable(text), text);
}

TEST(PrintableTest, WhatATerminalWouldActOnIsEscaped) {
  EXPECT_EQ(Printable("\x1b[2J\r\a\x7f"), "\\x1b[2J\\x0d\\x07\\u007f");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\u009b31m");
  EXPECT_EQ(Printable("\xe2\x80\xae"), "\\u202e") << "text from right to left";
  EXPECT_EQ(Printable(std::string("a\0b", 3)), "a\\x00b");
}

TEST(PrintableTest, ALineOfAPluginStaysOneLine) {
  EXPECT_EQ(PrintableLine("1.0\nforged  1\tok \x1b[2J é"), "1.0\\nforged  1\\tok \\x1b[2J é");
}

TEST(PrintableTest, BytesThatAreNoUtf8AreEscaped) {
  EXPECT_EQ(Printable("\xff"), "\\xff");
  EXPECT_EQ(Printable("\xc3"), "\\xc3");
  EXPECT_EQ(Printable("\xc0\xaf"), "\\xc0\\xaf") << "a longer spelling than needed";
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half of a pair";
  EXPECT_EQ(Printable("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
}

TEST(PrintableTest, OfALongMessageBothEndsAreShown) {
  const std::string text = PrintableMessage("BEGIN" + std::string(4 << 20, 'x') + "END");
  EXPECT_THAT(text.size(), Lt(2 * kMaxMessage));
  EXPECT_EQ(text.substr(0, 6), "BEGINx");
  EXPECT_EQ(text.substr(text.size() - 4), "xEND");
  EXPECT_THAT(text, HasSubstr("bytes left out"));
}

TEST(ShownName, IsEscapedAndCut) {
  EXPECT_EQ(ShownName("a\n\xff\"b"), "a\\n\\xff\\\"b");
  EXPECT_EQ(ShownName(std::string(1000, 'x')), std::string(200, 'x'));
}

}  // namespace
}  // namespace unival
