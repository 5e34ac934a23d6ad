// Compares the published wording with the output of the original implementation for the same
// records (testdata/published_items.json: its token ids, decoded).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "sdk/base/test_files.h"
#include "sdk/testing/byte_vocabulary.h"
#include "tasks/metrics/boxes.h"
#include "tasks/templates/template_task.h"
#include "tasks/templates/text_cleaning.h"

namespace unival {
namespace {

using Json = nlohmann::json;

class PublishedTest : public testing::Test {
 protected:
  void SetUp() override {
    golden_ = Json::parse(ReadText("tasks/templates/testdata/published_items.json"));
    auto set = LoadTemplateSet("tasks/templates/published.textproto");
    ASSERT_TRUE(set.ok()) << set.status();
    set_ = *std::move(set);
  }

  std::unique_ptr<TemplateTask> Task(const std::string& name) {
    const LoadedTemplate* found = set_.Find(name);
    EXPECT_NE(found, nullptr) << name;
    return *TemplateTask::Create(*found, vocabulary_);
  }
  std::string Text(const std::vector<int64_t>& tokens) { return *vocabulary_.DecodeText(tokens); }

  // Local indices of the tokens of one block.
  std::vector<int64_t> Indices(const std::vector<int64_t>& tokens, const std::string& block) {
    std::vector<int64_t> indices;
    for (const int64_t id : tokens) {
      const BlockToken token = *vocabulary_.Identify(id);
      if (token.block == block) indices.push_back(token.index);
    }
    return indices;
  }

