#include "training/data/sample/negatives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

constexpr int kRecords = 200;

class NegativesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string folder = NewFolder("negatives");
    const char* const animals[] = {"cat", "dog", "horse", "cow"};
    std::string lines;
    for (int i = 0; i < kRecords; ++i) {
      const bool counts = i % 2 == 0;
      absl::StrAppend(&lines, "{\"caption\": \"a ", animals[i % 4], " and a catalogue ", i,
                      "\", \"candidate\": \"", counts ? absl::StrCat(i % 7) : "yes",
                      i % 8 == 1 ? " indeed" : "", "\", \"answer_type\": \"",
                      counts ? "number" : "yes/no", "\", \"sure\": ", i % 10 == 0 ? 0.0 : 1.0,
                      ", \"objects\": \"", animals[i % 4], "&&tree\"}\n");
    }
    WriteText(folder + "/records.jsonl", lines);
    SourceOptions options;
    options.path = folder + "/records.jsonl";
    source_ = OpenSource(options).value();
    captions_.set_column("caption");
    captions_.set_answer("answer");
  }

  TaskSample Judged(const NegativeMaker& maker, int i, uint64_t seed) {
    auto judged = maker.Judge(source_->Read(i).value(), seed);
    EXPECT_TRUE(judged.ok()) << judged.status();
    return *judged;
  }
  static std::string Text(const TaskSample& sample, const std::string& column) {
    return std::get<std::string>(sample.fields.at(column));
  }

  std::unique_ptr<Source> source_;
  Negatives captions_;
};

TEST_F(NegativesTest, HalfOfTheRecordsGetTheCaptionOfAnother) {
  const auto maker = NegativeMaker::Create(captions_, *source_);
  int wrong = 0;
  for (int i = 0; i < kRecords; ++i) {
    const TaskSample judged = Judged(*maker, i, 7 * i);
    const std::string own = Text(source_->Read(i).value(), "caption");
    const bool is_own = Text(judged, "caption") == own;
    EXPECT_EQ(Text(judged, "answer"), is_own ? "yes" : "no");
    wrong += !is_own;
    EXPECT_EQ(Text(judged, "caption"), Text(Judged(*maker, i, 7 * i), "caption")) << "same seed";
  }
  EXPECT_NEAR(wrong, kRecords / 2, 25);
}

TEST_F(NegativesTest, FourOfTenWrongCaptionsHaveOneObjectSwapped) {
  for (const char* word : {"cat", "dog", "horse", "cow"}) captions_.add_word(word);
  captions_.set_share(1);
  for (const char* column : {"", "objects"}) {
    captions_.set_words_of_record(column);
    const auto maker = NegativeMaker::Create(captions_, *source_);
    int swapped = 0;
    for (int i = 0; i < kRecords; ++i) {
      const std::string text = Text(Judged(*maker, i, i), "caption");
      // Its own number, another animal; the word within "catalogue" is no cat.
      const bool is_swapped = text.substr(text.rfind(' ')) == absl::StrCat(" ", i);
      swapped += is_swapped;
      EXPECT_THAT(text, HasSubstr("catalogue"));
      EXPECT_NE(text, Text(source_->Read(i).value(), "caption"));
    }
    EXPECT_NEAR(swapped, 0.4 * kRecords, 25) << column;
  }
}

TEST_F(NegativesTest, WrongAnswersAreOfTheSameTypeAndNumbersOneBeside) {
  Negatives answers;
  answers.set_column("candidate");
  answers.set_answer("right");
  answers.set_yes("true");
  answers.set_no("false");
  answers.set_share(1);
  answers.set_same("answer_type");
  answers.set_counting("number");
  answers.set_confidence("sure");
  const auto maker = NegativeMaker::Create(answers, *source_);
  int beside = 0, same_type = 0, sure = 0;
  for (int i = 0; i < kRecords; ++i) {
    const TaskSample own = source_->Read(i).value();
    const TaskSample judged = Judged(*maker, i, 31 * i);
    const std::string wrong = Text(judged, "candidate");
    EXPECT_EQ(Text(judged, "right"), "false");
    EXPECT_NE(wrong, Text(own, "candidate"));
    if (std::get<double>(own.fields.at("sure")) < 1) continue;
    ++sure;
    const bool is_number = wrong.find_first_not_of("0123456789") == std::string::npos;
    same_type += is_number == (Text(own, "answer_type") == "number");
    if (Text(own, "answer_type") != "number" || !is_number) continue;
    const int distance = std::abs(std::stoi(wrong) - std::stoi(Text(own, "candidate")));
    beside += distance == 1;
  }
  // u below 0.9 allows the type, from 0.5 on a number moves by one; others may be beside, too.
  EXPECT_GT(same_type, 0.85 * sure);
  EXPECT_GT(beside, 0.35 * sure / 2);
}

TEST_F(NegativesTest, LabelledRecordsStayAndNamesMayDiffer) {
  const auto maker = NegativeMaker::Create(captions_, *source_);
  TaskSample labelled = source_->Read(0).value();
  labelled.fields["answer"] = "no";
  EXPECT_EQ(Text(*maker->Judge(labelled, 5), "answer"), "no");
  EXPECT_EQ(Text(*maker->Judge(labelled, 5), "caption"), Text(labelled, "caption"));

  Negatives renamed = captions_;
  renamed.set_column("text");
  renamed.set_share(1);
  const std::map<std::string, std::string> columns = {{"text", "caption"}};
  const auto with_names = NegativeMaker::Create(renamed, *source_, columns);
  const auto judged = with_names->Judge(WithColumns(source_->Read(0).value(), columns), 5);
  ASSERT_TRUE(judged.ok()) << judged.status();
  EXPECT_NE(Text(*judged, "text"), Text(*judged, "caption"));

  TaskSample without = source_->Read(0).value();
  without.fields.erase("caption");
  captions_.set_share(1);
  EXPECT_THAT(
      std::string(NegativeMaker::Create(captions_, *source_)->Judge(without, 1).status().message()),
      HasSubstr("has no column \"caption\""));
}

TEST_F(NegativesTest, WhereNoOtherTextIsFoundTheRecordStaysRight) {
  SourceOptions options;
  options.path = source_->path();
  options.limit = 1;
  const auto one = OpenSource(options).value();
  captions_.set_share(1);
  const auto judged = NegativeMaker::Create(captions_, *one)->Judge(one->Read(0).value(), 3);
  ASSERT_TRUE(judged.ok()) << judged.status();
  EXPECT_EQ(Text(*judged, "answer"), "yes");
}

TEST(WithWordReplaced, WholeWordsAlone) {
  EXPECT_EQ(WithWordReplaced("a cat, a catfish and a cat", "cat", "dog"),
            "a dog, a catfish and a dog");
  EXPECT_EQ(WithWordReplaced("fire truck fire", "fire truck", "bus"), "bus fire");
  EXPECT_EQ(WithWordReplaced("aa aa", "aa", "aa aa"), "aa aa aa aa");
  EXPECT_EQ(WithWordReplaced("x", "", "y"), "x");
}

}  // namespace
}  // namespace unival
