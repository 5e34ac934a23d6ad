// Other settings of templates than their texts: media within the prompt, denoising, weights and
// negatives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sdk/base/test_files.h"
#include "sdk/testing/byte_vocabulary.h"
#include "tasks/templates/denoising.h"
#include "tasks/templates/record_fault.h"
#include "tasks/templates/template_fault.h"
#include "tasks/templates/template_task.h"

namespace unival {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const MediaSource kFirst{"a.png", "a.png", nullptr};
const MediaSource kSecond{"b.png", "b.png", nullptr};

constexpr char kTwoInputs[] =
    "input { name: \"image\" modality: \"image\" } input { name: \"second\" modality: \"image\" } "
    "target: \" {answer}\" ";

class TrainingExamples : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<TemplateTask>> TryMake(const std::string& fields) {
    auto set = ParseTemplateSet("task { name: \"t\" " + fields + "}", "s.textproto", ".");
    if (!set.ok()) return set.status();
    return TemplateTask::Create(set->tasks[0], vocabulary_);
  }
  std::string Fault(const std::string& fields) {
    return std::string(TryMake(fields).status().message());
  }
  Seq2SeqExample Example(const std::string& fields, const TaskSample& sample,
                         ExampleMode mode = ExampleMode::kTraining, uint64_t seed = 0) {
    const auto task = TryMake(fields);
    EXPECT_TRUE(task.ok()) << task.status();
    auto example = (*task)->MakeExample(sample, mode, seed);
    EXPECT_TRUE(example.ok()) << example.status();
    return example.ok() ? *example : Seq2SeqExample();
  }
  // The source with its media where they stand.
  std::string Laid(const Seq2SeqExample& example) {
    std::map<int64_t, std::string> items;
    std::string before;
    for (const MediaInput& input : example.media) {
      const std::string item = absl::StrCat("[", input.media.name, "]");
      if (input.place < 0) {
        before += item;
      } else {
        items[input.place] = item;
      }
    }
    std::string text = before;
    int64_t position = 0;
    const auto take_items = [&] {
      for (; items.count(position) > 0; ++position) text += items[position];
    };
    for (const int64_t id : example.source) {
      take_items();
      const BlockToken token = *vocabulary_.Identify(id);
      text += token.block == "core.bpe"       ? std::string(1, static_cast<char>(token.index))
              : token.block == "core.special" ? std::string(token.index == 0 ? "<s>" : "</s>")
                                              : std::string("<m>");
      ++position;
    }
    take_items();
    return text;
  }

  const ByteVocabulary vocabulary_ = ByteVocabulary::Published();
  const TaskSample pair_{
      "k", {{"image", kFirst}, {"second", kSecond}, {"answer", "yes"}, {"word", "cup"}}};
};

TEST_F(TrainingExamples, MediaStandWhereThePromptNamesThem) {
  const std::string two = kTwoInputs;
  const struct {
    const char* prompt;
    const char* expected;
  } kCases[] = {
      {"{image} is left of {image:second}", "<s>[a.png] is left of[b.png]</s>"},
      {" is {second} behind {image}?", "<s> is[b.png] behind[a.png]?</s>"},
      {"{second}{image} alike", "<s>[b.png][a.png] alike</s>"},
      {" what of the {word} in {second}?", "[a.png]<s> what of the cup in[b.png]?</s>"},
      {" both?", "[a.png][b.png]<s> both?</s>"},
  };
  for (const auto& c : kCases) {
    for (const ExampleMode mode : {ExampleMode::kTraining, ExampleMode::kPrediction}) {
      EXPECT_EQ(Laid(Example(absl::StrCat(two, "prompt: \"", c.prompt, "\""), pair_, mode)),
                c.expected);
    }
  }
  // The text behind an item may be cut away; the item stays.
  EXPECT_EQ(Laid(Example(two + "prompt: \" ab{image}cd{second}\" max_source_tokens: 2", pair_)),
            "<s> a[a.png][b.png]</s>");
  // The decoder reads the words.
  const Seq2SeqExample forced =
      Example(two + "prompt: \"{image} is {second}\" prompt_in_decoder: true", pair_);
  EXPECT_EQ(*vocabulary_.DecodeText(forced.prefix), " is");
}

TEST_F(TrainingExamples, MediaThatCannotStandThereAreNamed) {
  const std::string two = kTwoInputs;
  EXPECT_THAT(Fault(two + "prompt: \"{image} {image}\""),
              AllOf(HasSubstr("s.textproto:1: task \"t\": prompt: "), HasSubstr("twice")));
  EXPECT_THAT(Fault(two + "prompt: \"{image:third}\""),
              AllOf(HasSubstr("unknown slot type \"third\""), HasSubstr("inputs")));
  EXPECT_THAT(Fault(two + "prompt: \"{video:second}\""), HasSubstr("write {image:second}"));
  EXPECT_THAT(Fault(two + "prompt: \"{image}\" paraphrase: \" what?\""), HasSubstr("same columns"));
  EXPECT_THAT(Fault("input { name: \"image\" modality: \"image\" } prompt: \"\" "
                    "target: \"{image}\""),
              HasSubstr("is a media input"));
}

