#include "sdk/base/json_parse.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/utf8.h"

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

using Ordered = nlohmann::ordered_json;

TEST(JsonParse, GivesTheValueAndKeepsTheOrderOfThoseThatHaveOne) {
  const auto json = ParseJson<Ordered>("{\"b\": 1, \"a\": [2, \"\u00e9\"]}");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(json->dump(), "{\"b\":1,\"a\":[2,\"\u00e9\"]}");
}

TEST(JsonParse, SaysWhereAndWhyWithoutTheLibrarysNameForIt) {
  for (const std::string& text : {std::string(), std::string("{"), std::string("[1,]"),
                                  std::string("{\"a\": 1e999}"), std::string("\"\xff\"")}) {
    const absl::Status status = ParseJson(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_FALSE(absl::StrContains(status.message(), "json.exception")) << status;
    EXPECT_FALSE(status.message().empty());
  }
  EXPECT_TRUE(absl::StartsWith(ParseJson("{\"a\": 1,\n]").status().message(),
                               "parse error at line 2, column 1"));
}

TEST(JsonParse, TellsWhatIsNoJsonFromWhatIsNoUtf8) {
  for (const char* text : {"{\"a\": NaN}", "{\"a\": 1e999}", "\"\\ud800\"", "{", "\u00e9",
                           "{\u00e9", "nothing of UTF-8", "\"a\tb\"", "{,} \"\xff\""}) {
    const absl::Status status = ParseJson(text).status();
    EXPECT_TRUE(kNotJson.IsOf(status) && !kNotUtf8.IsOf(status)) << text << ": " << status;
  }
  for (const char* text : {"\"\xff\"", "{\"caf\xe9\": 1}", "\"\u00e9\xc3\""}) {
    const absl::Status status = ParseJson(text).status();
    EXPECT_TRUE(kNotUtf8.IsOf(status) && !kNotJson.IsOf(status)) << text << ": " << status;
  }
}

TEST(JsonParse, RefusesDeepTextsBeforeTheLibraryFollowsThem) {
  const std::string deep = std::string(400000, '[') + std::string(400000, ']');
  const absl::Status status = ParseJson<Ordered>("{\"a\": " + deep + "}").status();
  EXPECT_TRUE(absl::StrContains(status.message(), "more than 64 lists")) << status;
}

TEST(JsonParse, TellsAListenerOfKeysThatStandTwice) {
  std::vector<std::string> keys;
  const auto json = ParseJson("{\"a\": 1, \"a\": 2}",
                              [&](int, nlohmann::json::parse_event_t event, nlohmann::json& value) {
                                if (event == nlohmann::json::parse_event_t::key)
                                  keys.push_back(value.get<std::string>());
                                return true;
                              });
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "a"}));
}

TEST(JsonParse, WrongTypesBecomeTheCallersError) {
  const Ordered json = {{"a", "text"}};
  const auto read = [&](const char* key) {
    return CatchJson(
        [&]() -> absl::StatusOr<int> { return json.at(key).get<int>(); },
        [](absl::string_view why) { return absl::DataLossError(absl::StrCat("f.json: ", why)); });
  };
  EXPECT_EQ(read("a").status().message(), "f.json: type must be number, but is string");
  EXPECT_EQ(read("b").status().message(), "f.json: key 'b' not found");
  EXPECT_TRUE(absl::IsDataLoss(read("b").status()));
}

}  // namespace
}  // namespace unival