  Json golden_;
  LoadedTemplateSet set_;
  const ByteVocabulary vocabulary_ = ByteVocabulary::Published();
};

TaskSample SampleOf(const Json& columns) {
  const MediaSource media{"x.png", "x.png", nullptr};
  TaskSample sample{"item", {{"image", media}, {"video", media}, {"audio", media}}};
  for (const auto& column : columns.items()) {
    const Json& value = column.value();
    if (value.is_string()) sample.fields[column.key()] = value.get<std::string>();
    if (value.is_number()) sample.fields[column.key()] = value.get<double>();
    if (value.is_array()) sample.fields[column.key()] = value.get<std::vector<double>>();
  }
  return sample;
}

TEST_F(PublishedTest, RecordsBecomeTheOriginalTexts) {
  ASSERT_EQ(golden_["items"].size(), 13u);
  for (const Json& item : golden_["items"]) {
    const auto task = Task(item["task"]);
    const auto example = task->MakeExample(SampleOf(item["columns"]), ExampleMode::kTraining, 3);
    ASSERT_TRUE(example.ok()) << example.status() << item;
    const Json& expected = item["expected"];
    EXPECT_EQ(Text(example->source), expected["source"]) << item;
    if (expected.contains("target")) {
      EXPECT_EQ(Text(example->target), expected["target"]) << item;
    }
    if (expected.contains("prefix")) {
      EXPECT_EQ(Text(example->prefix), expected["prefix"]) << item;
    }
    if (expected.contains("bins")) {
      EXPECT_EQ(Json(Indices(example->target, "core.location_bin")), expected["bins"]) << item;
    }
    if (expected.contains("codes")) {
      EXPECT_EQ(Json(Indices(example->target, "core.image_code")), expected["codes"]) << item;
    }
  }
}

// snli_ve_dataset.py forces the prompt in the decoder with a premise and without one.
TEST_F(PublishedTest, EntailmentWithAPremiseForcesItsPromptToo) {
  const TaskSample sample =
      SampleOf({{"caption", "a dog"}, {"hypothesis", "an animal"}, {"answer", "yes"}});
  for (const char* name : {"visual_entailment", "visual_entailment_premise"}) {
    const auto example = Task(name)->MakeExample(sample, ExampleMode::kTraining, 1);
    ASSERT_TRUE(example.ok()) << example.status();
    EXPECT_THAT(Text(example->prefix), testing::HasSubstr("an animal")) << name;
  }
}

// caption_dataset.py cuts captions in training, but not the references of the evaluation.
TEST_F(PublishedTest, CaptionsAreCutForLearningAndWholeForMeasuring) {
  std::vector<std::string> words(30, "word");
  words.back() = "last";
  const TaskSample sample = SampleOf({{"caption", absl::StrJoin(words, " ")}});
  const auto task = Task("image_caption");
  const auto example = task->MakeExample(sample, ExampleMode::kTraining, 1);
  ASSERT_TRUE(example.ok()) << example.status();
  EXPECT_THAT(Text(example->target), testing::Not(testing::HasSubstr("last")));
  const auto references = task->ReferencesOf(sample);
  ASSERT_TRUE(references.ok()) << references.status();
  EXPECT_THAT(references->texts, testing::ElementsAre(testing::EndsWith(" word last")));
}

TEST_F(PublishedTest, PromptsAreTheOriginalOnesToTheByte) {
  const std::pair<const char*, const char*> kNames[] = {
      {"caption", "image_caption"},
      {"video_caption", "video_caption"},
      {"audio_caption", "audio_caption"},
      {"refcoco", "grounding"},
      {"snli_ve", "visual_entailment"},
      {"snli_ve_with_caption", "visual_entailment_premise"},
      {"vqa", "vqa"},
      {"image_gen", "image_generation"}};
  for (const auto& [original, name] : kNames) {
    const std::string prompt =
        absl::StrReplaceAll(set_.Find(name)->proto.prompt(), {{"{text:text}", "{}"},
                                                              {"{hypothesis:text}", "{}"},
                                                              {"{caption:text}", "{}"},
                                                              {"{question:text}", "{}"}});
    EXPECT_EQ(prompt, golden_["prompts"][original]) << name;
  }
}

TEST_F(PublishedTest, PretrainingPromptsAreTheOriginalOnesToTheByte) {
  const std::pair<const char*, const char*> kPrompts[] = {
      {"audio_caption_pretraining", " what does the audio describe?"},
      {"vqa_objects", " {question:text} object: {objects:text}"},
      {"grounded_caption", "  what does the region describe? region:{box:box}"},
      {"image_text_matching", " does the image describe \" {text:text} \"?"},
      {"video_text_matching", " does the video describe \" {text:text} \"?"},
      {"audio_text_matching", " does the audio describe \" {text:text} \"?"},
      {"answer_verification",
       " what is the answer to question \" {question:text} \". is \" {candidate:text} \"?"}};
  for (const auto& [name, prompt] : kPrompts) EXPECT_EQ(Task(name)->proto().prompt(), prompt);
}

TEST_F(PublishedTest, TextIsCleanedAsInTheOriginal) {
  ASSERT_EQ(golden_["cleaning"].size(), 11u);
  for (const Json& item : golden_["cleaning"]) {
    const std::string text = item["text"];
    std::string question = item["pre_question"];
    if (question.empty() || question.back() != '?') question += '?';
    EXPECT_EQ(CleanText(text, TEXT_CLEANING_QUESTION, 0), question) << item;
    EXPECT_EQ(CleanText(text, TEXT_CLEANING_CAPTION, 0), item["pre_caption"]) << item;
    EXPECT_EQ(CleanText(text, TEXT_CLEANING_CAPTION, 3), item["pre_caption_3"]) << item;
    EXPECT_EQ(CleanText(text, TEXT_CLEANING_NO_PUNCTUATION, 0), item["strip_punct_train"]) << item;
  }
}

TEST_F(PublishedTest, BoxesHaveTheOriginalBinsAndComeBackAsTheOriginalPixels) {
  for (const Json& item : golden_["boxes"]) {
    const ImageSize size{item["size"][0], item["size"][1]};
    const auto box = item["box"].get<std::vector<double>>();
    const auto fractions = BoxFractions(box, size);
    ASSERT_TRUE(fractions.ok()) << fractions.status();
    const std::array<int64_t, 4> bins = QuantizeBox(*fractions, 1000);
    EXPECT_EQ(Json(bins), item["bins"]) << item;
    if (!item.contains("dequantized") || item["dequantized"].is_null()) continue;
    const NormalizedBox back = DequantizeBox(bins, 1000);
    for (int i = 0; i < 4; ++i) {
      EXPECT_NEAR(back[i] * (i % 2 == 0 ? size.width : size.height),
                  item["dequantized"][i].get<double>(), 1e-4);
    }
  }
}

TEST(BoxTest, EveryBinSurvivesTheRoundTrip) {
  for (const int64_t count : {2, 32, 64, 1000}) {
    for (int64_t bin = 0; bin < count; ++bin) {
      const std::array<int64_t, 4> bins = {bin, 0, count - 1, bin};
      EXPECT_EQ(QuantizeBox(DequantizeBox(bins, count), count), bins);
    }
  }
}

TEST(BoxTest, HalvesRoundToEven) {
  const NormalizedBox halves = {0.5 / 999, 1.5 / 999, 2.5 / 999, 3.5 / 999};
  EXPECT_THAT(QuantizeBox(halves, 1000), testing::ElementsAre(0, 2, 2, 4));
}

TEST_F(PublishedTest, OverlapAgreesWithTheOriginalScores) {
  const Json& score = golden_["score"];
  const auto box = [](const Json& list) {
    return NormalizedBox{list[0], list[1], list[2], list[3]};
  };
  for (size_t i = 0; i < score["hyps"].size(); ++i) {
    const NormalizedBox hypothesis = box(score["hyps"][i]);
    const double same = IntersectionOverUnion(hypothesis, box(score["refs"][i]));
    const double other = IntersectionOverUnion(hypothesis, box(score["refs_rolled"][i]));
    EXPECT_EQ(same >= 0.5 ? 1.0 : 0.0, score["acc_0_5"][i].get<double>());
    EXPECT_EQ(other >= 0.5 ? 1.0 : 0.0, score["acc_0_5_rolled"][i].get<double>());
    EXPECT_EQ(other >= 0.3 ? 1.0 : 0.0, score["acc_0_3_rolled"][i].get<double>());
    // For boxes apart in both directions the original's number has no meaning; it never counts as a
    // hit.
    if (other > 0) {
      EXPECT_NEAR(other, score["iou_rolled"][i].get<double>(), 1e-5);
    }
  }
}

}  // namespace
}  // namespace unival
