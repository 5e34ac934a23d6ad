// Attacks by checkpoints of stopped runs: flipped bits, and states that no real run has.

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"
#include "tests/adversarial/attack.h"
#include "training/run/checkpoint.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string SaveGood(const std::string& folder) {
  RunState state;
  state.stage = 1;
  state.stage_step = 3;
  state.step = 13;
  state.sampler = "{\"position\": 4}";
  state.trained = {"backbone.a"};
  EXPECT_TRUE(SaveCheckpoint(folder, state, {{"model.backbone.a", at::full({64}, 1.5f)}}).ok());
  return folder + "/000000013";
}

absl::Status Load(const std::string& folder) { return LoadCheckpoint(folder).status(); }

// A copy of `bytes` with one bit changed.
std::string Flipped(std::string bytes, size_t at, int bit) {
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
  return bytes;
}

TEST(CheckpointAttacks, AFlippedBitIsNeverBelieved) {
  const std::string folder = NewFolder(), place = SaveGood(folder);
  Attack("checkpoint: good").Harmless(Load(folder));
  for (const char* name : {"/state.json", "/tensors.safetensors"}) {
    const std::string good = ReadText(place + name);
    for (size_t at = 1; at < good.size(); at += good.size() / 40 + 1) {
      // Replacing white space by other white space does not change the meaning.
      if (good[at] == ' ' || good[at] == '\n') continue;
      WriteText(place + name, Flipped(good, at, static_cast<int>(at % 7)));
      const Attack attack(absl::StrCat("checkpoint: a bit of byte ", at, " of ", name));
      attack.Refused(Load(folder));
    }
    WriteText(place + name, good);
  }
  Attack("checkpoint: good again").Harmless(Load(folder));
}

TEST(CheckpointAttacks, StatesThatNoRunHas) {
  const std::string folder = NewFolder(), file = SaveGood(folder) + "/state.json";
  const Json good = Json::parse(ReadText(file));
  const std::vector<std::pair<std::string, Json>> changes = {
      {"stage", -1},      {"stage", "1"},      {"stage", nullptr}, {"stage_step", -5},
      {"step", -13},      {"step", 1e300},     {"step", Json()},   {"sampler", 7},
      {"trained", "all"}, {"trained", {1, 2}}, {"format", "x"},    {"format", 1},
      {"totals", 3},      {"totals", Json()},  {"window", 3},      {"window", {1}},
  };
  for (const auto& [field, value] : changes) {
    Json json = good;
    json[field] = value;
    // With a correct hash, so that the value itself is tested.
    json.erase("state_sha256");
    json.erase("tensors_sha256");
    WriteText(file, json.dump(1));
    const Attack attack(absl::StrCat("checkpoint: ", field, " ", value.dump()));
    attack.Refused(Load(folder));
  }
  for (const char* field :
       {"format", "stage", "stage_step", "step", "sampler", "trained", "totals", "last_loss"}) {
    Json json = good;
    json.erase(field);
    json.erase("state_sha256");
    json.erase("tensors_sha256");
    WriteText(file, json.dump(1));
    const Attack attack(absl::StrCat("checkpoint: without ", field));
    attack.Refused(Load(folder));
  }
  const std::string deep = std::string(400000, '[') + std::string(400000, ']');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("\xff"), deep,
        "{\"format\": " + deep + "}", "{\"state_sha256\": " + deep + "}", std::string(100000, '['),
        good.dump().substr(0, 100)}) {
    WriteText(file, text);
    const Attack attack("checkpoint: state " + text.substr(0, 20));
    attack.Refused(Load(folder));
  }
}

TEST(CheckpointAttacks, PlacesThatAreNone) {
  const std::string folder = NewFolder(), place = SaveGood(folder);
  for (const char* name : {"/state.json", "/tensors.safetensors"}) {
    const std::string path = place + name, kept = folder + "/../kept";
    fs::rename(path, kept);
    Attack(absl::StrCat("checkpoint: no ", name)).Refused(Load(folder));
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    Attack(absl::StrCat("checkpoint: a pipe as ", name)).Refused(Load(folder));
    fs::remove(path);
    fs::create_directories(path);
    Attack(absl::StrCat("checkpoint: a folder as ", name)).Refused(Load(folder));
    fs::remove(path);
    fs::create_symlink("/dev/zero", path);
    Attack(absl::StrCat("checkpoint: a device as ", name)).Refused(Load(folder));
    fs::remove(path);
    fs::rename(kept, path);
  }
  // These look like checkpoints but are not: a file, half-written ones, other names.
  WriteText(folder + "/000000099", "file");
  fs::create_directories(folder + "/000000098.tmp");
  fs::create_symlink("circle", folder + "/circle");
  Attack("checkpoint: beside other things").Harmless(Load(folder));
}

}  // namespace
}  // namespace unival
