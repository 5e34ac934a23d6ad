#include "sdk/native/tensor_text.h"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

namespace unival {
namespace {

TEST(TensorText, SaysDtypeAndShape) {
  EXPECT_EQ(TensorText(at::empty({2, 3})), "Float [2, 3]");
  EXPECT_EQ(TensorText(at::empty({}, at::kLong)), "Long []");
  EXPECT_EQ(ShapeText(at::empty({2, 3})), "[2, 3]");
}

TEST(TensorText, AnUndefinedTensorHasNeither) {
  EXPECT_EQ(TensorText(at::Tensor()), "(undefined)");
  EXPECT_EQ(ShapeText(at::Tensor()), "(undefined)");
}

}  // namespace
}  // namespace unival
