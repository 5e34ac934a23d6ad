// Several processes train one model. They are started by `unival launch`, or with the environment
// variables of torchrun.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "backbone/storage/safetensors.h"
#include "sdk/base/test_files.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

// `trainable` without dropout, so that one process and several processes compute the same.
std::string Plan(int batch, int steps, const std::string& trainable, const std::string& more = "") {
  return absl::StrCat(R"(
name: "shared"
seed: 4
model: "../models/tiny"
templates: "../tasks/templates/quickstart.textproto"
stage {
  name: "all"
  trainable: ")",
                      trainable, "\"\n  steps: ", steps, "\n  batch: ", batch, "\n", more, R"(
  checkpoint_every: 5
  log_every: 1
  optimizer { learning_rate: 2e-3 clip_norm: 1 }
  source { name: "vqa" task: "vqa" path: "image/train/vqa.jsonl" }
  source { name: "caption" task: "image_caption" path: "image/train/caption.jsonl" }
}
evaluation { name: "caption" task: "image_caption" path: "image/eval/caption.jsonl" limit: 4 }
)");
}

void WritePlan(const std::string& name, const std::string& plan) {
  WriteText(TinyWorkplace().Path(absl::StrCat("recipes/", name, ".textproto")), plan);
}

std::string Train(const std::string& plan, const std::string& output,
                  const std::string& more = "") {
  return absl::StrCat("train recipes/", plan, ".textproto --data_root data --threads 1 --output ",
                      "runs/", output, " ", more);
}

std::string Launch(int processes, const std::string& command) {
  return absl::StrCat("launch --processes ", processes, " -- ", command);
}

// The lines of a run's log that contain `key`.
std::vector<json> LinesWith(const std::string& output, const std::string& key) {
  std::vector<json> lines;
  const std::string text = ReadText(TinyWorkplace().Path("runs/" + output + "/log.jsonl"));
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const json record = json::parse(line.begin(), line.end());
    if (record.contains(key)) lines.push_back(record);
  }
  return lines;
}

std::vector<json> StepsOf(const std::string& output) { return LinesWith(output, "loss"); }

TensorMap TensorsOf(const std::string& output) {
  TensorMap all;
  const std::string folder = TinyWorkplace().Path("runs/" + output + "/model");
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    auto tensors = ReadSafetensors(entry.path().string());
    EXPECT_TRUE(tensors.ok()) << tensors.status();
    for (auto& [name, tensor] : *tensors) {
      all[absl::StrCat(entry.path().filename().string(), " ", name)] = tensor.clone();
    }
  }
  return all;
}

void ExpectFollows(const std::string& one, const std::string& several) {
  const auto expected = StepsOf(one), actual = StepsOf(several);
  ASSERT_EQ(expected.size(), actual.size());
  ASSERT_FALSE(expected.empty());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(expected[i]["loss"].get<double>(), actual[i]["loss"].get<double>(), 2e-4) << i;
    EXPECT_EQ(expected[i]["rows"], actual[i]["rows"]) << i;
  }
  const TensorMap from_one = TensorsOf(one), from_several = TensorsOf(several);
  ASSERT_EQ(from_one.size(), from_several.size());
  for (const auto& [name, tensor] : from_one) {
    EXPECT_TRUE(
        at::allclose(tensor.to(at::kFloat), from_several.at(name).to(at::kFloat), 1e-3, 2e-4))
        << name;
  }
}

TEST(Distributed, TwoProcessesFollowOneWithTheSummedBatch) {
  const Program& program = TinyWorkplace();
  WritePlan("whole", Plan(8, 12, "connection:image"));
  WritePlan("halves", Plan(4, 12, "connection:image"));
  ASSERT_EQ(program.Run(Train("whole", "one")).code, 0);
  const Outcome two = program.Run(Launch(2, Train("halves", "two")));
  ASSERT_EQ(two.code, 0) << two.err;
  EXPECT_THAT(two.err, HasSubstr("2 processes"));
  EXPECT_THAT(two.out, HasSubstr("frozen tensors changed   0"));
  ExpectFollows("one", "two");
  const Outcome verified = program.Run("verify runs/two/receipt.json runs/two/model");
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
}

