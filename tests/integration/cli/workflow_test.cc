// The ways through the program: pretrain, measure, answer, add a modality, prove it, and the
// quickstart.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "sdk/base/files.h"
#include "sdk/base/process.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kTrainDepth[] =
    "train recipes/depth_adapter.textproto --data_root data --plugin \"$DEPTH_PLUGIN\" --quiet "
    "--json --output ";

const Program& WithDepthRun() {
  static const Program* const kProgram = [] {
    const Program& program = TinyWorkplace();
    const Outcome outcome = program.Run(std::string(kTrainDepth) + "runs/depth");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const json summary = json::parse(outcome.out, nullptr, false);
    EXPECT_TRUE(summary.is_object()) << outcome.out;
    EXPECT_EQ(summary.value("frozen_tensors_changed", -1), 0);
    EXPECT_GT(summary.value("trainable_parameters", 0), 0);
    return &program;
  }();
  return *kProgram;
}

TEST(Workflow, InspectListsPartsVocabularyAndTasks) {
  const Outcome outcome = TinyWorkplace().Run("inspect models/tiny --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report["modalities"][0]["id"], "image");
  EXPECT_EQ(report["backbone"]["d_model"], 32);
  EXPECT_EQ(TinyWorkplace().Run("inspect models/tiny").code, 0);
}

TEST(Workflow, EvalWritesMetricsAndOneAnswerPerRecord) {
  const Program& program = TinyWorkplace();
  const Outcome outcome = program.Run(
      "eval models/tiny --task image_caption --data data/image/eval/caption.jsonl --json --limit 4 "
      "--metrics metrics.json "
      "--predictions answers.jsonl");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["samples"], 4);
  EXPECT_TRUE(
      json::parse(ReadText(program.Path("metrics.json")))["metrics"].contains("exact_match"));
  const std::string answers = ReadText(program.Path("answers.jsonl"));
  EXPECT_EQ(std::count(answers.begin(), answers.end(), '\n'), 4);
}

TEST(Workflow, ScoreFindsInTheAnswersWhatEvalFound) {
  const Program& program = TinyWorkplace();
  const std::string eval =
      "eval models/tiny --task image_caption --data data/image/eval/caption.jsonl --limit 8 "
      "--json ";
  const Outcome measured =
      program.Run(eval + "--predictions said.jsonl --report report.html --resamples 100 --seed 5");
  ASSERT_EQ(measured.code, 0) << measured.err;
  const json report = json::parse(measured.out);
  const Outcome scored = program.Run(
      "score said.jsonl --metrics exact_match,bleu,cider --json --resamples 100 --seed 5");
  ASSERT_EQ(scored.code, 0) << scored.err;
  const json scores = json::parse(scored.out);
  for (const char* name : {"exact_match", "bleu_1", "bleu_4", "cider", "samples"}) {
    EXPECT_EQ(scores["metrics"][name], report["metrics"][name]) << name;
  }
  EXPECT_EQ(scores["intervals"]["cider"], report["intervals"]["cider"]);
  EXPECT_EQ(scores["per_sample"].size(), 8u);
  const std::string page = ReadText(program.Path("report.html"));
  EXPECT_THAT(page, AllOf(HasSubstr("data:image/png;base64,"), HasSubstr("Least certain"),
                          Not(HasSubstr("http://")), Not(HasSubstr("https://"))));
  const json moved = json::parse(program.Run(eval + "--compare models/tiny").out)["differences"];
  for (const auto& difference : moved.items()) {
    EXPECT_EQ(difference.value()["difference"], 0.0) << difference.key();
    EXPECT_EQ(difference.value()["p"], 1.0) << difference.key();
    EXPECT_EQ(difference.value()["lower"], 0) << difference.key();
  }
}

TEST(Workflow, EvalAsksWithEveryPromptOfATask) {
  const Program& program = TinyWorkplace();
  WriteText(program.Path("wordings.textproto"),
            "name: \"wordings\" task { name: \"asked\" input { name: \"image\" modality: "
            "\"image\" } prompt: \" what is it?\" paraphrase: \" describe it.\" target: \" "
            "{caption:text}\" metric: \"bleu\" }");
  const std::string eval =
      "eval models/tiny --data data/image/eval/caption.jsonl --limit 4 --json ";
  const Outcome outcome =
      program.Run(eval + "--templates wordings.textproto --task asked --prompts all");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report["prompts"][1]["prompt"], " describe it.");
  const double a = report["prompts"][0]["metrics"]["bleu_1"];
  const double b = report["prompts"][1]["metrics"]["bleu_1"];
  EXPECT_NEAR(report["spread"]["bleu_1"]["mean"], (a + b) / 2, 1e-12);
  EXPECT_EQ(report["spread"]["bleu_1"]["worst"], std::min(a, b));
  const Outcome alone = program.Run(eval + "--task image_caption --prompts all");
  EXPECT_EQ(alone.code, 1);
  EXPECT_THAT(alone.err, HasSubstr("expected a template with paraphrases"));
}

