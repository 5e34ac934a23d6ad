#include "tasks/templates/template_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "sdk/testing/byte_vocabulary.h"
#include "sdk/testing/conformance.h"
#include "tasks/metrics/metrics.h"

namespace unival {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

class TemplateTaskTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<TemplateTask>> TryMake(const std::string& fields,
                                                        const VocabularyView& vocabulary) {
    auto set = ParseTemplateSet("task { name: \"t\" " + fields + "}", "s.textproto", ".");
    if (!set.ok()) return set.status();
    return TemplateTask::Create(set->tasks[0], vocabulary);
  }
  std::unique_ptr<TemplateTask> Make(const std::string& fields) {
    auto task = TryMake(fields, vocabulary_);
    EXPECT_TRUE(task.ok()) << task.status();
    return task.ok() ? *std::move(task) : nullptr;
  }
  // Tokens as text; others as <block:index>.
  std::string Show(const std::vector<int64_t>& tokens) {
    std::string text;
    for (const int64_t id : tokens) {
      const BlockToken token = *vocabulary_.Identify(id);
      if (token.block == "core.bpe") {
        text += static_cast<char>(token.index);
      } else if (token.block == "core.special") {
        text += token.index == 0 ? "<s>" : "</s>";
      } else {
        absl::StrAppend(&text, "<", token.block.substr(5), ":", token.index, ">");
      }
    }
    return text;
  }
  std::string Source(const TemplateTask& task, const TaskSample& sample, ExampleMode mode,
                     uint64_t seed = 0) {
    auto example = task.MakeExample(sample, mode, seed);
    return example.ok() ? Show(example->source) : Message(example.status());
  }
  std::string Target(const TemplateTask& task, const TaskSample& sample) {
    auto example = task.MakeExample(sample, ExampleMode::kTraining, 0);
    return example.ok() ? Show(example->target) : Message(example.status());
  }

  const ByteVocabulary vocabulary_ = ByteVocabulary::Published();
};

const MediaSource kPhoto{"photo.png", "photo.png", nullptr};

TEST_F(TemplateTaskTest, LaysOutMediaPromptAndTarget) {
  const auto task = Make(
      "input { name: \"image\" modality: \"image\" } prompt: \" {question:text}\" "
      "target: \" {answer}\" prompt_in_decoder: true");
  const TaskSample sample{"k", {{"image", kPhoto}, {"question", "why?"}, {"answer", "so"}}};
  const auto example = task->MakeExample(sample, ExampleMode::kTraining, 1);
  ASSERT_TRUE(example.ok()) << example.status();
  EXPECT_EQ(example->key, "k");
  ASSERT_EQ(example->media.size(), 1u);
  EXPECT_EQ(example->media[0].modality, "image");
  EXPECT_EQ(example->media[0].media.path, "photo.png");
  EXPECT_EQ(Show(example->source), "<s> why?</s>");
  EXPECT_EQ(Show(example->prefix), " why?");
  EXPECT_EQ(Show(example->target), " so</s>");
  EXPECT_THAT(task->info().columns, ElementsAre("image", "question", "answer"));
  EXPECT_THAT(task->info().prediction_columns, ElementsAre("image", "question"));
}

TEST_F(TemplateTaskTest, PredictionNeedsNoTarget) {
  const auto task = Make("prompt: \"{x}\" target: \"{y}\"");
  const auto example = task->MakeExample({"k", {{"x", "a"}}}, ExampleMode::kPrediction, 0);
  ASSERT_TRUE(example.ok()) << example.status();
  EXPECT_TRUE(example->target.empty());
}

TEST_F(TemplateTaskTest, NumbersArePrintedInTheirShortestForm) {
  const auto task = Make("prompt: \"{a:number} {b}\" target: \"{c}\"");
  const TaskSample sample{"k", {{"a", 3.0}, {"b", 2.5}, {"c", -1e15}}};
  EXPECT_EQ(Source(*task, sample, ExampleMode::kPrediction), "<s>3 2.5</s>");
  EXPECT_EQ(Target(*task, sample), "-1000000000000000</s>");
}