TEST(Distributed, FourProcessesFollowOneWithMicroBatches) {
  const Program& program = TinyWorkplace();
  WritePlan("whole4", Plan(8, 6, "connection:image", "micro_batches: 2"));
  WritePlan("quarters", Plan(2, 6, "connection:image", "micro_batches: 2"));
  ASSERT_EQ(program.Run(Train("whole4", "one4")).code, 0);
  const Outcome four = program.Run(Launch(4, Train("quarters", "four")));
  ASSERT_EQ(four.code, 0) << four.err;
  ExpectFollows("one4", "four");
}

TEST(Distributed, TwoProcessesFollowOneWithRowsOfSeveralSources) {
  const Program& program = TinyWorkplace();
  for (const char* mean : {"token", "row", "source"}) {
    SCOPED_TRACE(mean);
    const std::string mixed = absl::StrCat("mixed_batches { loss_mean: \"", mean, "\" }");
    WritePlan("mixed", Plan(8, 6, "connection:image", mixed));
    WritePlan("mixed_halves", Plan(4, 6, "connection:image", mixed));
    const std::string one = absl::StrCat("mixed_one_", mean),
                      two = absl::StrCat("mixed_two_", mean);
    ASSERT_EQ(program.Run(Train("mixed", one)).code, 0);
    const Outcome halves = program.Run(Launch(2, Train("mixed_halves", two)));
    ASSERT_EQ(halves.code, 0) << halves.err;
    ExpectFollows(one, two);
    EXPECT_EQ(StepsOf(one).back()["source_rows"], StepsOf(two).back()["source_rows"]);
  }
}

TEST(Distributed, TheWholeModelTrainsToTheSameWeightsInAllProcesses) {
  // Each checkpoint compares the weights of all processes.
  WritePlan("all", Plan(4, 10, "all"));
  const Outcome two = TinyWorkplace().Run(Launch(2, Train("all", "all")));
  ASSERT_EQ(two.code, 0) << two.err;
  const auto steps = StepsOf("all");
  ASSERT_EQ(steps.size(), 10u);
  EXPECT_EQ(steps.back()["rows"], 80);
}

TEST(Distributed, WhenOneIsKilledAllEndAndAnotherNumberGoesOn) {
  const Program& program = TinyWorkplace();
  WritePlan("long", Plan(4, 40, "connection:image", "micro_batches: 4"));
  const Outcome killed = program.Shell(absl::StrCat(
      "unival ", Launch(3, Train("long", "killed")),
      " & L=$!; until [ -e runs/killed/checkpoint ]; do sleep 0.05; done; "
      "set -- $(cat /proc/$L/task/$L/children); kill -9 $2; "
      "S=$(date +%s); wait $L; C=$?; [ $(($(date +%s) - S)) -le 30 ] && exit $C; exit 99"));
  EXPECT_EQ(killed.code, 1) << killed.err;
  EXPECT_THAT(killed.err,
              AllOf(HasSubstr("process 1 of 3"), HasSubstr("signal 9"), HasSubstr("--resume")));
  const Outcome resumed = program.Run(Launch(2, Train("long", "killed", "--resume")));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(StepsOf("killed").back()["step"], 40);
  EXPECT_EQ(program.Run("verify runs/killed/receipt.json runs/killed/model").code, 0);
}

TEST(Distributed, ASignalToTheLauncherStopsAllAtOneStep) {
  const Program& program = TinyWorkplace();
  WritePlan("stopped", Plan(4, 40, "connection:image", "micro_batches: 4"));
  const Outcome stopped = program.Shell(absl::StrCat(
      "unival ", Launch(2, Train("stopped", "stopped")),
      " & L=$!; until [ -s runs/stopped/log.jsonl ]; do sleep 0.05; done; kill -TERM $L; wait $L"));
  EXPECT_EQ(stopped.code, 1) << stopped.err;
  EXPECT_THAT(stopped.out, HasSubstr("go on with --resume"));
  // A single process may resume the run too.
  const Outcome resumed = program.Run(Train("stopped", "stopped", "--resume"));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(StepsOf("stopped").back()["step"], 40);
}

