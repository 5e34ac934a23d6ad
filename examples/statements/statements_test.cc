// Statements have the right meaning; each is true for one picture and false for another; pictures
// match their descriptions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "examples/statements/make_statements.h"
#include "examples/statements/phrases.h"
#include "examples/statements/picture.h"
#include "examples/statements/statement.h"
#include "sdk/base/test_files.h"
#include "sdk/base/test_json_lines.h"

namespace unival::statements {
namespace {

using nlohmann::json;
using world::Random;

StatementOptions Small(const std::string& folder) {
  StatementOptions options;
  options.output_dir = folder;
  options.train_count = 40;
  options.eval_count = 10;
  return options;
}

int Number(const std::string& word) {
  static const auto* const kWords = new std::map<std::string, int>{
      {"a", 1}, {"one", 1}, {"two", 2}, {"three", 3}, {"four", 4}, {"five", 5}};
  const auto found = kWords->find(word);
  return found == kWords->end() ? std::stoi(word) : found->second;
}

int CountBlocks(const Picture& picture, const std::string& color) {
  int count = 0;
  for (const Box& box : picture.boxes) {
    for (const Item& item : box) count += ColorWord(item.color) == color ? 1 : 0;
  }
  return count;
}

// The meaning of a few forms of statements, implemented independently of the code that makes them.
bool Means(const std::smatch& words, const std::string& form, const Picture& picture) {
  const auto any = [&](const auto& holds) {
    return std::any_of(picture.boxes.begin(), picture.boxes.end(), holds);
  };
  if (form == "blocks") return CountBlocks(picture, words[2]) == Number(words[1]);
  if (form == "top") {
    return any([&](const Box& box) { return ColorWord(box.back().color) == words[1]; });
  }
  if (form == "on") {
    return any([&](const Box& box) {
      for (size_t i = 1; i < box.size(); ++i) {
        if (ColorWord(box[i].color) == words[1] && ColorWord(box[i - 1].color) == words[2])
          return true;
      }
      return false;
    });
  }
  if (form == "base") {
    return any([](const Box& box) {
      return std::any_of(box.begin(), box.end(), [](const Item& item) {
        return item.shape == Shape::kCircle && item.y + item.size == kBoxSide;
      });
    });
  }
  return any([&](const Box& box) { return static_cast<int>(box.size()) == Number(words[1]); });
}

TEST(Statements, MeanWhatTheySay) {
  const std::map<std::string, std::string> forms = {
      {"blocks", "there (?:is|are) (?:exactly |only )?(\\w+) (black|blue|yellow) blocks?\\.?"},
      {"top", "there is a (black|blue|yellow) block as the top of (?:a|the) tower\\.?"},
      {"on",
       "there is a (black|blue|yellow) block (?:on|over|above) a (black|blue|yellow) block\\.?"},
      {"base", "there is a circle touching the (?:base|bottom)\\.?"},
      {"boxes", "there is a (?:grey )?box with exactly (\\w+) (?:items|objects|blocks)\\.?"}};
  std::set<std::string> seen;
  Random random(3);
  for (int i = 0; i < 20000; ++i) {
    const bool towers = i % 2 == 0;
    const Statement statement = SampleStatement(towers, &random);
    for (const auto& [form, pattern] : forms) {
      std::smatch words;
      if (!std::regex_match(statement.words, words, std::regex(pattern))) continue;
      if (form == "blocks" && (words[1] == "a" || words[1] == "no")) continue;
      seen.insert(form);
      for (int j = 0; j < 20; ++j) {
        const Picture picture = SamplePicture(towers, &random);
        ASSERT_EQ(statement.holds(picture), Means(words, form, picture)) << statement.words;
      }
    }
  }
  EXPECT_EQ(seen.size(), forms.size());
}

TEST(Statements, EachIsTrueOfOnePictureAndFalseOfAnother) {
  const std::string folder = NewFolder();
  ASSERT_TRUE(GenerateStatements(Small(folder)).ok());
  const auto records = JsonLines(folder + "/statements/train/statement.jsonl");
  ASSERT_EQ(records.size(), 80);
  int first_true = 0;
  for (size_t i = 0; i < records.size(); i += 2) {
    EXPECT_EQ(records[i].at("sentence"), records[i + 1].at("sentence"));
    EXPECT_NE(records[i].at("label"), records[i + 1].at("label"));
    EXPECT_NE(records[i].at("image"), records[i + 1].at("image"));
    first_true += records[i].at("label") == "true" ? 1 : 0;
  }
  // The order does not reveal the answer.
  EXPECT_GT(first_true, 8);
  EXPECT_LT(first_true, 32);
  EXPECT_EQ(JsonLines(folder + "/statements/eval/statement.jsonl").size(), 20);
  const auto lists = JsonLines(folder + "/statements/train/describe.jsonl");
  ASSERT_EQ(lists.size(), 80);
  for (const json& list : lists) {
    EXPECT_THAT(list.at("question").get<std::string>(),
                ::testing::MatchesRegex("what is in the (left|middle|right) box.*"));
    EXPECT_THAT(list.at("answer").get<std::string>(),
                ::testing::ContainsRegex("black|blue|yellow"));
  }
}

TEST(Statements, TheSameSeedGivesTheSameBytes) {
  const std::string first = NewFolder("first"), second = NewFolder("second");
  ASSERT_TRUE(GenerateStatements(Small(first)).ok());
  StatementOptions options = Small(second);
  ASSERT_TRUE(GenerateStatements(options).ok());
  const std::string other = NewFolder("other");
  options.output_dir = other;
  options.seed = 2;
  ASSERT_TRUE(GenerateStatements(options).ok());
  for (const char* file : {"images.tar", "statement.jsonl", "describe.jsonl"}) {
    const std::string path = std::string("/statements/train/") + file;
    EXPECT_EQ(ReadText(first + path), ReadText(second + path));
    EXPECT_NE(ReadText(first + path), ReadText(other + path));
  }
}

TEST(Statements, OptionsThatCannotBeAreRefused) {
  StatementOptions options = Small(NewFolder());
  options.towers = 1.5;
  EXPECT_EQ(GenerateStatements(options).code(), absl::StatusCode::kInvalidArgument);
  options = Small(NewFolder());
  options.eval_count = -1;
  EXPECT_EQ(GenerateStatements(options).code(), absl::StatusCode::kInvalidArgument);
  options = Small("");
  EXPECT_EQ(GenerateStatements(options).code(), absl::StatusCode::kInvalidArgument);
}

TEST(Pictures, ItemsLieInTheirBoxesApartFromEachOther) {
  Random random(5);
  std::set<size_t> counts;
  for (int i = 0; i < 400; ++i) {
    const Picture picture = SamplePicture(/*towers=*/i % 2 == 0, &random);
    for (const Box& box : picture.boxes) {
      ASSERT_FALSE(box.empty());
      counts.insert(box.size());
      for (const Item& item : box) {
        EXPECT_GE(std::min(item.x, item.y), 0);
        EXPECT_LE(std::max(item.x, item.y) + item.size, kBoxSide);
        for (const Item& other : box) {
          if (&item == &other) continue;
          EXPECT_TRUE(item.x >= other.x + other.size || other.x >= item.x + item.size ||
                      item.y >= other.y + other.size || other.y >= item.y + item.size);
        }
      }
    }
  }
  EXPECT_EQ(counts, (std::set<size_t>{1, 2, 3, 4, 5, 6, 7}));
}

TEST(Pictures, AreDrawnWhereTheirItemsLie) {
  Picture picture;
  picture.boxes[0] = {{Shape::kSquare, Color::kBlue, 20, 40, 80}};
  picture.boxes[1] = {{Shape::kTriangle, Color::kBlack, 30, 0, 0}};
  picture.boxes[2] = {{Shape::kCircle, Color::kYellow, 10, 90, 0}};
  const world::RgbImage image = Render(picture);
  ASSERT_EQ(image.width, 400);
  ASSERT_EQ(image.height, 100);
  const auto pixel = [&](int x, int y) {
    const uint8_t* at = &image.pixels[(y * image.width + x) * 3];
    return std::vector<int>{at[0], at[1], at[2]};
  };
  const std::vector<int> ground = {211, 211, 211};
  EXPECT_EQ(pixel(40, 80), (std::vector<int>{0, 153, 255}));
  EXPECT_EQ(pixel(59, 99), (std::vector<int>{0, 153, 255}));
  EXPECT_EQ(pixel(60, 99), ground);
  EXPECT_EQ(pixel(125, 50), (std::vector<int>{128, 128, 128}));
  EXPECT_EQ(pixel(165, 28), (std::vector<int>{0, 0, 0}));
  EXPECT_EQ(pixel(150, 0), ground);  // beside the triangle's point
  EXPECT_EQ(pixel(395, 5), (std::vector<int>{255, 255, 0}));
  EXPECT_EQ(pixel(390, 0), ground);  // a circle has no corner
}

}  // namespace
}  // namespace unival::statements