TEST_F(TrainingExamples, SpansOfPoissonLengthsBecomeOneMaskEach) {
  const std::string task =
      "prompt: \" {text}\" target: \" {text}\" mask_ratio: 0.3 mask_span_mean: 3";
  std::vector<std::string> words;
  for (int i = 0; i < 60; ++i) words.push_back(absl::StrCat("w", i));
  const TaskSample sample{"k", {{"text", absl::StrJoin(words, " ")}}};
  int64_t left = 0, masks = 0;
  std::set<std::string> different;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const std::string source = Laid(Example(task, sample, ExampleMode::kTraining, seed));
    different.insert(source);
    EXPECT_EQ(source, Laid(Example(task, sample, ExampleMode::kTraining, seed)));
    int64_t position = -1;
    for (const std::string& word : std::vector<std::string>(absl::StrSplit(
             source.substr(3, source.size() - 7), absl::ByAnyChar(" <>"), absl::SkipEmpty()))) {
      if (word == "m") {
        ++masks;
        continue;
      }
      ++left;
      const auto found = std::find(words.begin(), words.end(), word);
      ASSERT_NE(found, words.end()) << source;
      EXPECT_GT(found - words.begin(), position) << "order";
      position = found - words.begin();
    }
  }
  EXPECT_GT(different.size(), 45u);
  // At most 18 of 60 words are masked; spans that meet or reach the end mask fewer.
  EXPECT_GE(left, 50 * 42);
  EXPECT_LE(left, 50 * 48);
  // ceil(18 / 3) spans and a little more, since some have length 0.
  EXPECT_NEAR(static_cast<double>(masks) / 50, 6, 1.5);
  EXPECT_EQ(Laid(Example(task, sample, ExampleMode::kPrediction)),
            absl::StrCat("<s> ", absl::StrJoin(words, " "), "</s>"));
}

TEST_F(TrainingExamples, PoissonDrawsHaveTheirMeanAndVariance) {
  SeededRandom random(5);
  for (const double mean : {0.5, 3.0, 20.0}) {
    double sum = 0, squares = 0;
    constexpr int kDraws = 20000;
    for (int i = 0; i < kDraws; ++i) {
      const auto k = static_cast<double>(PoissonDraw(mean, random));
      sum += k, squares += k * k;
    }
    EXPECT_NEAR(sum / kDraws, mean, 0.05 * mean);
    EXPECT_NEAR(squares / kDraws - sum / kDraws * sum / kDraws, mean, 0.1 * mean);
  }
}

TEST_F(TrainingExamples, SentencesChangeTheirOrder) {
  const std::string text = "One is here. Is 2.5 two? Three! four";
  std::set<std::string> orders;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SeededRandom random(seed);
    orders.insert(ShuffledSentences(text, random));
  }
  EXPECT_EQ(orders.size(), 24u);
  EXPECT_EQ(orders.count("Is 2.5 two? four One is here. Three!"), 1u);
  const TaskSample sample{"k", {{"text", "a. b."}}};
  const std::string task = "prompt: \" {text}\" target: \" {text}\" shuffle_sentences: true";
  std::set<std::string> sources;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Seq2SeqExample example = Example(task, sample, ExampleMode::kTraining, seed);
    sources.insert(Laid(example));
    EXPECT_EQ(*vocabulary_.DecodeText(example.target), " a. b.");
  }
  EXPECT_THAT(sources, ElementsAre("<s> a. b.</s>", "<s> b. a.</s>"));
}

TEST_F(TrainingExamples, WeightsAndMasksComeFromTheRecord) {
  const std::string task =
      "prompt: \" {q}\" target: \" {a:label}\" labels { slot: \"a\" values: \"x\" values: \"y\" } "
      "loss_weight: \"sure\" mask_loss: true";
  TaskSample sample{"r:3", {{"q", "?"}, {"a", "x"}, {"sure", 0.6}}};
  const Seq2SeqExample example = Example(task, sample);
  EXPECT_EQ(example.loss_weight, 0.6);
  EXPECT_TRUE(example.mask_loss);
  EXPECT_FALSE(Example(task, sample, ExampleMode::kPrediction).mask_loss);
  sample.fields["sure"] = "0.3";  // of a table
  EXPECT_EQ(Example(task, sample).loss_weight, 0.3);
  for (const FieldValue& bad : {FieldValue(0.0), FieldValue(-1.0), FieldValue("much")}) {
    sample.fields["sure"] = bad;
    const auto made = TryMake(task).value()->MakeExample(sample, ExampleMode::kTraining, 0);
    EXPECT_THAT(std::string(made.status().message()),
                AllOf(HasSubstr("record \"r:3\""), HasSubstr("column \"sure\"")));
  }
  EXPECT_THAT(TryMake(task).value()->info().columns, ElementsAre("q", "a"));
}