TEST(Workflow, EvalEndsWithThreeBelowABound) {
  const std::string command =
      "eval models/tiny --task vqa --data data/image/eval/vqa.jsonl --limit 4 --at_least ";
  EXPECT_EQ(TinyWorkplace().Run(command + "accuracy=0").code, 0);
  const Outcome missed = TinyWorkplace().Run(command + "accuracy=1.01");
  EXPECT_EQ(missed.code, 3);
  EXPECT_THAT(missed.err, HasSubstr("accuracy: expected at least 1.01"));
  const Outcome unknown = TinyWorkplace().Run(command + "beauty=1");
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("beauty"), HasSubstr("accuracy")));
}

TEST(Workflow, EvalPutsTheConstantAnswerBesideTheScore) {
  const std::string command =
      "eval models/tiny --task vqa --data data/image/eval/vqa.jsonl --limit 20";
  const Outcome table = TinyWorkplace().Run(command);
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("(always \""));
  const json constant = json::parse(TinyWorkplace().Run(command + " --json").out)["constant"];
  EXPECT_GT(constant["metrics"]["accuracy"], 0);
  EXPECT_NE(constant["answer"], "");
  // Boxes have no most frequent one.
  const Outcome boxes = TinyWorkplace().Run(
      "eval models/tiny --task grounding --data data/image/eval/grounding.jsonl --limit 4 --json");
  EXPECT_FALSE(json::parse(boxes.out).contains("constant"));
}

TEST(Workflow, PromptsSpeakListsWhatAModelCannotRepeat) {
  const Program& program = TinyWorkplace();
  ASSERT_EQ(program.Shell("printf 'a small bird\\nan old tree\\n' > words.txt").code, 0);
  const Outcome outcome =
      program.Run("prompts speak models/tiny words.txt \"a zebra sleeps\" --json");
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report["texts"], 3);
  EXPECT_EQ(report["missed"].size(), 3);
  EXPECT_EQ(report["missed"][2]["text"], "a zebra sleeps");
  std::vector<std::string> words;
  for (const json& word : report["hard_words"]) words.push_back(word["word"]);
  EXPECT_THAT(words, ::testing::Contains("zebra"));
  EXPECT_THAT(program.Run("prompts speak models/tiny \"a zebra sleeps\"").out,
              HasSubstr("0 of 1 texts can be said"));
  const Outcome wrong =
      program.Run("prompts speak models/tiny data/image/eval/caption.jsonl --column beauty");
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("column \"beauty\""));
}

TEST(Workflow, PredictAnswersAFile) {
  const Program& program = TinyWorkplace();
  ASSERT_EQ(program.Shell("tar -xf data/image/eval/images.tar 000000.png").code, 0);
  const Outcome outcome =
      program.Run("predict models/tiny --task image_caption --input image=000000.png --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(json::parse(outcome.out).contains("text"));
}

TEST(Workflow, DataCheckCountsRecordsAndNamesColumns) {
  const Outcome outcome = TinyWorkplace().Run("data check data/depth/train/vqa.jsonl");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("records"), HasSubstr("question")));
}

TEST(Workflow, FolderIsPackedAndRead) {
  const Program& program = TinyWorkplace();
  ASSERT_EQ(program
                .Shell("mkdir -p photos/cat && tar -xOf data/image/eval/images.tar 000001.png > "
                       "photos/cat/1.png")
                .code,
            0);
  const Outcome packed = program.Run("data import folder photos photos.tar");
  ASSERT_EQ(packed.code, 0) << packed.err;
  EXPECT_THAT(program.Run("data check photos.tar").out, HasSubstr("1 records"));
}

TEST(Workflow, ConnectionTrainsAndTheReceiptHolds) {
  const Program& program = WithDepthRun();
  const Outcome held = program.Run(
      "verify runs/depth/receipt.json runs/depth/model --base models/tiny --plugin "
      "\"$DEPTH_PLUGIN\"");
  EXPECT_EQ(held.code, 0) << held.err << held.out;
  EXPECT_THAT(held.out,
              AllOf(HasSubstr("frozen tensors changed: 0"), HasSubstr("The receipt holds.")));
}

