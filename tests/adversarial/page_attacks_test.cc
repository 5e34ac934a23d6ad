// Records whose texts contain active HTML or are extremely long; folders with links where the
// program writes; models whose weights are not finite numbers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/adversarial/command_attack.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kScript[] = "\\\"'><script>alert(1)</script><img src=x onerror=alert(1)>";

// Writes records for the task "vqa".
void WriteRecords(const std::string& name, const std::string& text) {
  WriteText(
      Workplace().Path(name),
      absl::StrCat("{\"image\": \"picture.png\", \"question\": \"is it ", text,
                   "\", \"answer\": \"", text, "\", \"kind\": \"", text, "\"}\n", "{\"image\": \"",
                   text, ".png\", \"question\": \"x\", \"answer\": \"y\"}\n",
                   "{\"image\": \"picture.png\", \"question\": \"q\", \"answer\": \"", text,
                   "\", \"", text, "\": \"", text, "\"}\n"));
}

TEST(PageAttacks, TextsOfRecordsStayTexts) {
  const std::vector<std::pair<std::string, std::vector<int>>> commands = {
      {"unival data check script.jsonl --task vqa --model models/nano --html page.html", {3}},
      {"unival data show script.jsonl --task vqa --model models/nano --html page.html --count 3",
       {3}},
      {"unival eval models/nano --task vqa --data script.jsonl --max_unreadable 1 --report "
       "page.html",
       {0}}};
  for (const std::string& text :
       {std::string(kScript), std::string("]]><!--<svg onload=alert(1)>"),
        std::string("</title></style><script>"), std::string("\\u0001\\u001b[2J\\u202e")}) {
    WriteRecords("script.jsonl", text);
    for (const auto& [command, codes] : commands) {
      fs::remove(Workplace().Path("page.html"));
      Try(Workplace(), {absl::StrCat(text, " in ", command), command, codes, ""});
      const std::string page = ReadText(Workplace().Path("page.html"));
      for (const char* acting : {"<script", "<img src=x", "<svg onload", "onerror=alert(1)>"}) {
        EXPECT_THAT(page, Not(HasSubstr(acting))) << command;
      }
    }
  }
  const std::string name = "x'\"><script>.jsonl";
  fs::copy(Workplace().Path("script.jsonl"), Workplace().Path(name));
  Try(Workplace(), {"a script as a file's name",
                    "unival data check \"x'\\\"><script>.jsonl\" --task vqa --html page.html",
                    {3},
                    ""});
  EXPECT_THAT(ReadText(Workplace().Path("page.html")), Not(HasSubstr("<script")));
}

// Streaming the text takes time proportional to its length, not to the square of the length.
TEST(PageAttacks, TextsOfAMegabyteAreShownAndCounted) {
  std::string words;
  for (int i = 0; i < 100000; ++i) words += "word ";
  for (const std::string& text : {words, std::string(500000, 'w')}) {
    WriteText(Workplace().Path("long.jsonl"),
              absl::StrCat("{\"image\": \"picture.png\", \"question\": \"", text,
                           "\", \"answer\": \"", text, "\"}\n"));
    for (const auto& [command, codes] : std::vector<std::pair<std::string, std::vector<int>>>{
             {"data show long.jsonl --task vqa --model models/nano --html page.html", {0, 3}},
             {"prompts show vqa --model models/nano --data long.jsonl >shown.txt", {0}},
             {"data check long.jsonl --task vqa --model models/nano", {3}},
             {"eval models/nano --task vqa --data long.jsonl --max_unreadable 1", {0}}}) {
      Try(Workplace(), {"a text of a megabyte: " + command, "unival " + command, codes, ""});
    }
  }
}

TEST(PageAttacks, LinksWhereTheProgramWritesAreNotFollowed) {
  const Program& place = Workplace();
  const std::string json =
      "{\"images\": [{\"id\": 7, \"file_name\": \"7.png\"}], \"annotations\": [{\"id\": 1, "
      "\"image_id\": 7, \"caption\": \"x\"}]}";
  WriteText(place.Path("set/annotations/captions_val2017.json"), json);
  WriteText(place.Path("set/classes/owl/1.png"), "x");
  fs::create_directories(place.Path("set/val2017"));
  fs::copy(place.Path("picture.png"), place.Path("set/val2017/7.png"));
  WriteText(place.Path("precious"), "keep me");
  for (const char* file : {"out.jsonl", "out.tar", "t.model"}) {
    fs::create_symlink("../precious", place.Path(absl::StrCat("set/", file, ".tmp")));
    fs::create_symlink("../precious", place.Path(absl::StrCat("set/", file)));
  }
  for (const auto& [command, codes] : std::vector<std::pair<std::string, std::vector<int>>>{
           {"data import coco-captions set set/out.jsonl --split val2017", {0}},
           {"data import folder set/classes set/out.tar", {0}},
           {"data train-tokenizer a.jsonl set/t.model --size 60", {0, 1}}}) {
    Try(place, {command, "unival " + command, codes, ""});
    EXPECT_EQ(ReadText(place.Path("precious")), "keep me") << command;
  }
  EXPECT_FALSE(fs::is_symlink(place.Path("set/out.jsonl")));
  EXPECT_FALSE(fs::is_symlink(place.Path("set/out.tar")));
}

// Media of a data set that are links to other places, or are not files.
TEST(PageAttacks, MediaThatAnImportCannotTake) {
  const Program& place = Workplace();
  const std::string begin =
      "{\"annotations\": [{\"id\": 1, \"image_id\": 7, \"caption\": \"x\"}], ";
  fs::create_directories(place.Path("odd/val2017"));
  fs::create_symlink("/etc/passwd", place.Path("odd/val2017/link.png"));
  ASSERT_EQ(place.Shell("mkfifo odd/val2017/pipe.png").code, 0);
  for (const std::string& name :
       {std::string("../../../etc/passwd"), std::string("/etc/passwd"), std::string("link.png"),
        std::string("pipe.png"), std::string("none.png"), std::string("\\u0000"),
        std::string("\\u001b[2J"), std::string(100000, 'n'), std::string("."), std::string("")}) {
    WriteText(place.Path("odd/annotations/captions_val2017.json"),
              absl::StrCat(begin, "\"images\": [{\"id\": 7, \"file_name\": \"", name, "\"}]}"));
    Try(place, {"a picture called " + name.substr(0, 40),
                "unival data import coco-captions odd odd/out.jsonl --split val2017",
                {1},
                "the media file is not there"});
  }
  for (const std::string& images : std::vector<std::string>{
           "7", "null", "[7]", "[null]", "{}", "[{}]", "[{\"id\": \"x\"}]", "[{\"id\": 1e400}]",
           "[{\"id\": 7, \"file_name\": 7}]", "[{\"id\": 7, \"file_name\": \"\xff\"}]",
           "[" + std::string(100000, '['), "[{\"id\": 7, \"file_name\": \"7.png\""}) {
    WriteText(place.Path("odd/annotations/captions_val2017.json"),
              absl::StrCat(begin, "\"images\": ", images, "}"));
    Try(place, {"pictures " + images.substr(0, 40),
                "unival data import coco-captions odd odd/out.jsonl --split val2017",
                {1},
                "unival: odd"});
  }
  EXPECT_FALSE(fs::exists(place.Path("odd/out.jsonl")));
}

}  // namespace
}  // namespace unival