TEST(Distributed, AStopBeforeTheFirstStepLeavesNothingInTheWayOfResume) {
  const Program& program = TinyWorkplace();
  WritePlan("early", Plan(4, 4, "connection:image"));
  for (const std::string wait : {"0", "0.1", "0.4"}) {
    const std::string run = "early" + wait;
    const Outcome stopped = program.Shell(
        absl::StrCat("unival ", Launch(2, Train("early", run)), " & L=$!; until grep -q launch ",
                     "/proc/$L/cmdline; do :; done; sleep ", wait, "; kill -TERM $L; wait $L"));
    if (stopped.code == 0) continue;  // it ended before the signal
    const Outcome resumed = program.Run(Launch(2, Train("early", run, "--resume")));
    ASSERT_EQ(resumed.code, 0) << wait << "\n" << stopped.err << "\n" << resumed.err;
    EXPECT_EQ(StepsOf(run).back()["step"], 4);
  }
}

// Sends a signal like timeout(1) and batch systems: to the program, and to its whole process group.
std::string WithGroupSignal(const std::string& run, const std::string& command,
                            const std::string& signal) {
  return absl::StrCat("set -m; unival ", command, " & L=$!; until [ -s runs/", run,
                      "/log.jsonl ]; do sleep 0.05; done; kill -", signal, " $L; kill -", signal,
                      " -- -$L; wait $L");
}

TEST(Distributed, ASignalToTheWholeGroupIsOneRequestAndKeepsTheCheckpoint) {
  const Program& program = TinyWorkplace();
  WritePlan("grouped", Plan(4, 400, "connection:image", "micro_batches: 4"));
  for (const std::string signal : {"INT", "TERM"}) {
    for (const int processes : {2, 1}) {
      const std::string run = absl::StrCat("grouped", signal, processes);
      const std::string train = Train("grouped", run);
      const Outcome stopped = program.Shell(
          WithGroupSignal(run, processes == 1 ? train : Launch(processes, train), signal));
      EXPECT_EQ(stopped.code, 1) << run << "\n" << stopped.err;
      EXPECT_THAT(stopped.out, HasSubstr("go on with --resume")) << run << "\n" << stopped.err;
      // The newest checkpoint is that of the last step.
      int saved = 0;
      for (const auto& entry : fs::directory_iterator(program.Path("runs/" + run + "/checkpoint")))
        saved = std::max(saved, std::stoi(entry.path().filename().string()));
      EXPECT_EQ(saved, StepsOf(run).back()["step"]) << run;
    }
  }
}

// Starts the processes like torchrun, where process 0 hosts the rendezvous.
std::string AsTorchrun(int rank, int port, const std::string& command) {
  return absl::StrCat("env RANK=", rank, " WORLD_SIZE=2 LOCAL_RANK=", rank,
                      " MASTER_ADDR=127.0.0.1 MASTER_PORT=", port, " unival ", command);
}

TEST(Distributed, ProcessesThatTorchrunStartsMeet) {
  const Program& program = TinyWorkplace();
  WritePlan("torchrun", Plan(4, 4, "connection:image"));
  const Outcome both = program.Shell(
      absl::StrCat(AsTorchrun(1, 41817, Train("torchrun", "torchrun")), " & ",
                   AsTorchrun(0, 41817, Train("torchrun", "torchrun")), " && wait $!"));
  EXPECT_EQ(both.code, 0) << both.err;
  EXPECT_EQ(StepsOf("torchrun").back()["rows"], 32);
}

TEST(Distributed, AProcessWithAnotherPlanIsNamedByAll) {
  const Program& program = TinyWorkplace();
  WritePlan("same", Plan(4, 4, "connection:image"));
  WritePlan("other", Plan(4, 5, "connection:image"));
  const Outcome both = program.Shell(
      absl::StrCat(AsTorchrun(1, 41818, Train("other", "differ")), " 2>other.txt & ",
                   AsTorchrun(0, 41818, Train("same", "differ")), "; C=$?; wait; exit $C"));
  EXPECT_EQ(both.code, 1);
  EXPECT_THAT(both.err, AllOf(HasSubstr("process 1 of 2 failed"), HasSubstr("plan, base model")));
  EXPECT_THAT(ReadText(program.Path("other.txt")), HasSubstr("of process 0"));
}

