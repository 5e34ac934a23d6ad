#include "examples/english/english.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "examples/english/sentences.h"
#include "sdk/base/test_files.h"
#include "sdk/base/test_json_lines.h"

namespace unival::english {
namespace {

using nlohmann::json;
using world::Random;

// Forty sentences whose words all occur often enough.
std::string Texts(const std::string& folder) {
  std::string train, dev = "{\"text\": \"A small bird sings in the old tree.\"}\n";
  for (int i = 0; i < 40; ++i) {
    train += json{{"text", i % 2 == 0 ? "The old man walks to the tree." : "a small bird sings"}}
                 .dump() +
             "\n";
  }
  train += "{\"text\": \"a bird\", \"word\": \"robin\", \"kind\": \"bird\"}\n";
  train += "{\"question\": \"who walks?\", \"answer\": \"the man\"}\n";
  WriteText(folder + "/plain_train.jsonl", train);
  WriteText(folder + "/plain_dev.jsonl", dev);
  return folder;
}

EnglishOptions Options(const std::string& folder) {
  EnglishOptions options;
  options.text_dir = Texts(folder + "/texts");
  options.output_dir = folder + "/out";
  options.count = 50;
  options.eval_count = 10;
  return options;
}

TEST(English, WritesEveryTaskAndTheCorpus) {
  const std::string folder = NewFolder();
  ASSERT_TRUE(GenerateEnglish(Options(folder)).ok());
  const std::string train = folder + "/out/english/train/";
  EXPECT_EQ(JsonLines(train + "copy.jsonl").size(), 42u);
  EXPECT_EQ(JsonLines(train + "words.jsonl").size(), 50u);
  EXPECT_EQ(JsonLines(train + "reading.jsonl").size(), 50u);
  std::set<std::string> questions;
  for (const json& line : JsonLines(train + "answer.jsonl")) questions.insert(line.at("question"));
  EXPECT_EQ(questions, (std::set<std::string>{"what kind of thing is robin?", "who walks?"}));
  for (const json& line : JsonLines(train + "order.jsonl")) {
    Words given = SplitWords(line.at("given").get<std::string>());
    Words text = SplitWords(line.at("text").get<std::string>());
    std::sort(given.begin(), given.end());
    std::sort(text.begin(), text.end());
    EXPECT_EQ(given, text);
  }
  EXPECT_EQ(JsonLines(folder + "/out/english/eval/copy.jsonl").size(), 1u);
  std::stringstream corpus(ReadText(folder + "/out/english/corpus.txt"));
  for (std::string line; std::getline(corpus, line);) EXPECT_EQ(line.front(), ' ') << line;
}

TEST(English, GivesTheSameBytesForTheSameSeed) {
  const std::string folder = NewFolder();
  EnglishOptions options = Options(folder);
  const std::string file = "/english/train/copy.jsonl";
  ASSERT_TRUE(GenerateEnglish(options).ok());
  const std::string first = ReadText(options.output_dir + file);
  ASSERT_TRUE(GenerateEnglish(options).ok());
  EXPECT_EQ(ReadText(options.output_dir + file), first);
  options.seed = 2;
  ASSERT_TRUE(GenerateEnglish(options).ok());
  EXPECT_NE(ReadText(options.output_dir + file), first);
}

TEST(English, NamesTheFolderOrLineThatIsWrong) {
  const std::string folder = NewFolder();
  EnglishOptions options = Options(folder);
  options.text_dir = folder + "/none";
  EXPECT_NE(GenerateEnglish(options).message().find("/none"), std::string::npos);
  options.text_dir = folder + "/texts";
  WriteText(folder + "/texts/other_train.jsonl", "{\"text\": \"a man\"}\nno json\n");
  const std::string message(GenerateEnglish(options).message());
  EXPECT_NE(message.find("other_train.jsonl:2"), std::string::npos) << message;
}

TEST(Plain, TakesOffWhatAWrittenSentenceHas) {
  EXPECT_EQ(Plain("The man walks."), "the man walks");
  EXPECT_EQ(Plain("A bird sings."), "a bird sings");
  EXPECT_EQ(Plain("I walk."), "I walk");
  EXPECT_EQ(Plain("I'll walk."), "I'll walk");
  EXPECT_EQ(Plain("USA wins."), "USA wins");
}

TEST(AskAbout, IsAnsweredByTheWords) {
  const Words words = {"many", "small", "birds", "sing."}, lexicon = {"owl", "tree"};
  for (int seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const ReadingQuestion asked = AskAbout(random, words, lexicon);
    const std::set<std::string> answers = {"many", "small", "birds", "sing", "yes", "no", "four"};
    EXPECT_TRUE(answers.count(asked.answer)) << asked.question << " " << asked.answer;
    if (asked.question == "which word comes after \"small\"?") {
      EXPECT_EQ(asked.answer, "birds");
    }
    if (asked.question == "is the word \"owl\" there?") {
      EXPECT_EQ(asked.answer, "no");
    }
  }
}

}  // namespace
}  // namespace unival::english
