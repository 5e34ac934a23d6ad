#include "tasks/templates/template_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "sdk/testing/byte_vocabulary.h"
#include "tasks/slots/pattern.h"
#include "tasks/templates/template_task.h"

namespace unival {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(PatternTest, SplitsTextAndSlots) {
  const auto pattern = ParsePattern(" a {x} {{b}} {y_2:box}{z:number}");
  ASSERT_TRUE(pattern.ok()) << pattern.status();
  ASSERT_EQ(pattern->size(), 5u);
  EXPECT_EQ((*pattern)[0].text, " a ");
  EXPECT_EQ((*pattern)[1].type->name(), "text");
  EXPECT_EQ((*pattern)[2].text, " {b} ");
  EXPECT_EQ((*pattern)[3].type->name(), "box");
  EXPECT_EQ((*pattern)[4].type->name(), "number");
  EXPECT_THAT(PatternColumns(*pattern), ElementsAre("x", "y_2", "z"));
  EXPECT_TRUE(ParsePattern("")->empty());
}

TEST(PatternTest, MalformedPatternsSayWhere) {
  const struct {
    const char *text, *expected;
  } kCases[] = {
      {" {x", "slot at character 2 is not closed"},
      {" x}", "stray \"}\" at character 3"},
      {"{x{y}}", "slot at character 1 is not closed"},
      {"{}", "\"\" is not a column name"},
      {"{2x}", "\"2x\" is not a column name"},
      {"{x y}", "\"x y\" is not a column name"},
      {"{x:}", "unknown slot type \"\""},
      {"{x:bocks}", "slot \"{x:bocks}\": unknown slot type \"bocks\"; expected text, number"},
      {"{", "not closed"},
      {"}", "stray"}};
  for (const auto& c : kCases) {
    EXPECT_THAT(Message(ParsePattern(c.text).status()), HasSubstr(c.expected)) << c.text;
  }
}

TEST(PatternTest, AnyBytesGiveAPatternOrAStatus) {
  const std::string alphabet = "{}:ab x\"\xff";
  for (size_t a = 0; a < alphabet.size(); ++a) {
    for (size_t b = 0; b < alphabet.size(); ++b) {
      for (size_t c = 0; c < alphabet.size(); ++c) {
        for (size_t d = 0; d < alphabet.size(); ++d) {
          (void)ParsePattern(std::string{alphabet[a], alphabet[b], alphabet[c], alphabet[d]});
        }
      }
    }
  }
}

// A set with one task whose fields are `fields`.
std::string OneTask(const std::string& fields) {
  return "name: \"s\"\ntask {\n  name: \"t\"\n" + fields + "\n}\n";
}

TEST(TemplateSetTest, ErrorsNameFileLineTaskAndSlot) {
  const struct {
    const char *text, *expected;
  } kCases[] = {
      {"task {\n  name: \"t\"\n  prompt: x\n}", "set.textproto:3:11: "},
      {"task {\n  nam: \"t\"\n}", "set.textproto:2:"},
      {"name: \"s\"", "set.textproto: no tasks"},
      {"task { name: \"T\" }", "set.textproto:1: task \"T\": name: expected lower-case"},
      {"task { name: \"t\" prompt: \"a\" target: \"{b}\" }\ntask {\n name: \"t\" prompt: \"a\" "
       "target: \"{b}\" }",
       "set.textproto:3: task \"t\": name: a task of this name stands above"},
  };
  for (const auto& c : kCases) {
    const auto set = ParseTemplateSet(c.text, "set.textproto", ".");
    EXPECT_THAT(Message(set.status()), HasSubstr(c.expected)) << c.text;
  }
}

TEST(TemplateSetTest, EveryFieldIsCheckedBeforeAnythingRuns) {
  const struct {
    std::string fields, expected;
  } kCases[] = {
      {"prompt: \" {x\"\ntarget: \"{y}\"",
       "set.textproto:4: task \"t\": prompt: slot at character 2"},
      {"prompt: \"a\"\ntarget: \"b\"", "set.textproto:5: task \"t\": target: has no slot"},
      {"prompt: \"\"\ntarget: \"{y}\"", "prompt: is empty and there is no input"},
      {"prompt: \"a {x}\"\nparaphrase: \"b {x}\"\nparaphrase: \"c\"\ntarget: \"{y}\"",
       "set.textproto:6: task \"t\": paraphrase:1: must use the same columns"},
      {"input { name: \"image\" }\ntarget: \"{y}\"",
       "set.textproto:4: task \"t\": input:0: modality"},
      {"input { modality: \"image\" }\ntarget: \"{y}\"", "input:0: name (the record's column)"},
      {"input { name: \"i\" modality: \"image\" }\ninput { name: \"i\" modality: \"x\" }\ntarget: "
       "\"{y}\"",
       "input:1: column \"i\" is an input already"},
      {"input { name: \"i\" modality: \"image\" }\ntarget: \"{i}\"", "the column is a media input"},
      {"prompt: \"a\"\ntarget: \"{y:codes}\"", "slot \"{y:codes}\" needs codes_block"},
      {"prompt: \"a\"\ntarget: \"{y:label}\"", "slot \"{y:label}\" needs labels { slot: \"y\" }"},
      {"prompt: \"a\"\ntarget: \"{y:label} {z}\"\nlabels { slot: \"y\" values: \"1\" }",
       "a label must be the only slot of a target"},
      {"prompt: \"a\"\ntarget: \"{y}\"\nlabels { slot: \"y\" values: \"1\" }",
       "set.textproto:6: task \"t\": labels: no slot \"{y:label}\""},
      {"prompt: \"a\"\ntarget: \"{y:label}\"\nlabels { slot: \"y\" values: \"1\" values: \"1\" }",
       "value \"1\" occurs twice"},
      {"prompt: \"a\"\ntarget: \"{y:label}\"\nlabels { slot: \"y\" file: \"../x\" }",
       "must lie in or below the set's folder"},
      {"prompt: \"a\"\ntarget: \"{y:label}\"\nlabels { slot: \"y\" file: \"none.txt\" }",
       "labels: ./none.txt: cannot be opened"},
      {"prompt: \"a\"\ntarget: \"{y}\"\nclean { column: \"z\" }",
       "clean:0: no slot of column \"z\""},
      {"prompt: \"a\"\ntarget: \"{y}\"\nmask_ratio: 0.3", "mask_ratio: needs a text slot"},
      {"prompt: \"{a}\"\ntarget: \"{y}\"\nmask_ratio: 1", "expected a share in [0, 1), got 1"},
      {"prompt: \"a\"\ntarget: \"{y}\"\nmetric: \"bleu\"\nmetric: \"blue\"",
       "set.textproto:7: task \"t\": metric:1: unknown metric \"blue\"; known: accuracy, bleu"},
      {"prompt: \"a\"\ntarget: \"{y}\"\nmetric: \"iou\"", "\"iou\" needs a box slot in the target"},
      {"prompt: \"a\"\ntarget: \"{y}\"\nmax_target_tokens: -1", "must not be negative"},
      {"prompt: \"{a}\"\ntarget: \"{y}\"\nclean { column: \"a\" max_words: -1 }",
       "clean:0: max_words must not be negative"},
      {"prompt: \"a\"\ntarget: \"{y}\"\ngeneration { length_penalty: nan }",
       "set.textproto:6: task \"t\": generation: generation.length_penalty: expected a number from "
       "-100 to 100, got nan"},
      {"prompt: \"a\"\ntarget: \"{y}\"\ngeneration { unk_penalty: inf }", "got inf"},
      {"prompt: \"a\"\ntarget: \"{y}\"\ngeneration { temperature: inf }", "got inf"},
      {"prompt: \"a\"\ntarget: \"{y}\"\ngeneration { temperature: 1e-40 }", "temperature"},
      {"prompt: \"a\"\ntarget: \"{y}\"\ngeneration { max_tokens: 2147483647 }",
       "generation.max_tokens: expected 0 to 16777216"},
      {"prompt: \"a\"\ntarget: \"{y}\"\ngeneration { beam: 65 }", "expected 1 to 64, got 65"},
      {"prompt: \"a\"\ntarget: \"{y}\"\ngeneration { beam: 500 }", "expected 1 to 64, got 500"},
      {"prompt: \"a\"\ntarget: \"{y}\"\ngeneration { top_p: 9 }",
       "generation.top_p: expected a share in [0, 1], got 9"},
      {"prompt: \"a\"\ntarget: \"{y}\"\ngeneration { temperature: -1 }",
       "generation.temperature: expected 0 or more, got -1"},
      {"prompt: \"a\"\ntarget: \"{y}\"\ngeneration { max_tokens: -3 }",
       "generation.max_tokens: expected 0 or more, got -3"},
      {"prompt: \"a\"\ntarget: \"{y}\"\ngeneration { top_p: nan }", "a share in [0, 1]"},
      {absl::StrCat("target: \"{y}\"\nprompt: \"", std::string(1 << 20, 'a'), "\""),
       "prompt: expected at most 65536 bytes, got 1048576"},
  };
  for (const auto& c : kCases) {
    const auto set = ParseTemplateSet(OneTask(c.fields), "set.textproto", ".");
    EXPECT_THAT(Message(set.status()), HasSubstr(c.expected)) << c.fields;
  }
}

TEST(TemplateSetTest, LabelFilesAreInlined) {
  const std::string folder = testing::TempDir() + "/labels";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/answers.txt") << "yes\r\n\n no \nmaybe";
  std::ofstream(folder + "/s.textproto") << OneTask(
      "prompt: \"a\" target: \"{y:label}\" labels { slot: \"y\" file: \"answers.txt\" }");
  const auto set = LoadTemplateSet(folder + "/s.textproto");
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_THAT(set->tasks[0].proto.labels().values(), ElementsAre("yes", "no", "maybe"));
  const auto again = ParseTemplateSet(TemplateSetText(*set), "stored", "/nowhere");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(TemplateSetHash(*again), TemplateSetHash(*set));
  EXPECT_EQ(LoadTemplateSet(folder + "/none.textproto").status().code(),
            absl::StatusCode::kNotFound);
}

TEST(TemplateSetTest, ASetReadsNothingThatLiesElsewhere) {
  const std::string folder = testing::TempDir() + "/labels_elsewhere";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder + "/set/inside");
  std::ofstream(folder + "/secret.txt") << "private";
  std::ofstream(folder + "/set/inside/labels.txt") << "own";
  std::filesystem::create_symlink("../secret.txt", folder + "/set/link.txt");
  std::filesystem::create_directory_symlink("..", folder + "/set/up");
  const auto load = [&](const std::string& file, const std::string& directory) {
    return ParseTemplateSet(OneTask("prompt: \"a\" target: \"{y:label}\" labels { slot: \"y\" "
                                    "file: \"" +
                                    file + "\" }"),
                            directory.empty() ? "s" : directory + "/s", directory);
  };
  EXPECT_TRUE(load("inside/labels.txt", folder + "/set").ok());
  for (const char* file : {"link.txt", "up/secret.txt", "/etc/group", "inside/../../secret.txt"}) {
    EXPECT_THAT(Message(load(file, folder + "/set").status()),
                HasSubstr("must lie in or below the set's folder"))
        << file;
  }
  // A set of a model has no folder of its own: it names nothing, wherever the program runs.
  for (const char* file : {"etc/group", "inside/labels.txt", "s"}) {
    EXPECT_THAT(Message(load(file, "").status()), HasSubstr("names no files")) << file;
  }
}

