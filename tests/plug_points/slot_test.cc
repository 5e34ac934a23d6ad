// A slot type from outside tasks/slots: its own file, one line of registration. Templates ask it
// for everything: checks, tokens, constraint, length, answer and reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/testing/byte_vocabulary.h"
#include "tasks/templates/template_task.h"
#include "tests/plug_points/angle_slot.h"

namespace unival {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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

TEST_F(SlotTest, IsUnknownWithoutRegistration) {
  EXPECT_THAT(std::string(ParseTemplateSet(kTask, "compass.textproto", ".").status().message()),
              HasSubstr("unknown slot type \"angle\"; expected text, number, label, box or codes"));
}

}  // namespace
}  // namespace unival
