#include "sdk/base/shapes.h"

#include <gtest/gtest.h>

#include <vector>

namespace unival {
namespace {

TEST(ShapesTest, SizesStandInBrackets) {
  EXPECT_EQ(ShapeText(std::vector<int64_t>{2, 3, 16}), "[2, 3, 16]");
  EXPECT_EQ(ShapeText({7}), "[7]");
  EXPECT_EQ(ShapeText({}), "[]");
}

}  // namespace
}  // namespace unival
