// A training run that is killed at any place continues with --resume. The result is the same as
// without the kill: the same bytes of the model and its receipt, the same records of the log, and
// no additional files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "sdk/base/random.h"
#include "sdk/base/sha256.h"
#include "sdk/base/test_files.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

int wanted_kills = 14;

// Two stages, so that one ends in the middle; frozen encoders with a cache; checkpoints, a log and
// an evaluation.
constexpr char kPlan[] = R"(
name: "killed"
seed: 4
model: "../models/tiny"
templates: "../tasks/templates/quickstart.textproto"
stage {
  name: "connection"
  trainable: "connection:image"
  steps: 5
  batch: 4
  checkpoint_every: 2
  log_every: 1
  optimizer { learning_rate: 4e-3 clip_norm: 1 }
  source { name: "caption" task: "image_caption" path: "image/train/caption.jsonl" }
  cache { enabled: true }
}
stage {
  name: "backbone"
  trainable: "backbone"
  steps: 4
  batch: 4
  checkpoint_every: 2
  log_every: 1
  optimizer { learning_rate: 1e-3 clip_norm: 1 ema_decay: 0.9 }
  source { name: "vqa" task: "vqa" path: "image/train/vqa.jsonl" }
  source { name: "caption" task: "image_caption" path: "image/train/caption.jsonl" }
}
evaluation { name: "caption" task: "image_caption" path: "image/eval/caption.jsonl" limit: 4 }
)";

std::string Train(const std::string& output, const std::string& more = "") {
  return absl::StrCat("unival train recipes/killed.textproto --data_root data --threads 1 --quiet ",
                      "--output runs/", output, " ", more);
}

// Times, and what a resumed run finds already done, may differ.
json WithoutTimes(json value) {
  if (value.is_object()) {
    for (const char* own :
         {"seconds", "steps_per_second", "peak_memory_mb", "tokens_per_second", "eta_seconds",
          "rss_mb", "encoder_calls", "cache_hits", "state_sha256", "part_seconds"})
      value.erase(own);
  }
  if (value.is_structured()) {
    for (json& part : value) part = WithoutTimes(std::move(part));
  }
  return value;
}

// The part of a file that is compared.
std::string Meaning(const std::string& path) {
  const std::string text = ReadText(path);
  if (absl::EndsWith(path, ".features")) return "";  // as far as the run came
  std::string meaning;
  if (absl::EndsWith(path, ".json")) return WithoutTimes(json::parse(text)).dump();
  if (!absl::EndsWith(path, "log.jsonl")) return Sha256Hex(text);
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty()))
    absl::StrAppend(&meaning, WithoutTimes(json::parse(line.begin(), line.end())).dump(), "\n");
  return meaning;
}

using Tree = std::map<std::string, std::string>;

Tree TreeOf(const std::string& folder) {
  Tree tree;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::path(entry.path()).lexically_relative(folder).string();
    tree[name] = entry.is_directory() ? "a folder" : Meaning(entry.path().string());
  }
  return tree;
}

