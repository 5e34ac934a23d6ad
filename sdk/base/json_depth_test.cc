#include "sdk/base/json_depth.h"

#include <gtest/gtest.h>

#include <string>

namespace unival {
namespace {

TEST(JsonDepth, CountsListsAndObjectsButNotWhatStandsInTexts) {
  const std::string deep(kMaxJsonDepth, '['), back(kMaxJsonDepth, ']');
  EXPECT_TRUE(CheckJsonDepth("").ok());
  EXPECT_TRUE(CheckJsonDepth(deep + "1" + back).ok());
  EXPECT_TRUE(CheckJsonDepth(deep + back + deep + back).ok()) << "one after the other";
  EXPECT_TRUE(CheckJsonDepth("{\"a\": \"" + deep + deep + "\"}").ok());
  EXPECT_TRUE(CheckJsonDepth("{\"a\\\"" + deep + "\": \"\\\\\"}").ok());
  const absl::Status status = CheckJsonDepth(deep + "{}" + back);
  EXPECT_NE(status.message().find("byte 64: more than 64 lists"), absl::string_view::npos)
      << status;
  EXPECT_FALSE(CheckJsonDepth("\"" + deep + "\\\"\"" + deep + "[").ok());
}

}  // namespace
}  // namespace unival
