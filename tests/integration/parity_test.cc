// Replays the recorded cases of tests/golden with the library of `unival parity`. There is one test
// per stage, so that a failure names the stage. Also tests the tool itself: it must report
// deliberate changes.
#include "upstream/parity/parity.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "backbone/storage/safetensors.h"
#include "runtime/test_runtime.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

constexpr char kGolden[] = "tests/golden";

parity::Report Replay(const std::string& fixture, const std::string& stage = "",
                      const std::string& perturb = "") {
  ParityOptions options;
  options.fixture = fixture;
  options.stage = stage;
  options.perturb = perturb;
  auto report = RunParity(options, TheRuntime());
  EXPECT_TRUE(report.ok()) << report.status();
  return report.ok() ? *std::move(report) : parity::Report();
}

size_t Checks(const parity::Report& report) {
  size_t count = 0;
  for (const parity::CaseResult& result : report.cases) count += result.checks.size();
  return count;
}

struct Stage {
  std::string name;
  size_t cases, checks;  // the minimum number of recorded ones
};

class EveryStage : public ::testing::TestWithParam<Stage> {};

TEST_P(EveryStage, AgreesWithTheOriginal) {
  const parity::Report report = Replay(kGolden, GetParam().name);
  EXPECT_TRUE(report.ok()) << ToTable(report);
  EXPECT_GE(report.cases.size(), GetParam().cases);
  EXPECT_GE(Checks(report), GetParam().checks);
}

INSTANTIATE_TEST_SUITE_P(
    Parity, EveryStage,
    ::testing::Values(Stage{"preprocess", 20, 350}, Stage{"checkpoint", 3, 2000},
                      Stage{"state_dict", 1, 3}, Stage{"encoder", 3, 6}, Stage{"connection", 3, 3},
                      Stage{"embedding", 27, 50}, Stage{"attention_bias", 4, 20},
                      Stage{"encoder.layer", 2, 4}, Stage{"encoder.output", 27, 27},
                      Stage{"decoder.layer", 2, 4}, Stage{"logits", 30, 31},
                      Stage{"generation", 21, 300}, Stage{"loss", 23, 150},
                      Stage{"training", 4, 300}, Stage{"moving_average", 4, 200},
                      Stage{"averaging", 10, 100}, Stage{"metrics", 2, 600}),
    [](const auto& test) {
      std::string name = test.param.name;
      for (char& c : name) c = c == '.' ? '_' : c;
      return name;
    });

class Precision : public ::testing::TestWithParam<InferencePrecision> {};

// Also checks that something is compared and that the numbers differ, which shows that fewer bits
// are really used.
TEST_P(Precision, KeepsToItsBoundsOverAllStages) {
  ParityOptions options;
  options.fixture = kGolden;
  options.precision = GetParam();
  const auto report = RunParity(options, TheRuntime());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->ok()) << ToTable(*report);
  EXPECT_GE(report->agreement.compared, 500);
  double largest = 0;
  for (const parity::CaseResult& result : report->cases) {
    for (const parity::Check& check : result.checks)
      if (check.stage == "logits" && result.quirk.empty())
        largest = std::max(largest, check.relative);
  }
  EXPECT_GT(largest, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Parity, Precision,
                         ::testing::Values(InferencePrecision::kBFloat16,
                                           InferencePrecision::kInt8),
                         [](const auto& test) { return InferencePrecisionName(test.param); });

TEST(Parity, TooFewEqualTokensAreADifference) {
  parity::Report report = Replay(kGolden, "averaging");
  report.precision = InferencePrecision::kInt8;
  report.agreement = {100, 97};
  EXPECT_TRUE(report.ok());
  report.agreement = {100, 96};
  EXPECT_FALSE(report.ok());
  EXPECT_THAT(ToTable(report), HasSubstr("96 of 100 tokens and answers"));
}

// The golden folder with only the entries from the media of a record to its logits: enough to find
// the wrong stage, and fast.
std::string ForwardFixture() {
  const std::string folder = ::testing::TempDir() + "/forward";
  std::filesystem::create_directories(folder);
  const std::string tiny = folder + "/tiny";
  if (!std::filesystem::exists(tiny)) {
    std::filesystem::create_directory_symlink(std::filesystem::absolute("tests/golden/tiny"), tiny);
  }
  nlohmann::json index = nlohmann::json::parse(ReadText("tests/golden/index.json")),
                 kept = nlohmann::json::array();
  for (const nlohmann::json& entry : index.at("entries")) {
    const std::string stage = entry.at("stage");
    const bool variant = entry.contains("config_overrides");
    if ((stage == "forward" && !variant) || stage == "encoder" || stage == "biases") {
      kept.push_back(entry);
    }
  }
  index["entries"] = kept;
  std::ofstream(folder + "/index.json") << index;
  return folder;
}