TEST(Workflow, VerifyEndsWithThreeForAnotherRunsReceipt) {
  const Program& program = WithDepthRun();
  ASSERT_EQ(program.Run(std::string(kTrainDepth) + "runs/other --seed 2").code, 0);
  const Outcome outcome = program.Run(
      "verify runs/other/receipt.json runs/depth/model --plugin \"$DEPTH_PLUGIN\" --json");
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_FALSE(json::parse(outcome.out)["holds"]);
}

TEST(Workflow, TrainedModelAnswersDepthMaps) {
  const Outcome outcome = WithDepthRun().Run(
      "eval runs/depth/model --task depth_grounding --data "
      "data/depth/eval_held_out/grounding.jsonl "
      "--limit 4 "
      "--plugin \"$DEPTH_PLUGIN\"");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("mean_iou"));
}

TEST(Workflow, ModelWithAPluginsModalityNamesThePluginWhenItIsMissing) {
  const Outcome outcome = WithDepthRun().Run("inspect runs/depth/model");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("depth"), HasSubstr("plugin")));
}

TEST(Workflow, ATaskNeedsNoPluginOfAModalityThatItDoesNotTake) {
  const Outcome outcome = WithDepthRun().Run(
      "eval runs/depth/model --task image_caption --data data/image/eval/caption.jsonl --limit 2");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST(Workflow, ATaskOfAModalityThatTheModelLacksSaysWhatThereIs) {
  const Outcome outcome = TinyWorkplace().Run(
      "eval models/tiny --task depth_caption --data data/depth/eval/caption.jsonl --limit 2");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("depth"), HasSubstr("image")));
}

TEST(Workflow, ATrainedModalityIsCopiedIntoAnotherModel) {
  const Program& program = WithDepthRun();
  fs::copy(program.Path("models/tiny"), program.Path("models/second"), fs::copy_options::recursive);
  const Outcome copied = program.Run("adapter copy runs/depth/model depth models/second");
  ASSERT_EQ(copied.code, 0) << copied.err;
  EXPECT_THAT(copied.err, AllOf(HasSubstr("kept as they are"), HasSubstr("depth_caption")));
  const auto answers = [&](const std::string& model) {
    const std::string file = program.Path("copied.jsonl");
    const Outcome outcome = program.Run("eval " + model +
                                        " --task depth_caption --data data/depth/eval/caption.jsonl"
                                        " --plugin \"$DEPTH_PLUGIN\" --predictions " +
                                        file);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return ReadText(file);
  };
  EXPECT_EQ(answers("models/second"), answers("runs/depth/model"));
  EXPECT_EQ(program.Run("adapter copy runs/depth/model depth models/second").code, 1)
      << "it is there already";
  // A model that knows no task gets those of the modality.
  fs::copy(program.Path("models/tiny"), program.Path("models/plain"), fs::copy_options::recursive);
  std::string manifest = ReadText(program.Path("models/plain/manifest.textproto"));
  const size_t id = manifest.find("id: \"templates\""), begin = manifest.rfind("component {", id);
  manifest.erase(begin, manifest.find("}\n", id) + 2 - begin);
  WriteText(program.Path("models/plain/manifest.textproto"), manifest);
  const Outcome brought = program.Run("adapter copy runs/depth/model depth models/plain");
  ASSERT_EQ(brought.code, 0) << brought.err;
  EXPECT_THAT(brought.out, AllOf(HasSubstr("with its tasks: "), HasSubstr("depth_caption"),
                                 Not(HasSubstr("image_caption"))));
  EXPECT_EQ(answers("models/plain"), answers("runs/depth/model"));
}

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

// What `eval` answers, and with which scores.
std::string AnswersOf(const Program& program, const std::string& model_and_options) {
  const Outcome outcome = program.Run("eval " + model_and_options +
                                      " --task vqa --data data/image/eval/vqa.jsonl --limit 6 "
                                      "--predictions answers_of.jsonl");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return ReadText(program.Path("answers_of.jsonl"));
}

