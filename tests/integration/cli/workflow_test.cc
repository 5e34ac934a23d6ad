// The main workflows: pretrain, evaluate, predict, add a modality, verify it, and the quickstart.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
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
  const Outcome tables = TinyWorkplace().Run("inspect models/tiny");
  EXPECT_EQ(tables.code, 0);
  EXPECT_THAT(tables.out, AllOf(HasSubstr("\nparts\n"), Not(HasSubstr(" \n"))));
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
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("beauty"), HasSubstr("accuracy")));
}

// Word error rate, where less is better, in every command that evaluates.
TEST(Workflow, EvalKnowsThatLessOfAnErrorIsBetter) {
  const Program& program = TinyWorkplace();
  WriteText(program.Path("errors.textproto"),
            "name: \"errors\" task { name: \"heard\" input { name: \"image\" modality: "
            "\"image\" } prompt: \" what is it?\" paraphrase: \" describe it.\" target: \" "
            "{caption:text}\" metric: \"wer\" }");
  const std::string eval =
      "eval models/tiny --data data/image/eval/caption.jsonl --limit 4 --task heard --templates "
      "errors.textproto ";
  const Outcome table = program.Run(eval + "--at_least wer=1000");
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("less is better"));
  const json numbers = json::parse(program.Run(eval + "--json").out);
  EXPECT_EQ(numbers["remarks"], (json{{"wer", "less is better"}})) << "what the table says";
  const Outcome missed = program.Run(eval + "--at_least wer=-1");
  EXPECT_EQ(missed.code, 3);
  EXPECT_THAT(missed.err, HasSubstr("wer: expected at most -1"));
  const json prompts = json::parse(program.Run(eval + "--prompts all --json").out);
  const double a = prompts["prompts"][0]["metrics"]["wer"];
  const double b = prompts["prompts"][1]["metrics"]["wer"];
  EXPECT_EQ(prompts["spread"]["wer"]["worst"], std::max(a, b));
  EXPECT_EQ(prompts["remarks"]["wer"], "less is better");
  EXPECT_EQ(program.Run(eval + "--report errors.html").code, 0);
  EXPECT_THAT(ReadText(program.Path("errors.html")), HasSubstr("Worst by wer (less is better)"));
}

TEST(Workflow, ScoreSaysWhatWasForgottenWhereMoreErrorsAreWorse) {
  const Program& program = TinyWorkplace();
  WriteText(program.Path("before.jsonl"),
            "{\"key\": \"1\", \"text\": \"one two\", \"references\": [\"one two\"]}\n");
  WriteText(program.Path("after.jsonl"),
            "{\"key\": \"1\", \"text\": \"three\", \"references\": [\"one two\"]}\n");
  const std::string score = "score before.jsonl --compare after.jsonl --metrics wer,accuracy ";
  const json moved = json::parse(program.Run(score + "--json").out)["differences"];
  for (const char* name : {"wer", "accuracy"}) {
    EXPECT_EQ(moved[name]["worse"], 1) << name;
    EXPECT_EQ(moved[name]["better"], 0) << name;
  }
  EXPECT_EQ(moved["wer"]["higher"], 1);
  EXPECT_EQ(moved["wer"]["remark"], "less is better");
  EXPECT_FALSE(moved["accuracy"].contains("remark"));
  EXPECT_EQ(moved["accuracy"]["lower"], 1);
  EXPECT_THAT(program.Run(score).out, AllOf(HasSubstr("0/1/0   less is better"),
                                            HasSubstr("worse in b: what was forgotten")));
}

TEST(Workflow, WhatIsNoJsonIsToldInPlainWords) {
  const Program& program = TinyWorkplace();
  WriteText(program.Path("no.jsonl"), "{\"answer\": 1e999}\n{\"answer\": \"\xff\"}\n{]\n");
  WriteText(program.Path("no.json"), "{]");
  for (const char* command : {"data check no.jsonl", "data check no.jsonl --json", "score no.json",
                              "score no.json --references no.jsonl"}) {
    const Outcome outcome = program.Run(command);
    EXPECT_NE(outcome.code, 0) << command;
    EXPECT_THAT(outcome.out + outcome.err,
                AllOf(HasSubstr("no.json"), Not(HasSubstr("json.exception"))))
        << command;
  }
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
  // There is no most frequent box.
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

// Cut behind its first member: what is left of it looks like a tar whose writer left the end out.
TEST(Workflow, DataCheckNamesATarWithoutAnEnd) {
  const Program& program = TinyWorkplace();
  ASSERT_EQ(program
                .Shell("mkdir -p cut/cat && tar -xOf data/image/eval/images.tar 000001.png > "
                       "cut/cat/1.png && tar -cf whole.tar --format=ustar -C cut cat/1.png && "
                       "blocks=$(( 1 + ($(wc -c < cut/cat/1.png) + 511) / 512 )) && "
                       "head -c $(( 512 * blocks )) whole.tar > cut.tar")
                .code,
            0);
  EXPECT_EQ(program.Run("data check whole.tar").code, 0);
  const Outcome outcome = program.Run("data check cut.tar");
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("no_archive_end  cut.tar: ends without an end-of-archive block"),
                    HasSubstr("1 records"), HasSubstr("1 problem")));
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