TEST_F(TemplateTaskTest, BadRecordsNameKeyAndColumn) {
  const auto task = Make(
      "input { name: \"image\" modality: \"image\" } prompt: \"{x} {n:number}\" target: "
      "\"{b:box}\"");
  const TaskSample good{
      "r:7", {{"image", kPhoto}, {"x", "a"}, {"n", 1.0}, {"b", std::vector<double>{0, 0, 1, 1}}}};
  ASSERT_TRUE(task->MakeExample(good, ExampleMode::kTraining, 0).ok());
  const struct {
    const char* column;
    FieldValue value;
    const char* expected;
  } kCases[] = {
      {"image", "path.png", "record \"r:7\": column \"image\": expected media, got a text"},
      {"x", kPhoto, "column \"x\": expected a text, a number or a list of texts, got media"},
      {"x", std::vector<std::string>{}, "column \"x\": expected a text"},
      {"n", "one", "column \"n\": expected a number, got a text"},
      {"b", 3.0, "column \"b\": expected a list of four numbers, got a number"},
      {"b", std::vector<double>{0, 0, 1}, "has 3 numbers; expected x0, y0, x1, y1"},
      {"b", std::vector<double>{0, 0, 30, 40},
       "is not in fractions; give columns width and height"},
      {"b", std::vector<double>{1, 0, 0, 1}, "corners in the wrong order"},
      {"b", std::vector<double>{0, 0, NAN, 1}, "is not finite"},
  };
  for (const auto& c : kCases) {
    TaskSample bad = good;
    bad.fields[c.column] = c.value;
    EXPECT_THAT(Message(task->MakeExample(bad, ExampleMode::kTraining, 0).status()),
                HasSubstr(c.expected));
    bad.fields.erase(c.column);
    const auto missing = task->MakeExample(bad, ExampleMode::kTraining, 0).status();
    EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(Message(missing), HasSubstr(std::string("no column \"") + c.column + "\""));
  }
}

TEST_F(TemplateTaskTest, BoxesInPixelsNeedTheSizeOfTheImage) {
  const auto task = Make("prompt: \"{x}\" target: \" {b:box}\"");
  TaskSample sample{
      "k",
      {{"x", "a"}, {"b", std::vector<double>{0, 16, 32, 64}}, {"width", 64.0}, {"height", 64.0}}};
  EXPECT_EQ(Target(*task, sample),
            "<location_bin:0><location_bin:250><location_bin:500><location_bin:999></s>");
  sample.fields.erase("height");
  EXPECT_THAT(Target(*task, sample), HasSubstr("no column \"height\""));
  sample.fields["height"] = 60.0;
  EXPECT_THAT(Target(*task, sample), HasSubstr("lies outside the image of 64 x 60 pixels"));
  sample.fields["height"] = 0.0;
  EXPECT_THAT(Target(*task, sample), HasSubstr("in an image of 64 x 0 pixels"));
}

TEST_F(TemplateTaskTest, TextBesideBoxesIsEncodedInRuns) {
  const auto task = Make("prompt: \" at {b:box} is {x}, right?\" target: \"{x}\"");
  const TaskSample sample{"k", {{"x", "a cat"}, {"b", std::vector<double>{0, 0, 1, 1}}}};
  EXPECT_EQ(Source(*task, sample, ExampleMode::kPrediction),
            "<s> at <location_bin:0><location_bin:0><location_bin:999><location_bin:999> is a cat, "
            "right?</s>");
}

TEST_F(TemplateTaskTest, ClosedLabelSetsBecomeTheConstraint) {
  const auto task = Make(
      "prompt: \"{x}\" target: \" it is {y:label}.\" labels { slot: \"y\" values: \"a\" values: "
      "\"b\" }");
  const TaskSample sample{"k", {{"x", "?"}, {"y", "b"}}};
  const auto example = task->MakeExample(sample, ExampleMode::kTraining, 0);
  ASSERT_TRUE(example.ok()) << example.status();
  ASSERT_EQ(example->constraint.answers.size(), 2u);
  EXPECT_EQ(Show(example->constraint.answers[0]), " it is a.");
  EXPECT_EQ(Show(example->constraint.answers[1]), " it is b.");
  EXPECT_THAT(Target(*task, {"k", {{"x", "?"}, {"y", "c"}}}),
              HasSubstr("column \"y\": \"c\" is none of the 2 labels"));
}

