// Trains other tasks than captions: a numeric answer, a closed set of thousands from a file, two
// inputs of different modalities.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

constexpr int kLabels = 3000;

constexpr char kThreeTasks[] = R"(
name: "three"
task {
  name: "measure"
  input { name: "image" modality: "image" }
  prompt: " what is its value?"
  target: " {value:number}"
  generation { beam: 1 max_tokens: 10 }
  metric: "exact_match"
}
task {
  name: "name"
  input { name: "image" modality: "image" }
  prompt: " what is its name?"
  target: " {name:label}"
  labels { slot: "name" file: "names.txt" }
  generation { beam: 1 max_tokens: 10 }
  metric: "exact_match"
}
task {
  name: "compare"
  input { name: "image" modality: "image" }
  input { name: "second" modality: "photo" }
  prompt: " what do both show?"
  target: " {colours:text}"
  generation { beam: 1 max_tokens: 10 }
  metric: "exact_match"
}
)";

// "bada", "bade", ... of syllables.
std::vector<std::string> Names() {
  std::vector<std::string> syllables, names;
  for (const char c : absl::string_view("bdfgklmnprstvz"))
    for (const char v : absl::string_view("aeiou")) syllables.push_back({c, v});
  for (const std::string& first : syllables)
    for (const std::string& second : syllables) names.push_back(first + second);
  names.resize(kLabels);
  return names;
}

void WriteRecords(const std::vector<std::string>& names) {
  const char* const colors[] = {"red", "green", "blue"};
  std::string records;
  for (int i = 0; i < kImages; ++i) {
    const int color = i % 3, second = i / 3 % 3;
    records += Json{{"image", absl::StrCat("images/", i, ".png")},
                    {"second", absl::StrCat("images/", second, ".png")},
                    {"value", 2.5 + 40 * color},
                    {"name", names[1400 * color]},
                    {"colours", absl::StrCat(colors[color], " ", colors[second])}}
                   .dump() +
               "\n";
  }
  WriteText(World() + "/three.jsonl", records);
}

void TrainNumberTokenizer(const std::vector<std::string>& names) {
  std::string corpus = " red green blue\n what is its value? name? do both show?\n";
  for (int i = 0; i < 200; ++i) absl::StrAppend(&corpus, " ", i, ".5 ", names[7 * i], "\n");
  std::filesystem::create_directories(World() + "/three_tokenizer");
  TokenizerTraining training;
  training.corpus = WriteText(World() + "/three_corpus.txt", corpus);
  training.output = World() + "/three_tokenizer/tokenizer.model";
  training.vocabulary_size = 120;
  ASSERT_TRUE(TheRuntime().registry().TrainTokenizer("sentencepiece", training).ok());
}

TrainingPlan ThreePlan() {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.set_tokenizer_directory("three_tokenizer");
  plan.set_templates(0, "three.textproto");
  Manifest* fresh = plan.mutable_fresh_model();
  fresh->mutable_backbone()->set_dropout(0);
  *fresh->add_modality() = fresh->modality(0);
  fresh->mutable_modality(1)->set_id("photo");
  fresh->mutable_modality(1)->set_type("image");
  *fresh->add_connection() = fresh->connection(0);
  fresh->mutable_connection(1)->set_modality("photo");
  Stage* stage = plan.mutable_stage(0);
  stage->set_steps(360);
  stage->set_batch(12);
  stage->set_micro_batches(1);
  stage->set_log_every(0);
  stage->mutable_optimizer()->set_learning_rate(5e-3f);
  stage->clear_source();
  plan.clear_evaluation();
  for (const char* task : {"measure", "name", "compare"}) {
    SourcePlan* source = stage->add_source();
    source->set_name(task);
    source->set_task(task);
    source->set_path("three.jsonl");
    EvaluationPlan* evaluation = plan.add_evaluation();
    evaluation->set_name(task);
    evaluation->set_task(task);
    evaluation->set_path("three.jsonl");
  }
  return plan;
}

TEST(TrainerTest, LearnsNumbersAClosedSetOfThreeThousandAndTwoInputs) {
  const std::vector<std::string> names = Names();
  std::string file;
  for (const std::string& name : names) absl::StrAppend(&file, name, "\n");
  WriteText(World() + "/names.txt", file);
  WriteText(World() + "/three.textproto", kThreeTasks);
  WriteRecords(names);
  TrainNumberTokenizer(names);
  TrainResult result = TrainOk(Options(World(), ThreePlan(), FreshOutput("three")));
  for (const char* task : {"measure", "name", "compare"})
    EXPECT_GT(result.evaluations[task].metrics["exact_match"], 0.9) << task;
  const std::set<std::string> known(names.begin(), names.end());
  std::stringstream answers(ReadText(World() + "/three/results/name.jsonl"));
  int count = 0;
  for (std::string line; std::getline(answers, line); ++count)
    EXPECT_EQ(known.count(Json::parse(line).at("text").get<std::string>()), 1u) << line;
  EXPECT_EQ(count, kImages);
}

}  // namespace
}  // namespace unival::trainer_tests