// A tensor of the reference's state_dict, and the stage that uses it first.
struct Change {
  std::string tensor, stage;
};

class PerturbedWeight : public ::testing::TestWithParam<Change> {};

TEST_P(PerturbedWeight, IsReportedInTheStageThatUsesItFirst) {
  const parity::Report report = Replay(ForwardFixture(), "", GetParam().tensor);
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.FirstDivergingStage(), GetParam().stage) << ToTable(report);
}

INSTANTIATE_TEST_SUITE_P(
    Parity, PerturbedWeight,
    ::testing::Values(Change{"encoder.embed_images.layer2.0.conv2.weight", "encoder"},
                      Change{"encoder.audio_proj.bias", "connection"},
                      Change{"encoder.layernorm_embedding.weight", "embedding"},
                      Change{"encoder.pos_q_linear.bias", "attention_bias"},
                      Change{"encoder.layers.0.fc1.bias", "encoder.layer.0"},
                      Change{"encoder.layers.1.self_attn.c_attn", "encoder.layer.1"},
                      Change{"encoder.layer_norm.bias", "encoder.output"},
                      Change{"decoder.layernorm_embedding.bias", "decoder.embedding"},
                      Change{"decoder.layers.0.encoder_attn.v_proj.weight", "decoder.layer.0"},
                      Change{"decoder.layers.1.fc2.weight", "decoder.layer.1"},
                      Change{"decoder.layer_norm.weight", "logits"}),
    [](const auto& test) {
      std::string name = test.param.tensor;
      for (char& c : name) c = c == '.' ? '_' : c;
      return name;
    });

TEST(Parity, ListsQuirksOfTheReferenceWithoutJudgingThem) {
  const parity::Report report = Replay(kGolden, "logits");
  int quirks = 0;
  for (const parity::CaseResult& result : report.cases) {
    if (result.quirk.empty()) continue;
    ++quirks;
    EXPECT_FALSE(result.checks.at(0).ok) << "an exact implementation differs here";
    EXPECT_TRUE(result.ok());
  }
  EXPECT_EQ(quirks, 1);
  EXPECT_THAT(ToTable(report), HasSubstr("1 listed as quirks"));
}

// A copy of the index only: files are missing, and kinds are unknown.
std::string BrokenFixture(const std::string& entry) {
  const std::string folder = ::testing::TempDir() + "/broken";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/index.json")
      << R"({"format_version": 1, "configs": {}, "entries": [)" << entry << "]}";
  return folder;
}

// The golden folder's entry of one case with a changed file, like the result of a wrong
// implementation.
std::string RewrittenFixture(const std::string& name, const std::string& file,
                             const std::function<void(const std::string& path)>& write) {
  const std::string folder = ::testing::TempDir() + "/edited_" + name;
  std::filesystem::create_directories(folder + "/tiny");
  for (const char* beside : {"config.json", "manifest.json"}) {
    std::filesystem::copy_file(std::string("tests/golden/tiny/") + beside,
                               folder + "/tiny/" + beside,
                               std::filesystem::copy_options::overwrite_existing);
  }
  write(folder + "/" + file);
  nlohmann::json index = nlohmann::json::parse(ReadText("tests/golden/index.json")),
                 kept = nlohmann::json::array();
  for (const nlohmann::json& entry : index.at("entries")) {
    if (entry.at("file") == file) kept.push_back(entry);
  }
  index["entries"] = kept;
  std::ofstream(folder + "/index.json") << index;
  return folder;
}

std::string EditedFixture(const std::string& name, const std::string& file,
                          const std::function<void(TensorMap&)>& edit) {
  return RewrittenFixture(name, file, [&](const std::string& path) {
    TensorMap tensors = ReadSafetensors("tests/golden/" + file).value();
    edit(tensors);
    EXPECT_TRUE(WriteSafetensors(path, tensors).ok());
  });
}