TEST_F(TrainingExamples, ARuleThatCameLaterDoesNotMakeAStoredSetUnreadable) {
  const std::string text =
      "task { name: \"t\" prompt: \" {x}\" target: \" {y}\" generation { score_candidates: true } "
      "}";
  EXPECT_FALSE(ParseTemplateSet(text, "s.textproto", ".").ok());
  const auto stored = ParseTemplateSet(text, "s.textproto", "");
  EXPECT_TRUE(stored.ok()) << stored.status();
}

TEST_F(TrainingExamples, SettingsOutOfRangeAreNamed) {
  const std::string text = "prompt: \" {x}\" target: \" {y}\" ";
  const struct {
    const char* fields;
    const char* expected;
  } kCases[] = {
      {"mask_loss: true", "mask_loss: needs a closed set"},
      {"generation { score_candidates: true }", "score_candidates: needs a closed set"},
      {"mask_span_mean: 3", "mask_span_mean: needs mask_ratio"},
      {"mask_ratio: 0.3 mask_span_mean: -1", "mask_span_mean: expected 0 to 64, got -1"},
      {"negatives { column: \"z\" answer: \"y\" }", "negatives: column: no slot of column \"z\""},
      {"negatives { column: \"x\" answer: \"z\" }", "negatives: answer: no slot of column \"z\""},
      {"negatives { column: \"x\" answer: \"y\" share: 2 }", "share: expected a share from 0 to 1"},
      {"negatives { column: \"x\" answer: \"y\" swap_share: 0.4 }", "at least two object words"},
      {"negatives { column: \"x\" answer: \"y\" no: \"yes\" }", "they must differ"},
      {"negatives { column: \"x\" answer: \"y\" counting: \"n\" }", "counting: needs same"},
      {"negatives { column: \"x\" answer: \"y\" word_file: \"none.txt\" }", "none.txt"},
      {"also { task: \"u\" }", "also:0: task: expected another task of this set, got \"u\""},
      {"also { task: \"t\" }", "expected another task of this set"},
  };
  for (const auto& c : kCases) EXPECT_THAT(Fault(text + c.fields), HasSubstr(c.expected));
  const auto further = ParseTemplateSet(
      "task { name: \"t\" prompt: \" {x}\" target: \" {y}\" also { task: \"u\" columns { key: "
      "\"w\" "
      "value: \"x\" } } } task { name: \"u\" prompt: \" {z}\" target: \" {y}\" }",
      "s.textproto", ".");
  EXPECT_THAT(std::string(further.status().message()),
              AllOf(HasSubstr("has no column \"w\""), HasSubstr("it reads: z, y")));
}

TEST_F(TrainingExamples, NegativesFillTheAnswerInTrainingAlone) {
  const std::string folder = NewFolder("words");
  WriteText(folder + "/objects.txt", "cat\ndog\n");
  WriteText(folder + "/set.textproto",
            "task { name: \"t\" prompt: \" {x}\" target: \" {y:label}\" labels { slot: \"y\" "
            "values: \"yes\" values: \"no\" } negatives { column: \"x\" answer: \"y\" "
            "word_file: \"objects.txt\" confidence: \"sure\" } }");
  const auto set = LoadTemplateSet(folder + "/set.textproto");
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_THAT(TemplateSetText(*set), HasSubstr("word: \"dog\""));
  const auto task = TemplateTask::Create(set->tasks[0], vocabulary_).value();
  EXPECT_THAT(task->info().columns, ElementsAre("x"));
  const TaskSample unjudged{"k", {{"x", "a cat"}, {"sure", 1.0}}};
  EXPECT_EQ(*vocabulary_.DecodeText(task->MakeExample(unjudged, ExampleMode::kTraining, 0)->target),
            " yes");
  EXPECT_THAT(task->MakeExample(unjudged, ExampleMode::kPrediction, 0)->target, IsEmpty());
  const TemplateReading reading = ReadTemplate(set->tasks[0], BuiltinSlotTypes());
  EXPECT_THAT(FaultsOfRecord(reading, vocabulary_, unjudged), IsEmpty());
  const auto unanswered = FaultsOfRecord(reading, vocabulary_, unjudged, RecordUse::kEvaluation);
  ASSERT_EQ(unanswered.size(), 1u);
  EXPECT_EQ(unanswered[0].column, "y");
  const auto faults = FaultsOfRecord(reading, vocabulary_, {"k", {{"x", "a cat"}, {"sure", 3.0}}});
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].kind, kBadValue);
  EXPECT_EQ(faults[0].field, "negatives");
  EXPECT_THAT(faults[0].what, HasSubstr("from 0 to 1"));
}

}  // namespace
}  // namespace unival