// The file operations of a run, and the files that a run without a kill leaves.
class Kill : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    WriteText(TinyWorkplace().Path("recipes/killed.textproto"), kPlan);
    const std::string log = TinyWorkplace().Path("acts.txt");
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = TinyWorkplace().Shell(Watched(0, "unharmed") + " KILL_LOG='" + log +
                                                  "' " + Train("unharmed"));
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    acts_ = absl::StrSplit(ReadText(log), '\n', absl::SkipEmpty());
    unharmed_ = TreeOf(TinyWorkplace().Path("runs/unharmed"));
  }

  // Words before a command: it is killed at operation number `act` on a path that contains `name`.
  static std::string Watched(size_t act, const std::string& name) {
    return absl::StrCat("LD_PRELOAD='", Runfile("tests/integration/kill/libkill_at.so"),
                        "' KILL_BELOW=", name, " KILL_AT=", act);
  }

  // Runs `killed`, which may be killed or not, resumes the run, and compares. Returns whether it
  // was killed.
  static bool GoesOn(const std::string& killed, const std::string& what) {
    const Program& program = TinyWorkplace();
    fs::remove_all(program.Path("runs/killed"));
    const Outcome outcome = program.Shell(killed);
    EXPECT_TRUE(outcome.code == 0 || outcome.code == 137) << what << ": " << outcome.err;
    const Outcome resumed = program.Shell(Train("killed", "--resume"));
    EXPECT_EQ(resumed.code, 0) << what << ": " << resumed.err;
    if (resumed.code != 0) return outcome.code == 137;
    const Tree tree = TreeOf(program.Path("runs/killed"));
    for (const auto& [name, meaning] : unharmed_) {
      const auto found = tree.find(name);
      EXPECT_TRUE(found != tree.end()) << what << ": " << name << " is not there";
      if (found != tree.end()) {
        EXPECT_EQ(found->second, meaning) << what << ": " << name;
      }
    }
    for (const auto& entry : tree)
      EXPECT_EQ(unharmed_.count(entry.first), 1u) << what << ": " << entry.first << " is left";
    return outcome.code == 137;
  }

  // Selects `count` operations, numbered from 1: first one of each kind, then the second of each
  // kind, and so on. A kind is an operation on files of one name, at any step.
  static std::vector<size_t> Chosen(size_t count) {
    std::map<std::string, std::vector<size_t>> kinds;
    for (size_t i = 0; i < acts_.size(); ++i) {
      std::string kind = acts_[i];
      kind.erase(std::remove_if(kind.begin(), kind.end(), &absl::ascii_isdigit), kind.end());
      kinds[kind].push_back(i + 1);
    }
    std::vector<size_t> all;
    for (size_t round = 0; all.size() < std::max(count, kinds.size()) && round < acts_.size();
         ++round) {
      for (const auto& kind : kinds) {
        const std::vector<size_t>& acts = kind.second;
        // The second one of a kind is its last operation; the others are between.
        const size_t nth = round == 0 ? 0 : round == 1 ? acts.size() - 1 : round - 1;
        if (round < acts.size()) all.push_back(acts[nth]);
      }
    }
    const size_t among = count < kinds.size() ? kinds.size() : std::min(count, all.size());
    std::vector<size_t> chosen;
    for (size_t i = 0; i < count && i < among; ++i) chosen.push_back(all[i * among / count]);
    return chosen;
  }

  static std::vector<std::string> acts_;
  static Tree unharmed_;
  static double seconds_;
};

std::vector<std::string> Kill::acts_;
Tree Kill::unharmed_;
double Kill::seconds_ = 0;

TEST_F(Kill, AtItsActsOnFiles) {
  ASSERT_GT(acts_.size(), 50u);
  for (const char* part : {"write", "rename", "fsync", "checkpoint/", "log.jsonl", "receipt.json",
                           ".features", "/.model.new", "results.json", "run.json"}) {
    EXPECT_THAT(acts_, ::testing::Contains(::testing::HasSubstr(part)));
  }
  const std::vector<size_t> chosen = Chosen(static_cast<size_t>(wanted_kills) / 2);
  const size_t kills = chosen.size();
  size_t killed = 0;
  for (const size_t act : chosen) {
    const std::string what = absl::StrCat("act ", act, ", ", acts_[act - 1]);
    killed += GoesOn(absl::StrCat(Watched(act, "killed"), " ", Train("killed")), what) ? 1 : 0;
  }
  EXPECT_EQ(killed, kills);
  std::cout << killed << " kills at " << acts_.size() << " acts on files\n";
}

TEST_F(Kill, AtMomentsDrawnAtRandom) {
  const int kills = (wanted_kills + 1) / 2;
  int killed = 0;
  for (int i = 0; i < kills; ++i) {
    const double after = seconds_ * static_cast<double>(Mix(5, i) % 1000) / 1000 + 0.01;
    const std::string limit = absl::StrFormat("%.3f", after);
    const std::string command = absl::StrCat("timeout -s KILL ", limit, " ", Train("killed"));
    killed += GoesOn(command, absl::StrCat("after ", limit, " s")) ? 1 : 0;
  }
  // Some steps may already be done.
  EXPECT_GT(killed, 0);
  std::cout << killed << " of " << kills << " killed before they were done\n";
}

}  // namespace

void SetKills(int count) { wanted_kills = count; }

}  // namespace unival

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    int count = 0;
    if (std::sscanf(argv[i], "--kills=%d", &count) == 1 && count >= 2) unival::SetKills(count);
  }
  return RUN_ALL_TESTS();
}
