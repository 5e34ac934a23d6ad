// Run folders from an untrusted source: with links, checkpoints of other runs, or edited receipts.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/adversarial/command_attack.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// A finished run of one step, "run", and one of another plan, "other".
const Program& Runs() {
  static const Program* const kProgram = [] {
    const Program* program = &Workplace();
    const std::string plan =
        "name: \"run\" seed: 1 model: \"models/nano\"\n"
        "stage { trainable: \"connection:image\" steps: 1 batch: 1\n"
        "  optimizer { learning_rate: 1e-3 }\n"
        "  source { task: \"image_caption\" path: \"run.jsonl\" } }\n";
    WriteText(program->Path("run.jsonl"), "{\"image\": \"picture.png\", \"caption\": \"x\"}\n");
    WriteText(program->Path("run.textproto"), plan);
    WriteText(program->Path("other.textproto"), absl::StrReplaceAll(plan, {{"1e-3", "2e-3"}}));
    const Outcome made = program->Shell(
        "unival train run.textproto --output run --quiet && "
        "unival train other.textproto --output other --quiet && "
        "mkdir treasure && echo kept >treasure/file && mkdir treasure/000000007");
    EXPECT_EQ(made.code, 0) << made.err;
    return program;
  }();
  return *kProgram;
}

// "tried", a copy of the run.
void Copy() {
  fs::remove_all(Runs().Path("tried"));
  fs::copy(Runs().Path("run"), Runs().Path("tried"), fs::copy_options::recursive);
}

constexpr char kResume[] = "unival train run.textproto --output tried --resume --steps 2 --quiet";
constexpr char kExport[] = "rm -rf exported && unival checkpoint export tried --output exported";

TEST(RunFolderAttacks, LinksOutOfARun) {
  for (const char* name : {"best", "cache", "checkpoint", "model", "receipts", "results"}) {
    Copy();
    fs::remove_all(Runs().Path(absl::StrCat("tried/", name)));
    fs::create_symlink("../treasure", Runs().Path(absl::StrCat("tried/", name)));
    Try(Runs(), {absl::StrCat("resume with a link as ", name), kResume, {1}, "got a link to"});
    if (name == std::string("checkpoint") || name == std::string("receipts"))
      Try(Runs(), {absl::StrCat("export with a link as ", name), kExport, {1}, "got a link to"});
  }
  EXPECT_EQ(ReadText(Runs().Path("treasure/file")), "kept\n");
  EXPECT_TRUE(fs::exists(Runs().Path("treasure/000000007")));
  EXPECT_FALSE(fs::exists(Runs().Path("treasure/000000002")));
}

TEST(RunFolderAttacks, CheckpointsOfOthersAndOfOtherSteps) {
  const std::string place = "tried/checkpoint/000000001";
  Copy();
  Try(Runs(), {"the run as it is", kExport, {0}, "exported"});
  fs::rename(Runs().Path(place), Runs().Path("tried/checkpoint/000000009"));
  Try(Runs(), {"under another step", kExport, {1}, "expected 9"});
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"of another run", "rm -r " + place + " && cp -r other/checkpoint/000000001 " + place},
      {"the tensors of another run", "cp other/checkpoint/000000001/tensors.safetensors " + place},
      {"the state of another run", "cp other/checkpoint/000000001/state.json " + place},
      {"no tensors", "truncate -s 0 " + place + "/tensors.safetensors"},
      {"half of the tensors", "truncate -s 50000 " + place + "/tensors.safetensors"},
      {"no state", "truncate -s 0 " + place + "/state.json"}};
  for (const auto& [name, change] : changes) {
    Copy();
    ASSERT_EQ(Runs().Shell(change).code, 0) << name;
    Try(Runs(), {absl::StrCat("export: ", name), kExport, {1}, "tried"});
    if (name == "of another run") Try(Runs(), {"resume: " + name, kResume, {1}, "tried"});
    EXPECT_FALSE(fs::exists(Runs().Path("exported"))) << name;
  }
}

TEST(RunFolderAttacks, WhatIsNoCheckpointStays) {
  Copy();
  ASSERT_EQ(Runs()
                .Shell("mkdir tried/checkpoint/notes tried/checkpoint/7 && "
                       "echo mine >tried/checkpoint/notes/file")
                .code,
            0);
  Try(Runs(), {"a run with notes", kResume, {0}, "steps"});
  EXPECT_EQ(ReadText(Runs().Path("tried/checkpoint/notes/file")), "mine\n");
  EXPECT_TRUE(fs::exists(Runs().Path("tried/checkpoint/7")));
  EXPECT_FALSE(fs::exists(Runs().Path("tried/checkpoint/000000001")));
}

TEST(RunFolderAttacks, AFullStandardOutputIsAnErrorHereToo) {
  for (const char* command :
       {"plan show run.textproto", "watch run --json", "checkpoint list run",
        "verify run/receipt.json run/model --json",
        "data check run.jsonl --task image_caption --model models/nano --json"}) {
    Try(Runs(), {command,
                 absl::StrCat("unival ", command, " >/dev/full"),
                 {1},
                 "standard output: cannot be written"});
  }
}

TEST(RunFolderAttacks, EditedReceipts) {
  const std::string good = ReadText(Runs().Path("run/receipt.json"));
  const std::string verify = "unival verify run/edited.json run/model --base models/nano";
  const auto edited = [&](const std::string& from, const std::string& to) {
    const size_t at = good.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return std::string(good).replace(at, from.size(), to);
  };
  WriteText(Runs().Path("run/edited.json"), good);
  Try(Runs(), {"the receipt as it is", verify, {0}, "The receipt holds."});
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"seed\": 1", "\"seed\": 2"},
           {"\"plan\": \"run\"", "\"plan\": \"other\""},
           {"\"drawn\": false", "\"drawn\": true"},
           {"\"role\": \"trainable\"", "\"role\": \"frozen\""},
           {"\"stored_as\": \"float32\"", "\"stored_as\": \"float16\""},
           {"\"statement\": \"", "\"statement\": \"nothing "},
           {"\"base_model\": \"models/nano\"", "\"base_model\": \"models/base\""}}) {
    WriteText(Runs().Path("run/edited.json"), edited(from, to));
    Try(Runs(), {absl::StrCat("a receipt with ", to), verify, {1, 3}, ""});
  }
}

}  // namespace
}  // namespace unival