// Ten people answer, and the set holds the commonest answers of all questions.
TEST_F(TemplateTaskTest, OfSeveralRightAnswersSomeMayBeOutsideTheClosedSet) {
  const auto task = Make(
      "prompt: \"{x}\" target: \" {y:label}\" labels { slot: \"y\" values: \"a\" values: \"b\" }");
  const std::vector<std::string> answers = {"c", "b", "d", "a", "b"};
  const TaskSample sample{"k", {{"x", "?"}, {"y", answers}}};
  std::set<std::string> taught;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const auto example = task->MakeExample(sample, ExampleMode::kTraining, seed);
    ASSERT_TRUE(example.ok()) << example.status();
    taught.insert(Show(example->target));
  }
  EXPECT_THAT(taught, testing::ElementsAre(" a</s>", " b</s>"));
  EXPECT_TRUE(task->MakeExample(sample, ExampleMode::kPrediction, 0).ok());
  EXPECT_EQ(task->ReferencesOf(sample)->texts, answers);
  const TaskSample none{"k", {{"x", "?"}, {"y", std::vector<std::string>{"c", "d"}}}};
  EXPECT_THAT(Target(*task, none), HasSubstr("\"c\" is none of the 2 labels"));
  EXPECT_FALSE(task->ReferencesOf(none).ok());
}

TEST_F(TemplateTaskTest, AClosedSetAndItsTreeAreMadeOnceForAllExamples) {
  const auto task = Make(
      "prompt: \"{x}\" target: \" {y:label}\" labels { slot: \"y\" values: \"a\" values: \"b\" }");
  const auto trie = [&](ExampleMode mode, uint64_t seed) {
    return task->MakeExample({"k", {{"x", "?"}, {"y", "b"}}}, mode, seed)
        ->constraint.answers.trie();
  };
  const std::shared_ptr<const AnswerTrie> first = trie(ExampleMode::kTraining, 1);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(trie(ExampleMode::kTraining, 2), first);
  EXPECT_EQ(trie(ExampleMode::kPrediction, 0), first);
}

// If all labels were looked through for each of them, this test would not end before its timeout.
TEST_F(TemplateTaskTest, ALargeClosedSetIsMade) {
  constexpr int kLabels = 200000;
  std::string fields = "prompt: \"{x}\" target: \" {y:label}\" labels { slot: \"y\"";
  for (int i = 0; i < kLabels; ++i) absl::StrAppend(&fields, " values: \"w", i, "\"");
  const auto task = Make(fields + " }");
  const auto example =
      task->MakeExample({"k", {{"x", "?"}, {"y", "w199999"}}}, ExampleMode::kTraining, 1);
  ASSERT_TRUE(example.ok()) << example.status();
  EXPECT_EQ(example->constraint.answers.size(), static_cast<size_t>(kLabels));
  EXPECT_THAT(Target(*task, {"k", {{"x", "?"}, {"y", "w200000"}}}),
              HasSubstr("is none of the 200000 labels"));
}

TEST_F(TemplateTaskTest, TrainingAndPredictionAgreeOnWhatIsImageCodes) {
  const struct {
    const char* fields;
    bool image_codes;
  } kCases[] = {
      {"target: \"{c:codes}\" codes_block: \"core.image_code\"", true},
      {"target: \" {c:codes}\" codes_block: \"core.image_code\" unconstrained: true", true},
      {"target: \"{c:codes}\" codes_block: \"core.location_bin\"", false},
      {"target: \" {t}\"", false}};
  const TaskSample sample{"k", {{"c", std::vector<double>{7, 8}}, {"t", "seven"}}};
  for (const auto& c : kCases) {
    const auto task = Make(std::string("prompt: \"a\" ") + c.fields);
    EXPECT_EQ(task->MakeExample(sample, ExampleMode::kTraining, 0)->image_codes, c.image_codes);
    EXPECT_EQ(task->MakeExample({"k", {}}, ExampleMode::kPrediction, 0)->image_codes, c.image_codes)
        << "the target is not known: " << c.fields;
  }
}