// The loss of two rows with an image each, with more fields for these rows than were recorded.
parity::Report LossWith(const std::string& name, const nlohmann::json& fields) {
  return Replay(RewrittenFixture(name, "tiny/losses.json", [&](const std::string& path) {
    nlohmann::json losses = nlohmann::json::parse(ReadText("tests/golden/tiny/losses.json")),
                   kept = nlohmann::json::array();
    for (nlohmann::json& loss : losses.at("cases")) {
      if (loss.at("name") != "ce_image") continue;
      loss.at("sample").update(fields);
      kept.push_back(loss);
    }
    losses["cases"] = kept;
    std::ofstream(path) << losses;
  }));
}

TEST(Parity, HeedsTypesAndMasksOfASamplesRows) {
  EXPECT_TRUE(LossWith("images", {{"patch_types", {0, 0}}, {"patch_masks", {true, true}}}).ok());
  EXPECT_FALSE(LossWith("masked", {{"patch_masks", {true, false}}}).ok());
  EXPECT_FALSE(LossWith("all_masked", {{"patch_masks", {false, false}}}).ok());
  EXPECT_FALSE(LossWith("no_image", {{"patch_types", {0, 1}}}).ok());
  EXPECT_FALSE(LossWith("two_images", {{"patch_images_2_shape", {2, 3, 64, 96}}}).ok());
}

TEST(Parity, NoRecordedValueIsHarmless) {
  const std::string text = "tiny/text.safetensors";
  const auto infinite = [](TensorMap& tensors) {
    at::Tensor& trunk = tensors.at("image_96x64/trunk");
    trunk = at::full_like(trunk, 12345);
    trunk.view({-1})[0] = INFINITY;
  };
  const parity::Report infinity =
      Replay(EditedFixture("infinity", "tiny/encoders.safetensors", infinite), "encoder");
  EXPECT_EQ(infinity.FirstDivergingStage(), "encoder");
  const parity::Report not_a_number = Replay(EditedFixture("nan", text, [](TensorMap& tensors) {
    at::Tensor& logits = tensors.at("b_single/logits");
    logits = logits.clone();
    logits.view({-1})[3] = NAN;
  }));
  EXPECT_EQ(not_a_number.FirstDivergingStage(), "logits");
  const parity::Report missing = Replay(EditedFixture(
      "missing", text, [](TensorMap& tensors) { tensors.erase("a_padded/decoder_state.1"); }));
  EXPECT_FALSE(missing.ok());
  EXPECT_THAT(missing.cases.at(1).error, HasSubstr("decoder_state.1"));
  const parity::Report unknown = Replay(EditedFixture("unknown", text, [](TensorMap& tensors) {
    tensors["c_nopad/attention_maps"] = tensors.at("c_nopad/logits");
  }));
  EXPECT_FALSE(unknown.ok());
}

TEST(Parity, LeavesNothingOutSilently) {
  const parity::Report missing =
      Replay(BrokenFixture(R"({"file": "x.json", "stage": "metrics", "config": null})"));
  ASSERT_EQ(missing.cases.size(), 1u);
  EXPECT_FALSE(missing.ok());
  EXPECT_THAT(missing.cases[0].error, HasSubstr("x.json"));
  const parity::Report unknown =
      Replay(BrokenFixture(R"({"file": "x.json", "stage": "telepathy"})"));
  EXPECT_THAT(unknown.cases.at(0).error, HasSubstr("telepathy"));
  const std::string empty = BrokenFixture(R"({"file": "x.json", "stage": "loss"})");
  std::ofstream(empty + "/x.json") << R"({"cases": []})";
  EXPECT_THAT(Replay(empty).cases.at(0).error, HasSubstr("it has no case"));
}

TEST(Parity, NamesWhatIsWrongWithFolderAndOptions) {
  const auto message = [](const ParityOptions& options) {
    return std::string(RunParity(options, TheRuntime()).status().message());
  };
  ParityOptions options;
  options.fixture = "tests/golden/media";
  EXPECT_THAT(message(options), HasSubstr("tests/golden/media/index.json: no such file"));
  options.fixture = kGolden;
  options.stage = "encoder.layers";
  EXPECT_THAT(message(options), HasSubstr("expected one of tokenizer, preprocess"));
  options.stage = "logits";
  options.perturb = "encoder.nothing";
  EXPECT_THAT(message(options), HasSubstr("no model of this run has a tensor"));
  // A constant added to all keys does not change the softmax, so the change could not be found.
  options.fixture = ForwardFixture();
  options.perturb = "encoder.layers.0.self_attn.k_proj.bias";
  EXPECT_THAT(message(options), HasSubstr("nothing that this run compares depends on"));
}

}  // namespace
}  // namespace unival
