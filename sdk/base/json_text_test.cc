#include "sdk/base/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sdk/base/printable.h"

namespace unival {
namespace {

TEST(JsonText, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(JsonText(nlohmann::json{{"path", "a\xff.png"}}), "{\"path\":\"a\xef\xbf\xbd.png\"}");
}

TEST(JsonText, StaysJsonOnItsWayToATerminal) {
  const nlohmann::json json = {{"a", "\x7f \x1b \xc2\x9b \xe2\x80\x8f \xe2\x81\xa6 \xd7\x90"}};
  EXPECT_EQ(nlohmann::json::parse(Printable(JsonText(json, 2))), json);
}

TEST(JsonText, KeepsTheOrderOfOrderedObjects) {
  EXPECT_EQ(JsonText(nlohmann::ordered_json{{"b", 1}, {"a", 2}}, 1), "{\n \"b\": 1,\n \"a\": 2\n}");
}

}  // namespace
}  // namespace unival