TEST_F(TemplateTaskTest, TheReferenceAnswerIsWhatAPerfectModelIsCreditedWith) {
  const TaskSample sample{"k",
                          {{"x", "a"}, {"t", "red"}, {"b", std::vector<double>{0, 0.25, 0.5, 1}}}};
  EXPECT_EQ(ReferenceAnswer(*Make("prompt: \"{x}\" target: \" it is {t}\""), sample)->text,
            "it is red");
  const auto box = ReferenceAnswer(*Make("prompt: \"{x}\" target: \"{b:box}\""), sample)->box;
  ASSERT_TRUE(box.has_value());
  EXPECT_NEAR((*box)[1], 0.25, 1e-3);
  EXPECT_EQ(ReferenceAnswer(*Make("prompt: \"{x}\" target: \"{y}\""), sample).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(TemplateTaskTest, BoxAndCodeTargetsStayInTheirBlockUnlessFreed) {
  const auto ranges = [&](const std::string& fields) {
    const auto task = Make("prompt: \"a\" " + fields);
    return task->MakeExample({"k", {}}, ExampleMode::kPrediction, 0)->constraint.allowed;
  };
  ASSERT_EQ(ranges("target: \"{b:box}\"").size(), 1u);
  EXPECT_EQ(ranges("target: \"{b:box}\"")[0].begin, 8453);
  EXPECT_EQ(ranges("target: \"{c:codes}\" codes_block: \"core.image_code\"")[0].end, 8453);
  EXPECT_TRUE(ranges("target: \"{b:box}\" unconstrained: true").empty());
  EXPECT_TRUE(ranges("target: \"{t} {b:box}\"").empty());
}

TEST_F(TemplateTaskTest, ABoxTargetIsFourTokensLongByDefault) {
  EXPECT_EQ(Make("prompt: \"a\" target: \"{b:box}\"")->info().generation.min_tokens(), 4);
  EXPECT_EQ(Make("prompt: \"a\" target: \"{b:box}\"")->info().generation.max_tokens(), 4);
  EXPECT_EQ(Make("prompt: \"a\" target: \"{b}\"")->info().generation.min_tokens(), 0);
  const auto shorter = Make("prompt: \"a\" target: \"{b:box}\" generation { min_tokens: 0 }");
  EXPECT_TRUE(shorter->info().generation.has_min_tokens());
  EXPECT_EQ(shorter->info().generation.min_tokens(), 0);
}

TEST_F(TemplateTaskTest, InterpretFindsBoxesCodesAndText) {
  const auto grounding = Make("prompt: \"a\" target: \"{b:box}\"");
  Hypothesis hypothesis;
  hypothesis.tokens = {8453, 8453 + 250, 8453 + 999, 8453 + 500};
  hypothesis.score = -0.5;
  auto prediction = grounding->Interpret({}, hypothesis);
  ASSERT_TRUE(prediction.ok() && prediction->box.has_value());
  EXPECT_NEAR((*prediction->box)[1], 250.0 / 999, 1e-12);
  EXPECT_EQ((*prediction->box)[2], 1);
  EXPECT_EQ(prediction->score, -0.5);
  hypothesis.tokens = {8453, 8453, 4 + 'x', 8453, 8453};  // four bins, but not in a row
  EXPECT_FALSE(grounding->Interpret({}, hypothesis)->box.has_value());
  const auto codes = Make("prompt: \"a\" target: \"{c:codes}\" codes_block: \"core.image_code\"");
  hypothesis.tokens = {261 + 7, 261 + 8191};
  EXPECT_THAT(codes->Interpret({}, hypothesis)->codes, ElementsAre(7, 8191));
  const auto text = Make("prompt: \"a\" target: \" {t}\"");
  hypothesis.tokens = *vocabulary_.EncodeText(" a red bus ");
  EXPECT_EQ(text->Interpret({}, hypothesis)->text, "a red bus");
  hypothesis.tokens = {123456};
  EXPECT_FALSE(text->Interpret({}, hypothesis).ok());
}

TEST_F(TemplateTaskTest, CodesOutsideTheirBlockAreErrors) {
  const auto task = Make("prompt: \"a\" target: \"{c:codes}\" codes_block: \"core.image_code\"");
  const auto target = [&](std::vector<double> codes) {
    return Target(*task, {"k", {{"c", std::move(codes)}}});
  };
  EXPECT_EQ(target({0, 8191}), "<image_code:0><image_code:8191></s>");
  EXPECT_THAT(target({8192}),
              HasSubstr("\"core.image_code\" has 8192 tokens, index 8192 is outside"));
  EXPECT_THAT(target({-1}), HasSubstr("-1 is not a code"));
  EXPECT_THAT(target({0.5}), HasSubstr("0.5 is not a code"));
}

TEST_F(TemplateTaskTest, ParaphrasesAreDrawnInTrainingOnly) {
  const auto task =
      Make("prompt: \"one\" paraphrase: \"two\" paraphrase: \"three\" target: \"{y}\"");
  const TaskSample sample{"k", {{"y", "a"}}};
  std::set<std::string> wordings;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    wordings.insert(Source(*task, sample, ExampleMode::kTraining, seed));
    EXPECT_EQ(Source(*task, sample, ExampleMode::kPrediction, seed), "<s>one</s>");
    EXPECT_EQ(Source(*task, sample, ExampleMode::kTraining, seed),
              Source(*task, sample, ExampleMode::kTraining, seed));
  }
  EXPECT_THAT(wordings, ElementsAre("<s>one</s>", "<s>three</s>", "<s>two</s>"));
}

TEST_F(TemplateTaskTest, MaskingReplacesWholeWordsAndLeavesOne) {
  const auto task = Make("prompt: \" {x}\" target: \" {x}\" mask_ratio: 0.5");
  const TaskSample sample{"k", {{"x", "one two three four"}}};
  EXPECT_EQ(Source(*task, sample, ExampleMode::kPrediction), "<s> one two three four</s>");
  EXPECT_EQ(Target(*task, sample), " one two three four</s>");
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const auto example = task->MakeExample(sample, ExampleMode::kTraining, seed);
    ASSERT_TRUE(example.ok());
    EXPECT_EQ(std::count(example->source.begin(), example->source.end(), vocabulary_.mask()), 2);
    seen.insert(Show(example->source));
  }
  EXPECT_EQ(seen.size(), 6u);  // all pairs of four words
  EXPECT_EQ(seen.count("<s><mask:0> two<mask:0> four</s>"), 1u);
  EXPECT_EQ(Source(*task, {"k", {{"x", "word"}}}, ExampleMode::kTraining), "<s> word</s>");
  EXPECT_EQ(Source(*task, {"k", {{"x", ""}}}, ExampleMode::kTraining), "<s> </s>");
  EXPECT_FALSE(
      TryMake("prompt: \" {x}\" target: \" {x}\" mask_ratio: 0.5", ByteVocabulary::TextOnly())
          .ok());
}

