#include "sdk/base/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace unival {
namespace {

TEST(JsonText, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(JsonText(nlohmann::json{{"path", "a\xff.png"}}), "{\"path\":\"a\xef\xbf\xbd.png\"}");
}

TEST(JsonText, KeepsTheOrderOfOrderedObjects) {
  EXPECT_EQ(JsonText(nlohmann::ordered_json{{"b", 1}, {"a", 2}}, 1), "{\n \"b\": 1,\n \"a\": 2\n}");
}

}  // namespace
}  // namespace unival
