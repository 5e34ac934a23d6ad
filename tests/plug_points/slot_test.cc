// A slot type that is added outside tasks/slots. It needs its own file and one line of
// registration. Templates, the command line and the checks of prompts and data get everything from
// it: checks, tokens, constraint, length, values, their errors, answer and reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "app/command.h"
#include "sdk/testing/byte_vocabulary.h"
#include "tasks/templates/template_task.h"
#include "tests/plug_points/angle_slot.h"
#include "training/data/check/data_check.h"
#include "training/data/check/prompt_check.h"

namespace unival {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr char kTask[] =
    "task { name: \"turn\" prompt: \" {where}\" target: \" {heading:angle:core.image_code}\" "
    "metric: \"exact_match\" }";

class SlotTest : public testing::Test {
 protected:
  SlotTest() { EXPECT_TRUE(types_.slots.Add(AngleSlot()).ok()); }

  absl::StatusOr<std::unique_ptr<TemplateTask>> Make(const std::string& text) {
    const auto set = ParseTemplateSet(text, "compass.textproto", ".", types_);
    if (!set.ok()) return set.status();
    return TemplateTask::Create(set->tasks[0], vocabulary_, types_);
  }

  const ByteVocabulary vocabulary_{{}};
  TemplateTypes types_;
};

TEST_F(SlotTest, FromATestFolderIsWrittenConstrainedAndReadBack) {
  const auto task = Make(kTask);
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_THAT((*task)->info().blocks, ElementsAre("core.image_code"));
  EXPECT_THAT((*task)->info().columns, ElementsAre("where", "heading"));
  EXPECT_EQ((*task)->info().generation.min_tokens(), 1);
  EXPECT_EQ((*task)->info().generation.max_tokens(), 1);

  const TaskSample sample{"k", {{"where", "east"}, {"heading", 90.0}}};
  const auto example = (*task)->MakeExample(sample, ExampleMode::kTraining, 0);
  ASSERT_TRUE(example.ok()) << example.status();
  const int64_t quarter = *vocabulary_.BlockSize("core.image_code") / 4;
  const int64_t token = *vocabulary_.GlobalId("core.image_code", quarter);
  EXPECT_THAT(example->target, ElementsAre(token, vocabulary_.eos()));
  const auto ranges = *vocabulary_.BlockRanges("core.image_code");
  ASSERT_EQ(example->constraint.allowed.size(), 1u);
  EXPECT_EQ(example->constraint.allowed[0].begin, ranges[0].begin);
  EXPECT_EQ(example->constraint.allowed[0].end, ranges[0].end);

  const auto answer = (*task)->Interpret(sample, {{token}, 0});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->text, "90");
  const auto metric = (*task)->NewMetric();
  ASSERT_TRUE(metric->Add(sample, *answer).ok());
  EXPECT_EQ(metric->Result()["exact_match"], 1);
}

TEST_F(SlotTest, IsCheckedWhenTheSetIsRead) {
  EXPECT_THAT(
      std::string(
          Make("task { name: \"t\" prompt: \"a\" target: \"{h:angle}\" }").status().message()),
      HasSubstr("compass.textproto:1: task \"t\": target: slot \"{h:angle}\" needs the block"));
}

TEST_F(SlotTest, NeedsItsBlockOfTheVocabulary) {
  EXPECT_THAT(
      std::string(Make("task { name: \"t\" prompt: \"a\" target: \"{h:angle:core.compass}\" }")
                      .status()
                      .message()),
      HasSubstr("slot \"{h:angle}\" needs vocabulary block \"core.compass\""));
}

TEST_F(SlotTest, IsNotCutWhenTheTargetIsTooLong) {
  const auto task = Make(
      "task { name: \"t\" prompt: \"a\" target: \"{h:angle:core.image_code} {x}\" "
      "max_target_tokens: 1 }");
  ASSERT_TRUE(task.ok()) << task.status();
  const TaskSample sample{"k", {{"h", 10.0}, {"x", "far"}}};
  EXPECT_THAT(
      std::string((*task)->MakeExample(sample, ExampleMode::kTraining, 0).status().message()),
      HasSubstr("max_target_tokens"));
}