void TakeOutTemplates(const std::string& file) {
  std::string manifest = ReadText(file);
  const size_t id = manifest.find("id: \"templates\""), begin = manifest.rfind("component {", id);
  manifest.erase(begin, manifest.find("}\n", id) + 2 - begin);
  WriteText(file, manifest);
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
  // A model without tasks gets the tasks of the modality.
  fs::copy(program.Path("models/tiny"), program.Path("models/plain"), fs::copy_options::recursive);
  TakeOutTemplates(program.Path("models/plain/manifest.textproto"));
  const Outcome brought = program.Run("adapter copy runs/depth/model depth models/plain");
  ASSERT_EQ(brought.code, 0) << brought.err;
  EXPECT_THAT(brought.out, AllOf(HasSubstr("with its tasks: "), HasSubstr("depth_caption"),
                                 Not(HasSubstr("image_caption"))));
  EXPECT_EQ(answers("models/plain"), answers("runs/depth/model"));
}

TEST(Workflow, TheTasksOfACopiedModalityComeAndGoWithIt) {
  const Program& program = WithDepthRun();
  fs::copy(program.Path("models/tiny"), program.Path("models/guest"), fs::copy_options::recursive);
  TakeOutTemplates(program.Path("models/guest/manifest.textproto"));
  WriteText(
      program.Path("say.textproto"),
      "name: \"say\"\ntask { name: \"image_say\" input { name: \"image\" modality: "
      "\"image\" }\n  prompt: \" what does the image describe?\" target: \" {caption:text}\" }\n");
  ASSERT_EQ(program.Run("prompts add models/guest say.textproto").code, 0);
  WriteText(program.Path("models/guest/MY_NOTES.md"), "mine");
  const std::string copy =
      "adapter copy runs/depth/model depth models/guest --plugin \"$DEPTH_PLUGIN\"";
  const std::string asks_depth =
      "eval models/guest --plugin \"$DEPTH_PLUGIN\" --strict --limit 2 --task depth_caption "
      "--data data/depth/eval/caption.jsonl";
  ASSERT_EQ(program.Run(copy).code, 0);
  const Outcome own = program.Run(
      "eval models/guest --strict --limit 2 --task image_say --data data/image/eval/caption.jsonl");
  EXPECT_EQ(own.code, 0) << own.err;
  const Outcome depth = program.Run(asks_depth);
  EXPECT_EQ(depth.code, 0) << depth.err;
  const Outcome option = program.Run("predict models/guest --task depth_caption --depth a.png");
  EXPECT_EQ(option.code, 2);
  EXPECT_THAT(option.err,
              HasSubstr("\"--depth\" is no option; give this medium as --input depth="));
  const Outcome removed = program.Run("adapter remove models/guest depth");
  ASSERT_EQ(removed.code, 0) << removed.err;
  EXPECT_THAT(removed.out, AllOf(HasSubstr("without its tasks: "), HasSubstr("depth_caption")));
  EXPECT_FALSE(fs::exists(program.Path("models/guest/templates/adapter.depth.textproto")));
  EXPECT_TRUE(fs::exists(program.Path("models/guest/templates/say.textproto")));
  EXPECT_EQ(ReadText(program.Path("models/guest/MY_NOTES.md")), "mine");
  ASSERT_EQ(program.Run(copy).code, 0);
  EXPECT_EQ(program.Run(asks_depth).code, 0);
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

TEST(Quickstart, WithControlsGoesAllTheWayAndWritesAReport) {
  const Program& program = TinyWorkplace();
  const Outcome outcome = program.Run(
      "quickstart --model models/tiny --plugin \"$DEPTH_PLUGIN\" --fast --controls "
      "--output quickstart_out");
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("[9/9]"), HasSubstr(" 0 changed"), HasSubstr("report.html")));
  const std::string html = ReadText(program.Path("quickstart_out/report.html"));
  EXPECT_THAT(html,
              AllOf(HasSubstr("</html>"), HasSubstr("random backbone"), Not(HasSubstr("http"))));
}

// The content of a file in /proc; empty when the process does not exist or has just ended.
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
  // The shell is replaced by unival, which is replaced by unival-quickstart (exec), so the process
  // id stays the same.
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

}  // namespace
}  // namespace unival