TEST(TemplateSetTest, ALabelSetIsBounded) {
  const std::string folder = testing::TempDir() + "/labels_many";
  std::filesystem::create_directories(folder);
  std::ofstream labels(folder + "/labels.txt");
  for (int i = 0; i < kMaxLabels + 10; ++i) labels << i << "\n";
  labels.close();
  std::ofstream(folder + "/s.textproto")
      << OneTask("prompt: \"a\" target: \"{y:label}\" labels { slot: \"y\" file: \"labels.txt\" }");
  EXPECT_THAT(Message(LoadTemplateSet(folder + "/s.textproto").status()),
              HasSubstr("labels: expected at most 1000000 values"));
  std::filesystem::resize_file(folder + "/labels.txt", uint64_t{1} << 40);
  EXPECT_THAT(Message(LoadTemplateSet(folder + "/s.textproto").status()),
              HasSubstr("has 1099511627776 bytes"));
}

TEST(TemplateSetTest, TheHashFollowsTheMeaningOnly) {
  const auto hash = [](const std::string& fields) {
    return TemplateSetHash(*ParseTemplateSet(OneTask(fields), "s", "."));
  };
  const std::string base = hash("prompt: \"a\" target: \"{y}\"");
  EXPECT_EQ(base.substr(0, 7), "xxh128:");
  EXPECT_EQ(base.size(), 7u + 32u);
  EXPECT_EQ(hash("# comment\ntarget: \"{y}\"\nprompt: \"a\" summary: \"other\""), base);
  EXPECT_NE(hash("prompt: \" a\" target: \"{y}\""), base);
}