TEST_F(TemplateTaskTest, ListsAreAlternatives) {
  const auto task = Make("prompt: \"a\" target: \" it is {y}\"");
  const TaskSample sample{"k", {{"y", std::vector<std::string>{"x", "yz"}}}};
  std::set<std::string> targets;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    targets.insert(Show(task->MakeExample(sample, ExampleMode::kTraining, seed)->target));
  }
  EXPECT_THAT(targets, ElementsAre(" it is x</s>", " it is yz</s>"));
  EXPECT_EQ(Show(task->MakeExample(sample, ExampleMode::kPrediction, 5)->target), " it is x</s>");
  EXPECT_THAT(*task->ReferenceTexts(sample), ElementsAre("it is x", "it is yz"));
}

TEST_F(TemplateTaskTest, LongTextsAreCutAndLongBoxesRefused) {
  const auto task =
      Make("prompt: \"{x}\" target: \"{x}\" max_source_tokens: 3 max_target_tokens: 2");
  const TaskSample sample{"k", {{"x", "abcdef"}, {"b", std::vector<double>{0, 0, 1, 1}}}};
  EXPECT_EQ(Source(*task, sample, ExampleMode::kTraining), "<s>abc</s>");
  EXPECT_EQ(Target(*task, sample), "ab</s>");
  EXPECT_THAT(Target(*Make("prompt: \"a\" target: \"{b:box}\" max_target_tokens: 2"), sample),
              HasSubstr("has 4 target tokens, more than 2"));
}