TEST(Workflow, AnAdapterIsProvenUsedLeftOutMergedCopiedAndRemoved) {
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

TEST(Workflow, AdaptersAreListedAndShownAlsoWithoutTheirModel) {
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

TEST(Workflow, WhatAnAdapterCommandCannotDoIsSaid) {
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

TEST(Workflow, ProbeMeasuresAnEncoderWithoutTheLanguageModel) {
  const Program& program = TinyWorkplace();
  const std::string command =
      "probe models/tiny --task vqa --train data/image/train/vqa.jsonl "
      "--test data/image/eval/vqa.jsonl --limit 24 ";
  const Outcome outcome = program.Run(command + "--json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json result = json::parse(outcome.out);
  EXPECT_GE(result["classes"], 2);
  EXPECT_EQ(result["train_records"], 24);
  EXPECT_GT(result["joined"]["features"], result["pooled"]["features"]);
  EXPECT_GE(result["pooled"]["accuracy"], 0.0);
  EXPECT_EQ(program.Run(command).code, 0);
  const Outcome text = program.Run(
      "probe models/tiny --task text_copy --train data/image/train/vqa.jsonl "
      "--test data/image/eval/vqa.jsonl");
  EXPECT_EQ(text.code, 1);
}

TEST(Workflow, AdapterOfAnotherBaseIsRefused) {
  const Program& program = WithDepthRun();
  ASSERT_EQ(program
                .Run("train recipes/tiny_pretrain.textproto --data_root data --output runs/tiny2 "
                     "--seed 2 --quiet")
                .code,
            0);
  const std::string mixed = program.Path("models/mixed");
  fs::remove_all(mixed);
  fs::copy(program.Path("runs/depth/model"), mixed, fs::copy_options::recursive);
  fs::copy_file(program.Path("runs/tiny2/model/backbone.safetensors"),
                mixed + "/backbone.safetensors", fs::copy_options::overwrite_existing);
  const Outcome outcome = program.Run("inspect models/mixed --plugin \"$DEPTH_PLUGIN\"");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("backbone"));
}

TEST(Quickstart, GoesAllTheWayAndWritesAReport) {
  const Program& program = TinyWorkplace();
  const Outcome outcome = program.Run(
      "quickstart --model models/tiny --plugin \"$DEPTH_PLUGIN\" --fast --output quickstart_out");
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("[9/9]"), HasSubstr(" 0 changed"), HasSubstr("report.html")));
  const std::string html = ReadText(program.Path("quickstart_out/report.html"));
  EXPECT_THAT(html,
              AllOf(HasSubstr("</html>"), HasSubstr("random backbone"), Not(HasSubstr("http"))));
}

// A file of /proc; empty for what is no process, and for one that has just ended.
std::string ProcText(const fs::path& file) { return ReadWholeFile(file.string()).value_or(""); }

// Children of a process that run `unival train`.
std::vector<pid_t> TrainingsOf(pid_t parent) {
  std::vector<pid_t> found;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    const std::string stat = ProcText(entry.path() / "stat");
    const size_t name_end = stat.rfind(')');  // ")", state, parent
    if (name_end == std::string::npos || std::atoi(stat.c_str() + name_end + 4) != parent) continue;
    const std::string words = ProcText(entry.path() / "cmdline");
    if (words.find(std::string("\0train\0", 7)) == std::string::npos) continue;
    found.push_back(std::stoi(entry.path().filename().string()));
  }
  return found;
}

TEST(Quickstart, ASignalEndsItsTrainingsToo) {
  const Program& program = TinyWorkplace();
  // The shell becomes unival, which becomes unival-quickstart: one process id all the way.
  ProcessOptions options;
  options.command = {"sh", "-c",
                     "cd '" + program.Path("") + "' && exec '" + Runfile("app/unival") +
                         "' quickstart --model models/tiny --plugin '" +
                         Runfile("plugins/depth/libdepth.so") + "' --fast --output signalled"};
  options.input = "/dev/null";
  options.output = options.error_output = program.Path("signalled.txt");
  options.ends_with_parent = true;
  absl::StatusOr<Process> quickstart = Process::Start(options);
  ASSERT_TRUE(quickstart.ok()) << quickstart.status();
  std::vector<pid_t> trainings;
  for (int i = 0; i < 1200 && trainings.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    trainings = TrainingsOf(quickstart->pid());
  }
  ASSERT_FALSE(trainings.empty()) << ReadText(program.Path("signalled.txt"));
  quickstart->Send(SIGTERM);
  const absl::StatusOr<ProcessEnd> end = quickstart->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->signal, SIGTERM);
  for (const pid_t training : trainings) EXPECT_NE(kill(training, 0), 0) << "it goes on";
}

// Two models that go on from the tiny one, with other seeds.
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

TEST(Workflow, MergedModelsAnswerAndNameTheirParents) {
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

TEST(Workflow, MergeRefusesModelsThatDoNotComeFromOne) {
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

TEST(Workflow, MergeFrontMeasuresAGridAndTakesALambda) {
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

TEST(Workflow, AGreedySoupTakesWhatDoesNotMakeItWorse) {
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

}  // namespace
}  // namespace unival
