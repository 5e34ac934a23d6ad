// Merges models that were trained from the same model: merges, fronts, soups.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Two models that were trained from the tiny one with different seeds.
const Program& WithTwoExperts() {
  static const Program* const kProgram = [] {
    const Program& program = TinyWorkplace();
    WriteText(program.Path("recipes/expert.textproto"),
              "name: \"expert\" model: \"../models/tiny\" stage { trainable: \"all\" steps: 3 "
              "batch: 4 optimizer { learning_rate: 1e-3 } source { task: \"image_caption\" path: "
              "\"image/train/caption.jsonl\" } }");
    for (const char* seed : {"1", "2"}) {
      const Outcome outcome = program.Run(
          std::string("train recipes/expert.textproto --data_root data --quiet --seed ") + seed +
          " --output runs/expert" + seed);
      EXPECT_EQ(outcome.code, 0) << outcome.err;
    }
    return &program;
  }();
  return *kProgram;
}

constexpr char kExperts[] = "runs/expert1/model runs/expert2/model ";
constexpr char kMeasured[] = "--task image_caption --data data/image/eval/caption.jsonl --limit 4 ";

TEST(Merges, MergedModelsAnswerAndNameTheirParents) {
  const Program& program = WithTwoExperts();
  for (const char* how : {"--lambda 0.3", "--method slerp", "--method average",
                          "--method ties --base models/tiny", "--method dare --base models/tiny"}) {
    const Outcome merged =
        program.Run(std::string("merge ") + kExperts + how + " -o models/both --overwrite --json");
    ASSERT_EQ(merged.code, 0) << how << merged.err;
    EXPECT_EQ(json::parse(merged.out)["output"], "models/both");
    const Outcome eval = program.Run(std::string("eval models/both ") + kMeasured);
    EXPECT_EQ(eval.code, 0) << how << eval.err;
  }
  const json report = json::parse(program.Run("inspect models/both --json").out);
  EXPECT_EQ(report["lineage"].back()["command"], "merge dare");
}

TEST(Merges, MergeRefusesModelsThatDoNotComeFromOne) {
  const Program& program = WithTwoExperts();
  EXPECT_EQ(program
                .Run("train recipes/tiny_pretrain.textproto --data_root data --quiet --seed 9 "
                     "--output runs/stranger")
                .code,
            0);
  const Outcome refused =
      program.Run("merge runs/expert1/model runs/stranger/model -o models/stranger");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("lineage"), HasSubstr("runs/stranger/model")));
  EXPECT_FALSE(fs::exists(program.Path("models/stranger")));
}

TEST(Merges, TooFewModelsAreAMistakeOfTheCommandLine) {
  const Program& program = TinyWorkplace();
  const Outcome one = program.Run("merge models/tiny -o models/one");
  EXPECT_EQ(one.code, 2);
  EXPECT_THAT(one.err, AllOf(HasSubstr("models/tiny: expected two or more model directories"),
                             HasSubstr("see unival merge --help")));
  EXPECT_EQ(program.Run("merge models/tiny models/tiny").code, 2);
  EXPECT_EQ(program.Run("merge -o models/one").code, 2);
}

TEST(Merges, MergeFrontMeasuresAGridAndTakesALambda) {
  const Program& program = WithTwoExperts();
  const Outcome front = program.Run(
      std::string("merge front ") + kExperts + kMeasured +
      "--grid 3 --floor image_caption=0 --csv front.csv --plot front.svg -o models/front "
      "--overwrite --json");
  ASSERT_EQ(front.code, 0) << front.err;
  const json report = json::parse(front.out);
  EXPECT_EQ(report["points"].size(), 3u);
  EXPECT_EQ(report["tasks"][0]["metric"], "exact_match");
  EXPECT_TRUE(report["lambda"].is_number());
  EXPECT_THAT(ReadText(program.Path("front.csv")), HasSubstr("image_caption exact_match"));
  EXPECT_THAT(ReadText(program.Path("front.svg")), HasSubstr("<polyline"));
  EXPECT_TRUE(fs::exists(program.Path("models/front/manifest.textproto")));
  const Outcome missed = program.Run(std::string("merge front ") + kExperts + kMeasured +
                                     "--grid 2 --floor image_caption=1.5");
  EXPECT_EQ(missed.code, 3) << missed.err;
}

TEST(Merges, MergeFrontTakesTheLambdaOfTheFewestErrors) {
  const Program& program = WithTwoExperts();
  WriteText(program.Path("heard.textproto"),
            "name: \"heard\" task { name: \"heard\" input { name: \"image\" modality: "
            "\"image\" } prompt: \" what is it?\" target: \" {caption:text}\" metric: "
            "\"wer\" }");
  const std::string command = std::string("merge front ") + kExperts +
                              "--templates heard.textproto --task heard --data "
                              "data/image/eval/caption.jsonl --limit 4 --grid 3 --json ";
  const Outcome front = program.Run(command + "--floor heard=1000");
  ASSERT_EQ(front.code, 0) << front.err;
  const json report = json::parse(front.out);
  EXPECT_EQ(report["tasks"][0]["metric"], "wer");
  EXPECT_EQ(report["tasks"][0]["less_is_better"], true);
  double fewest = 1e9, taken = -1;
  for (const json& point : report["points"]) {
    fewest = std::min(fewest, point["values"][0].get<double>());
    if (point["lambda"] == report["lambda"]) taken = point["values"][0];
  }
  EXPECT_EQ(taken, fewest) << front.out;
  EXPECT_EQ(program.Run(command + "--floor heard=-1").code, 3)
      << "a floor is the most that will do";
}