TEST_F(SlotTest, SaysHowAValueOfTheCommandLineIsRead) {
  const auto task = Make(kTask);
  ASSERT_TRUE(task.ok()) << task.status();
  const auto sample = [&task](const std::string& input) {
    const auto given = ParseInputs({input});
    EXPECT_TRUE(given.ok()) << given.status();
    return SampleFromColumns((*task)->info(), "command line", *given);
  };
  const auto heading = sample("heading=90");
  ASSERT_TRUE(heading.ok()) << heading.status();
  EXPECT_EQ(std::get<double>(heading->fields.at("heading")), 90);
  EXPECT_EQ(std::get<std::string>(sample("where=90")->fields.at("where")), "90");
  EXPECT_THAT(std::string(sample("heading=north").status().message()),
              HasSubstr("--input heading=north: expected numbers"));
  EXPECT_EQ(std::get<double>(sample("declination=-4")->fields.at("declination")), -4)
      << "a column that the slot reads beside its own";
  EXPECT_THAT(std::string(sample("width=64").status().message()), HasSubstr("no column \"width\""));
  EXPECT_FALSE((*task)->info().gives_box);
  EXPECT_FALSE((*task)->info().gives_codes);
}

// The checks of prompts and of data, in a program that contains the type.
class CheckedSlot : public testing::Test {
 protected:
  void SetUp() override {
    RuntimeOptions options;
    options.threads = 1;
    ASSERT_TRUE(options.slot_types.Add(AngleSlot()).ok());
    auto runtime = Runtime::Create(options);
    ASSERT_TRUE(runtime.ok()) << runtime.status();
    runtime_ = *std::move(runtime);
    set_ = Written("compass.textproto", kTask);
    data_ = Written("compass.jsonl",
                    "{\"where\": \"east\", \"heading\": 90}\n"
                    "{\"where\": \"north\", \"heading\": \"north\"}\n"
                    "{\"where\": \"west\", \"heading\": [270]}\n"
                    "{\"where\": \"south\", \"heading\": 540}\n"
                    "{\"where\": \"up\"}\n");
  }

  static std::string Written(const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(testing::TempDir(), "/", name);
    std::ofstream(path) << text;
    return path;
  }

  // "kind column records"
  static std::vector<std::string> Kinds(const std::vector<Problem>& problems) {
    std::vector<std::string> kinds;
    for (const Problem& problem : problems) {
      kinds.push_back(absl::StrCat(problem.kind, " ", problem.slot, " ", problem.rows));
    }
    return kinds;
  }

  std::unique_ptr<Runtime> runtime_;
  std::string set_, data_;
};

TEST_F(CheckedSlot, SaysToTheCheckOfPromptsWhatIsWrongWithValues) {
  PromptCheckOptions options;
  options.set = set_;
  options.data = data_;
  const auto report = CheckPrompts(options, *runtime_, nullptr);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(Kinds(report->problems),
              UnorderedElementsAre("wrong_type heading 2", "bad_value heading 1",
                                   "missing_column heading 1"));
}

TEST_F(CheckedSlot, SaysToTheCheckOfDataWhatIsWrongWithValues) {
  const auto set = LoadTemplateSet(set_, runtime_->template_types());
  ASSERT_TRUE(set.ok()) << set.status();
  DataCheckOptions options;
  options.path = data_;
  options.threads = 1;
  const auto report = CheckData(options, *runtime_, &set->tasks[0], nullptr);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(Kinds(report->problems),
              UnorderedElementsAre("wrong_type heading 2", "bad_value heading 1",
                                   "missing_column heading 1"));
}

TEST_F(SlotTest, IsUnknownWithoutRegistration) {
  EXPECT_THAT(std::string(ParseTemplateSet(kTask, "compass.textproto", ".").status().message()),
              HasSubstr("unknown slot type \"angle\"; expected text, number, label, box or codes"));
}

}  // namespace
}  // namespace unival
