#include "sdk/base/own_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unival {
namespace {

using ::testing::EndsWith;

TEST(OwnObject, IsTheProgramWhereTheCodeIsLinkedIntoOne) {
  EXPECT_TRUE(OwnObject().is_program);
  EXPECT_EQ(OwnObject().file, ThisProgram());
}

TEST(ThisProgram, IsTheTest) { EXPECT_THAT(ThisProgram(), EndsWith("/own_object_test")); }

}  // namespace
}  // namespace unival