TEST_F(TemplateTaskTest, WhatTheModelOrDataLackIsSaidBeforeAnythingRuns) {
  const auto box = TryMake("prompt: \"a\" target: \"{b:box}\"", ByteVocabulary::TextOnly());
  EXPECT_EQ(box.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      Message(box.status()),
      HasSubstr("s.textproto:1: task \"t\": target: slot \"{b:box}\" needs vocabulary block "
                "\"core.location_bin\""));
  const auto task =
      Make("input { name: \"depth\" modality: \"depth\" } prompt: \"a\" target: \"{y}\"");
  EXPECT_THAT(Message(CheckTaskFits(task->info(), {"image", "audio"}, absl::nullopt)),
              HasSubstr("needs modality \"depth\"; the model has: image, audio"));
  EXPECT_THAT(Message(CheckTaskFits(task->info(), {"depth"}, {{"depth", "caption"}})),
              HasSubstr("needs column \"y\"; the data has: depth, caption"));
  EXPECT_TRUE(CheckTaskFits(task->info(), {"depth"}, {{"depth", "y"}}).ok());
}

TEST_F(TemplateTaskTest, RegisteredTemplatesAreFoundByName) {
  const auto set = ParseTemplateSet("task { name: \"one_task\" prompt: \"a\" target: \"{y}\" }",
                                    "s.textproto", ".");
  Registry registry;
  ASSERT_TRUE(AddTemplates(*set, registry).ok());
  const auto task = registry.CreateTask("one_task", vocabulary_);
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ((*task)->info().name, "one_task");
  EXPECT_FALSE(AddTemplates(*set, registry).ok());
}

TEST_F(TemplateTaskTest, ShippedTasksKeepTheContractOfTasks) {
  const std::vector<double> box = {0.1, 0.2, 0.6, 0.9};
  const TaskSample sample{"k",
                          {{"image", kPhoto},
                           {"video", kPhoto},
                           {"audio", kPhoto},
                           {"depth", kPhoto},
                           {"box", box},
                           {"caption", "a red bus"},
                           {"question", "what is it?"},
                           {"answer", "yes"},
                           {"text", "a bus"},
                           {"objects", "bus"},
                           {"hypothesis", "a bus waits"},
                           {"candidate", "bus"},
                           {"digit", "two"},
                           {"word", "tree"},
                           {"class", "cat"},
                           {"second", kPhoto},
                           {"relation", "left of"},
                           {"right", "yes"},
                           {"confidence", 1.0},
                           {"summary", "bus"},
                           {"codes", std::vector<double>{1, 2, 3}}}};
  for (const char* name : {"published", "unival", "quickstart"}) {
    const auto set = LoadTemplateSet(std::string("tasks/templates/") + name + ".textproto");
    ASSERT_TRUE(set.ok()) << set.status();
    for (const LoadedTemplate& source : set->tasks) {
      const auto task = TemplateTask::Create(source, vocabulary_);
      ASSERT_TRUE(task.ok()) << task.status();
      const ConformanceReport report =
          CheckTask(**task, vocabulary_, {{sample, sample}, 2, BuiltinMetrics().scores()});
      EXPECT_TRUE(report.ok()) << report.Table();
    }
  }
}

}  // namespace
}  // namespace unival