TEST(Distributed, AVariableThatHoldsNoPlaceIsNamed) {
  const Outcome outcome = TinyWorkplace().Shell(
      absl::StrCat("env RANK=7 WORLD_SIZE=2 unival ", Train("whole", "none")));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("RANK"), HasSubstr("from 0 to 1")));
}

TEST(Distributed, OnlyTrainingIsLaunched) {
  const Outcome outcome = TinyWorkplace().Run("launch --processes 2 -- predict models/tiny");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("expected `train PLAN"), HasSubstr("launch --help")));
  EXPECT_EQ(TinyWorkplace().Run("launch --processes 0 -- train x").code, 2);
  // Process 0 alone reports what is missing in the plan.
  const Outcome missing = TinyWorkplace().Run(Launch(2, Train("none", "none")));
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("recipes/none.textproto"));
}

// Captions with a weight each; the weight of record 8 is `weight`. The plan's evaluation changes
// within a few steps.
std::string WeighedPlan(int batch, int steps, const std::string& weight, const std::string& more) {
  const Program& program = TinyWorkplace();
  const std::string folder = program.Path("data/image/train/");
  std::string records;
  int row = 0;
  const std::string text = ReadText(folder + "caption.jsonl");
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::string own = ++row == 8 ? weight : "1";
    absl::StrAppend(&records, line.substr(0, line.rfind('}')), ",\"weight\":", own, "}\n");
  }
  const std::string name = absl::StrCat("weighed_", weight, ".jsonl");
  WriteText(folder + name, records);
  WriteText(program.Path("weighed.textproto"),
            "name: \"weighed\" task { name: \"weighed\" input { name: \"image\" modality: "
            "\"image\" } prompt: \" what is it?\" target: \" {caption:text}\" loss_weight: "
            "\"weight\" generation { beam: 1 max_tokens: 8 } metric: \"wer\" }");
  return absl::StrCat(R"(
name: "weighed"
seed: 4
model: "../models/tiny"
templates: "../weighed.textproto"
stage {
  name: "all"
  trainable: "backbone"
  trainable: "connection:image"
  log_every: 1
  optimizer { learning_rate: 1e-2 clip_norm: 1 }
  steps: )",
                      steps, "\n  batch: ", batch, "\n", more,
                      "\n  source { name: \"w\" task: \"weighed\" path: \"image/train/", name,
                      "\" }\n}\nevaluation { name: \"w\" task: \"weighed\" path: \"image/train/",
                      name, "\" limit: 12 }\n");
}

// Trains one process with a batch of 8 in runs/`name`1, and two with 4 each in runs/`name`2.
void TrainByOneAndTwo(const std::string& name, int steps, const std::string& weight,
                      const std::string& more) {
  WritePlan(name + "1", WeighedPlan(8, steps, weight, more));
  WritePlan(name + "2", WeighedPlan(4, steps, weight, more));
  const Outcome one = TinyWorkplace().Run(Train(name + "1", name + "1"));
  EXPECT_EQ(one.code, 0) << one.err;
  const Outcome two = TinyWorkplace().Run(Launch(2, Train(name + "2", name + "2")));
  EXPECT_EQ(two.code, 0) << two.err;
}

