// Adapters through the commands of the program: train, verify, use, leave out, merge, copy, remove,
// show.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
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

constexpr char kLoraPlan[] = R"(
name: "lora"
seed: 1
model: "../models/tiny"
templates: "../tasks/templates/quickstart.textproto"
adapter { kind: "lora" rank: 4 alpha: 32 }
stage {
  trainable: "adapter:lora"
  steps: 12
  batch: 4
  optimizer { learning_rate: 5e-2 }
  source { task: "vqa" path: "image/train/vqa.jsonl" }
}
)";

const Program& WithLoraRun() {
  static const Program* const kProgram = [] {
    const Program& program = TinyWorkplace();
    WriteText(program.Path("recipes/lora.textproto"), kLoraPlan);
    const Outcome outcome =
        program.Run("train recipes/lora.textproto --data_root data --quiet --output runs/lora");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return &program;
  }();
  return *kProgram;
}

constexpr char kLoraFile[] = "runs/lora/model/adapter.lora.safetensors";

// The answers and scores of `eval`.
std::string AnswersOf(const Program& program, const std::string& model_and_options) {
  const Outcome outcome = program.Run("eval " + model_and_options +
                                      " --task vqa --data data/image/eval/vqa.jsonl --limit 6 "
                                      "--predictions answers_of.jsonl");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return ReadText(program.Path("answers_of.jsonl"));
}

TEST(Adapters, AnAdapterIsProvenUsedLeftOutMergedCopiedAndRemoved) {
  const Program& program = WithLoraRun();
  const Outcome verified =
      program.Run("verify runs/lora/receipt.json runs/lora/model --base models/tiny");
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  const std::string base = AnswersOf(program, "models/tiny");
  const std::string adapted = AnswersOf(program, "runs/lora/model");
  EXPECT_NE(adapted, base);
  const std::string with = std::string("models/tiny --adapter ") + kLoraFile;
  EXPECT_EQ(AnswersOf(program, with), adapted);
  EXPECT_EQ(AnswersOf(program, "runs/lora/model --without_adapter lora"), base);
  EXPECT_EQ(AnswersOf(program, "runs/lora/model --without_adapter all"), base);
  for (const char* precision : {" --precision bfloat16", " --precision int8"}) {
    EXPECT_NE(AnswersOf(program, "runs/lora/model" + std::string(precision)),
              AnswersOf(program, "models/tiny" + std::string(precision)));
    EXPECT_EQ(AnswersOf(program, "runs/lora/model" + std::string(precision)),
              AnswersOf(program, with + precision));
  }
  const Outcome merged = program.Run("adapter merge models/tiny " + std::string(kLoraFile) +
                                     " -o models/lora_merged --json");
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_GT(json::parse(merged.out)["tensors_changed"], 0);
  EXPECT_NE(AnswersOf(program, "models/lora_merged"), base);
  ASSERT_EQ(
      program.Run("adapter copy runs/lora/model lora models/tiny --output models/has_lora").code,
      0);
  EXPECT_EQ(AnswersOf(program, "models/has_lora"), adapted);
  ASSERT_EQ(program.Run("adapter remove models/has_lora lora").code, 0);
  EXPECT_EQ(AnswersOf(program, "models/has_lora"), base);
}

TEST(Adapters, AdaptersAreListedAndShownAlsoWithoutTheirModel) {
  const Program& program = WithLoraRun();
  const Outcome list = program.Run("adapter list runs/lora/model --json");
  ASSERT_EQ(list.code, 0) << list.err;
  const json adapters = json::parse(list.out)["adapters"];
  ASSERT_EQ(adapters.size(), 2u);
  EXPECT_EQ(adapters[0]["id"], "image");
  EXPECT_EQ(adapters[0]["kind"], "connection");
  EXPECT_EQ(adapters[1]["id"], "lora");
  EXPECT_EQ(adapters[1]["config"]["rank"], 4);
  const json inspected = json::parse(program.Run("inspect models/tiny --json").out);
  EXPECT_EQ(adapters[1]["base"]["backbone_sha256"], inspected["backbone"]["sha256"]);
  EXPECT_THAT(program.Run("adapter list runs/lora/model").out,
              AllOf(HasSubstr("lora"), HasSubstr("connection"), HasSubstr("parameters")));
  fs::copy_file(program.Path(kLoraFile), program.Path("alone.safetensors"),
                fs::copy_options::overwrite_existing);
  const json shown = json::parse(program.Run("adapter show alone.safetensors --json").out);
  for (const char* field : {"id", "kind", "bytes", "parameters", "sha256", "config", "base"})
    EXPECT_EQ(shown[field], adapters[1][field]) << field;
  EXPECT_EQ(json::parse(program.Run("adapter show runs/lora/model lora --json").out)["fits_model"],
            true);
  EXPECT_EQ(program.Run("adapter show alone.safetensors").code, 0);
}

TEST(Adapters, WhatAnAdapterCommandCannotDoIsSaid) {
  const Program& program = WithLoraRun();
  const std::pair<const char*, const char*> wrong[] = {
      {"adapter list runs/lora", "expected the directory of a model"},
      {"adapter show runs/lora/model nose", "image, lora"},
      {"adapter show runs/lora/model/adapter.lora.safetensors lora", "leave the id out"},
      {"adapter show nothing.safetensors", "nothing.safetensors"},
      {"adapter remove runs/lora/model nose", "image, lora"},
      {"adapter merge models/tiny nose -o models/none", "nose"},
      {"adapter merge runs/lora/model image -o models/none", "got a connection"},
      {"adapter merge runs/lora/model lora -o models/tiny", "already there"},
      {"adapter copy models/tiny lora models/tiny", "adapter list"},
      {"eval models/tiny --adapter models/tiny/adapter.image.safetensors --task vqa --data "
       "data/image/eval/vqa.jsonl",
       "adapter copy"},
      {"eval models/tiny --adapter models/tiny/backbone.safetensors --task vqa --data "
       "data/image/eval/vqa.jsonl",
       "unival.adapter"},
      {"eval runs/lora/model --adapter runs/lora/model/adapter.lora.safetensors --task vqa --data "
       "data/image/eval/vqa.jsonl",
       "--without_adapter lora"},
      {"eval runs/lora/model --without_adapter nose --task vqa --data data/image/eval/vqa.jsonl",
       "nose"},
  };
  for (const auto& [command, words] : wrong) {
    const Outcome outcome = program.Run(command);
    EXPECT_EQ(outcome.code, 1) << command;
    EXPECT_THAT(outcome.err, HasSubstr(words)) << command;
  }
  EXPECT_FALSE(fs::exists(program.Path("models/none")));
}

}  // namespace
}  // namespace unival