TEST(Merges, AGreedySoupTakesWhatDoesNotMakeItWorse) {
  const Program& program = WithTwoExperts();
  WriteText(
      program.Path("recipes/soup.textproto"),
      "name: \"soup\" method: \"greedy_soup\" model { path: \"../runs/expert1/model\" } model { "
      "path: \"../runs/expert2/model\" } measure { task: \"image_caption\" path: "
      "\"image/eval/caption.jsonl\" limit: 4 }");
  const Outcome soup =
      program.Run("merge recipes/soup.textproto --data_root data -o models/soup --json");
  ASSERT_EQ(soup.code, 0) << soup.err;
  const json report = json::parse(soup.out);
  EXPECT_EQ(report["greedy_soup"]["steps"].size(), 2u);
  EXPECT_EQ(report["greedy_soup"]["steps"][0]["taken"], true);
  for (const auto& entry : fs::directory_iterator(program.Path("models"))) {
    EXPECT_EQ(entry.path().string().find("candidates"), std::string::npos) << entry.path();
  }
}

// The bytes of a model's files with tensors, by their names.
std::map<std::string, std::string> WeightFiles(const Program& program, const std::string& model) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(program.Path(model))) {
    if (entry.path().extension() == ".safetensors") {
      files[entry.path().filename().string()] = ReadText(entry.path().string());
    }
  }
  return files;
}

TEST(Merges, RunningStatisticsAreMeasuredOnData) {
  const Program& program = WithTwoExperts();
  const std::string merge = std::string("merge ") + kExperts + "--json --overwrite ";
  const std::string data = "image_caption=data/image/train/caption.jsonl ";
  ASSERT_EQ(program.Run(merge + "-o models/plain").code, 0);
  const Outcome measured = program.Run(merge + "-o models/measured --reestimate " + data);
  ASSERT_EQ(measured.code, 0) << measured.err;
  EXPECT_GT(json::parse(measured.out)["tensors_measured"], 0);
  const auto before = WeightFiles(program, "models/plain");
  const auto after = WeightFiles(program, "models/measured");
  ASSERT_EQ(before.size(), after.size());
  for (const auto& [name, bytes] : before) {
    if (name.find("adapter") == 0) continue;  // these name the encoder that they are bound to
    EXPECT_EQ(bytes == after.at(name), name != "modality.image.safetensors") << name;
  }
  const json lineage = json::parse(program.Run("inspect models/measured --json").out)["lineage"];
  EXPECT_THAT(lineage.dump(), HasSubstr("statistics of image_caption on data/image/train"));
  EXPECT_EQ(program.Run(std::string("eval models/measured ") + kMeasured).code, 0);
  for (const auto& entry : fs::directory_iterator(program.Path("models"))) {
    EXPECT_EQ(entry.path().string().find("candidates"), std::string::npos) << entry.path();
  }
  const Outcome wrong = program.Run(merge + "-o models/wrong --reestimate image_caption");
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("TASK=FILE"));
  const Outcome missing = program.Run(merge + "-o models/wrong --reestimate image_caption=none");
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("none"));
  EXPECT_FALSE(fs::exists(program.Path("models/wrong")));
}

TEST(Merges, APlanMeasuresStatisticsAsTheCommandLineDoes) {
  const Program& program = WithTwoExperts();
  const std::string merge = std::string("merge ") + kExperts + "--overwrite ";
  WriteText(program.Path("recipes/measured.textproto"),
            "name: \"measured\" model { path: \"../runs/expert1/model\" } model { path: "
            "\"../runs/expert2/model\" } reestimate { task: \"image_caption\" path: "
            "\"image/train/caption.jsonl\" }");
  ASSERT_EQ(program
                .Run("merge recipes/measured.textproto --data_root data --batch 8 -o "
                     "models/by_plan --overwrite")
                .code,
            0);
  ASSERT_EQ(program
                .Run(merge + "-o models/by_line --batch 8 --reestimate "
                             "image_caption=data/image/train/caption.jsonl")
                .code,
            0);
  const auto by_plan = WeightFiles(program, "models/by_plan");
  const auto by_line = WeightFiles(program, "models/by_line");
  EXPECT_TRUE(by_plan == by_line);
}

TEST(Merges, AFrontMeasuresStatisticsOfEveryCandidate) {
  const Program& program = WithTwoExperts();
  const std::string data = "image_caption=data/image/train/caption.jsonl ";
  const Outcome front =
      program.Run(std::string("merge front ") + kExperts + kMeasured +
                  "--grid 2 --json --overwrite -o models/front_measured --reestimate " + data);
  ASSERT_EQ(front.code, 0) << front.err;
  const std::string lambda = json::parse(front.out)["lambda"].dump();
  ASSERT_EQ(program
                .Run(std::string("merge ") + kExperts + "--overwrite -o models/one --lambda " +
                     lambda + " --reestimate " + data)
                .code,
            0);
  EXPECT_TRUE(WeightFiles(program, "models/front_measured") == WeightFiles(program, "models/one"));
}

}  // namespace
}  // namespace unival