TEST(TemplateSetTest, AFieldThatWasTakenOutIsStillReadAndMeansNothing) {
  const auto set = [](const std::string& generation) {
    return ParseTemplateSet(
        OneTask("prompt: \"a\" target: \"{y}\" generation { " + generation + " }"), "s", ".");
  };
  const auto with = set("beam: 5 stop_at_max_tokens: true");
  ASSERT_TRUE(with.ok()) << with.status();
  EXPECT_EQ(TemplateSetHash(*with), TemplateSetHash(*set("beam: 5")));
}

TEST(TemplateSetTest, ShippedSetsAreValidForTheFullVocabulary) {
  const ByteVocabulary vocabulary = ByteVocabulary::Published();
  for (const char* name : {"published", "unival", "quickstart"}) {
    const auto set = LoadTemplateSet(std::string("tasks/templates/") + name + ".textproto");
    ASSERT_TRUE(set.ok()) << set.status();
    EXPECT_EQ(set->name, name);
    for (const LoadedTemplate& task : set->tasks) {
      EXPECT_TRUE(TemplateTask::Create(task, vocabulary).ok()) << task.proto.name();
      EXPECT_FALSE(task.proto.summary().empty()) << task.proto.name();
    }
  }
}

TEST(TemplateSetTest, TheQuickstartSetAsksAsTheFullSetDoes) {
  const auto full = LoadTemplateSet("tasks/templates/unival.textproto");
  const auto quick = LoadTemplateSet("tasks/templates/quickstart.textproto");
  ASSERT_TRUE(full.ok() && quick.ok());
  for (const LoadedTemplate& task : quick->tasks) {
    const LoadedTemplate* same = full->Find(task.proto.name());
    ASSERT_NE(same, nullptr) << task.proto.name();
    EXPECT_EQ(same->proto.prompt(), task.proto.prompt());
    EXPECT_EQ(same->proto.target(), task.proto.target());
  }
}

}  // namespace
}  // namespace unival