TEST(Distributed, ABatchThatOneProcessCannotUseIsLeftOutByAllAndItsRecordAloneIsNamed) {
  // A weight too large for float32: the loss of its row is not finite.
  TrainByOneAndTwo("skip", 6, "1e39", "");
  const auto one = LinesWith("skip1", "skipped"), two = LinesWith("skip2", "skipped");
  ASSERT_FALSE(one.empty());
  ASSERT_EQ(one.size(), two.size());
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i]["step"], two[i]["step"]);
    EXPECT_EQ(one[i]["records"], json::array({"weighed_1e39.jsonl:8"}));
    EXPECT_EQ(two[i]["records"], one[i]["records"]);
  }
  EXPECT_EQ(StepsOf("skip2").back()["skipped_batches"], one.size());
  ExpectFollows("skip1", "skip2");
  // Above the limit all processes end, and the message names the record.
  WritePlan("skip_ends", WeighedPlan(4, 6, "1e39", "max_skipped: 0"));
  const Outcome ended = TinyWorkplace().Run(Launch(2, Train("skip_ends", "skip_ends")));
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("max_skipped"), HasSubstr("weighed_1e39.jsonl:8")));
}

TEST(Distributed, ValidationsJudgeKeepAndEndAsThoseOfOneProcess) {
  TrainByOneAndTwo("judged", 60, "1", "validation { every: 5 keep_best: true patience: 3 }");
  const auto one = LinesWith("judged1", "validation"), two = LinesWith("judged2", "validation");
  ASSERT_GT(one.size(), 3u);
  ASSERT_EQ(one.size(), two.size());
  size_t best = 0;
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i]["step"], two[i]["step"]);
    EXPECT_NEAR(one[i]["metrics"]["wer"].get<double>(), two[i]["metrics"]["wer"].get<double>(), 0.1)
        << i;
    EXPECT_EQ(one[i]["is_best"], two[i]["is_best"]) << i;
    if (one[i]["is_best"]) best = i;
  }
  EXPECT_GT(best, 0u) << "errors that never become fewer";
  EXPECT_EQ(one.back()["step"], StepsOf("judged2").back()["step"]);
  EXPECT_LT(StepsOf("judged2").back()["step"], 60) << "patience ends the stage";
  for (const char* output : {"judged1", "judged2"}) {
    const std::string kept =
        absl::StrFormat("runs/%s/best/%09d", output, one[best]["step"].get<int64_t>());
    EXPECT_TRUE(fs::exists(TinyWorkplace().Path(kept))) << kept;
  }
}

TEST(Distributed, DropoutIsDrawnApartTheSameEachTimeAndAfterAResume) {
  const Program& program = TinyWorkplace();
  const std::string rates = "dropout: 0.3 attention_dropout: 0.1 drop_path: 0.1";
  WritePlan("dropped", Plan(4, 8, "backbone", rates));
  WritePlan("kept", Plan(4, 8, "backbone"));
  for (const char* output : {"dropped1", "dropped2", "dropped3 --steps 3"}) {
    const Outcome run = program.Run(Launch(2, Train("dropped", output)));
    ASSERT_EQ(run.code, 0) << run.err;
  }
  ASSERT_EQ(program.Run(Launch(2, Train("dropped", "dropped3", "--steps 8 --resume"))).code, 0);
  ASSERT_EQ(program.Run(Launch(2, Train("kept", "kept"))).code, 0);
  const TensorMap first = TensorsOf("dropped1"), again = TensorsOf("dropped2");
  const TensorMap resumed = TensorsOf("dropped3");
  ASSERT_FALSE(first.empty());
  for (const auto& [name, tensor] : first) {
    EXPECT_TRUE(at::equal(tensor, again.at(name))) << name;
    EXPECT_TRUE(at::equal(tensor, resumed.at(name))) << name << " after a resume";
  }
  const auto dropped = StepsOf("dropped1"), kept = StepsOf("kept");
  EXPECT_NE(dropped[0]["loss"], kept[0]["loss"]) << "nothing was dropped";
  // The sum of both processes equals the value of one process with all rows.
  WritePlan("dropped_whole", Plan(8, 8, "backbone", rates));
  ASSERT_EQ(program.Run(Train("dropped_whole", "dropped_whole")).code, 0);
  const auto whole = StepsOf("dropped_whole");
  ASSERT_EQ(whole.size(), dropped.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(whole[i]["rows"], dropped[i]["rows"]);
    EXPECT_NEAR(whole[i]["loss"].get<double>(), dropped[i]["loss"].get<double>(), 0.1) << i;
  }
}

}  // namespace
}  // namespace unival
