// One encoder with the same weights gives bitwise equal features in all three tiers. The order of
// plugins does not change the registry or the vocabulary. The statements of a data-only plugin are
// checked before its program is loaded.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "backbone/vocabulary/layout.h"
#include "modalities/io/encode.h"
#include "runtime/runtime.h"
#include "runtime/torchscript/program.h"
#include "sdk/base/sha256.h"
#include "sdk/base/test_shell.h"
#include "tests/integration/tiers/linear_weights.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

constexpr char kNative[] = "tests/integration/tiers/liblinear_native.so";
constexpr char kCAbi[] = "tests/integration/tiers/liblinear_c_abi.so";

std::string Temporary(const std::string& name) {
  return std::string(std::getenv("TEST_TMPDIR")) + "/" + name;
}

RuntimeOptions With(const std::vector<std::string>& plugins) {
  RuntimeOptions options;
  options.plugins = plugins;
  options.threads = 1;
  return options;
}

// The program of the data-only tier, written once.
const std::string& ProgramFile() {
  static const auto* const path = [] {
    auto* file = new std::string(Temporary("linear.pt"));
    at::Tensor weights = at::empty({kPixels, kWidth});
    for (int64_t pixel = 0; pixel < kPixels; ++pixel) {
      for (int64_t feature = 0; feature < kWidth; ++feature)
        weights[pixel][feature] = LinearWeight(pixel, feature);
    }
    const absl::Status written = WriteTorchScript(*file, {{"weights", weights}}, R"(
      def forward(self, x):
          return torch.matmul(torch.pixel_unshuffle(x, 4).flatten(2).transpose(1, 2), self.weights)
    )");
    EXPECT_TRUE(written.ok()) << written;
    return file;
  }();
  return *path;
}

constexpr char kManifest[] = R"(
plugin { id: "linear_torchscript" version: "1.0.0" }
modality {
  id: "linear_torchscript"
  summary: "a linear map of patches"
  input { kind: IMAGE channels: 1 width: 16 height: 16 bits: 16 }
  normalization { mean: 2048 std: 1024 }
  program { torchscript: "linear.pt" sha256: "SHA256" producer_torch: "TORCH" }
  features { dim: 6 position_kind: POSITION_GRID grid_columns: 4 max_positions: 16
             schema: "linear/1" }
}
)";

// Writes the manifest with `replacements` applied. Returns its path.
std::string WriteManifest(const std::string& name,
                          std::vector<std::pair<std::string, std::string>> replacements = {}) {
  std::string text = kManifest;
  for (const auto& replacement : replacements) EXPECT_THAT(text, HasSubstr(replacement.first));
  replacements.push_back({"SHA256", *Sha256HexOfFile(ProgramFile())});
  replacements.push_back({"TORCH", HostTorchVersion()});
  for (const auto& [from, to] : replacements) text = absl::StrReplaceAll(text, {{from, to}});
  const std::string path = Temporary(name);
  std::ofstream(path) << text;
  return path;
}

std::vector<RawSample> Pictures() {
  std::vector<RawSample> samples;
  for (int item = 0; item < 3; ++item) {
    std::vector<uint16_t> pixels(kSide * kSide);
    for (size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<uint16_t>((i * 37 + item * 1001) % 4096);
    RawSample sample;
    sample.media = {"picture", "",
                    std::make_shared<const std::string>(*EncodeGray16Png(pixels, kSide, kSide))};
    samples.push_back(sample);
  }
  return samples;
}

ModalityFeatures FeaturesOf(const Runtime& runtime, const std::string& type) {
  ModalityConfig config;
  config.set_id(type);
  auto modality = runtime.registry().CreateModality(config, runtime.services());
  EXPECT_TRUE(modality.ok()) << modality.status();
  PreprocessedBatch batch;
  for (const RawSample& raw : Pictures()) {
    auto sample = (*modality)->Preprocess(raw);
    EXPECT_TRUE(sample.ok()) << sample.status();
    batch.samples.push_back(*sample);
  }
  auto features = (*modality)->Encode(batch);
  EXPECT_TRUE(features.ok()) << features.status();
  return *features;
}

TEST(Tiers, GiveTheSameFeaturesToTheBit) {
  auto runtime = Runtime::Create(With({kNative, kCAbi, WriteManifest("linear.plugin.textproto")}));
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  const ModalityFeatures native = FeaturesOf(**runtime, "linear_native");
  ASSERT_EQ(native.values.sizes(), at::IntArrayRef({3, kGrid * kGrid, kWidth}));
  EXPECT_GT(native.values.abs().sum().item<float>(), 0);
  for (const std::string type : {"linear_c_abi", "linear_torchscript"}) {
    const ModalityFeatures features = FeaturesOf(**runtime, type);
    EXPECT_TRUE(at::equal(features.values, native.values)) << type;
    EXPECT_TRUE(at::equal(features.positions, native.positions)) << type;
    EXPECT_FALSE(features.padding.defined()) << type;
  }
}

RawSample InMemory(const std::string& name, const std::string& bytes) {
  RawSample raw;
  raw.media = {name, "", std::make_shared<const std::string>(bytes)};
  return raw;
}

// Training skips such records, so every tier must be able to report that the media are wrong.
TEST(Tiers, SayThatMediaAreDamagedOrOfAnotherKind) {
  const std::string series = WriteManifest(
      "series.plugin.textproto",
      {{"kind: IMAGE channels: 1 width: 16 height: 16 bits: 16", "kind: TIME_SERIES channels: 2"},
       {"plugin { id: \"linear_torchscript\"", "plugin { id: \"series\""},
       {"modality {\n  id: \"linear_torchscript\"", "modality {\n  id: \"series\""},
       {"normalization { mean: 2048 std: 1024 }", ""}});
  auto runtime =
      Runtime::Create(With({kNative, kCAbi, WriteManifest("media.plugin.textproto"), series}));
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  const std::string small = *EncodeGray16Png(std::vector<uint16_t>(8 * 8, 1), 8, 8);
  const std::pair<const char*, std::string> refused[] = {
      {"linear_native", "no picture"},
      {"linear_c_abi", "no picture"},
      {"linear_torchscript", "no picture"},
      {"linear_c_abi", small},  // the plugin's own refusal
      {"series", "1,2\n3,x\n"},
      {"series", ""},
  };
  for (const auto& [type, bytes] : refused) {
    ModalityConfig config;
    config.set_id(type);
    auto modality = (*runtime)->registry().CreateModality(config, (*runtime)->services());
    ASSERT_TRUE(modality.ok()) << modality.status();
    const absl::Status status = (*modality)->Preprocess(InMemory("probe", bytes)).status();
    EXPECT_TRUE(IsMediaError(status)) << type << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("probe"));
  }
}

TEST(LoadOrder, ChangesNeitherRegistryNorVocabulary) {
  std::vector<std::string> files = {kNative, kCAbi, WriteManifest("order.plugin.textproto"),
                                    "tests/abi/libgood.so"};
  std::sort(files.begin(), files.end());
  std::string first;
  do {
    auto runtime = Runtime::Create(With(files));
    ASSERT_TRUE(runtime.ok()) << runtime.status();
    std::string text;
    for (const Registry::Entry& entry : (*runtime)->registry().List())
      absl::StrAppend(&text, entry.kind, entry.type, entry.origin, "\n");
    std::vector<BlockSpec> blocks = {{"a.later", 3, "", "a"}};
    for (const TokenBlockSpec& block : (*runtime)->registry().token_blocks()) {
      blocks.insert(blocks.begin(), {block.id, block.size, block.content_hash, "fixture"});
    }
    const auto base = BaseLayout({"core.bpe", 10, "", true, 4, 8});
    ASSERT_TRUE(base.ok());
    const auto layout = AddBlocks(*base, blocks);
    ASSERT_TRUE(layout.ok()) << layout.status();
    absl::StrAppend(&text, layout->DebugString());
    if (first.empty()) first = text;
    EXPECT_EQ(text, first);
  } while (std::next_permutation(files.begin(), files.end()));
}

struct BadManifest {
  const char* name;
  std::vector<std::pair<std::string, std::string>> replacements;
  absl::StatusCode code;
  std::vector<std::string> says;
};

class RefusesManifest : public ::testing::TestWithParam<BadManifest> {};

TEST_P(RefusesManifest, InWords) {
  const std::string file =
      WriteManifest(std::string(GetParam().name) + ".plugin.textproto", GetParam().replacements);
  const auto runtime = Runtime::Create(With({file}));
  EXPECT_EQ(runtime.status().code(), GetParam().code) << runtime.status();
  EXPECT_THAT(std::string(runtime.status().message()), HasSubstr(file));
  for (const std::string& part : GetParam().says)
    EXPECT_THAT(std::string(runtime.status().message()), HasSubstr(part));
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

const BadManifest kBadManifests[] = {
    {"syntax", {{"plugin {", "plugin [["}}, kInvalid, {":2:"}},
    {"unknown_field", {{"summary:", "sumary:"}}, kInvalid, {":5:", "sumary"}},
    {"no_id", {{"id: \"linear_torchscript\" version", "version"}}, kInvalid, {"id, version"}},
    {"no_kind", {{"kind: IMAGE ", ""}}, kInvalid, {"input.kind"}},
    {"channels", {{"channels: 1", "channels: 2"}}, kInvalid, {"input.channels: 2", "1 or 3"}},
    {"bits", {{"bits: 16", "bits: 12"}}, kInvalid, {"input.bits: 12"}},
    {"width", {{"width: 16", "width: 0"}}, kInvalid, {"input.width", "0, 16"}},
    {"mean", {{"mean: 2048", "mean: [1, 2]"}}, kInvalid, {"normalization: 2 values"}},
    {"std", {{"std: 1024", "std: 0"}}, kInvalid, {"normalization.std: 0"}},
    {"no_program", {{"torchscript: \"linear.pt\" ", ""}}, kInvalid, {"program.torchscript"}},
    {"short_hash", {{"SHA256", "abc"}}, kInvalid, {"program.sha256", "abc"}},
    {"dim", {{"dim: 6", "dim: 0"}}, kInvalid, {"features.dim: 0"}},
    {"schema", {{" schema: \"linear/1\"", ""}}, kInvalid, {"features.schema"}},
    {"grid", {{"grid_columns: 4 ", ""}}, kInvalid, {"features.grid_columns: 0"}},
    {"later_torch",
     {{"TORCH", "99.1.0"}},
     absl::StatusCode::kFailedPrecondition,
     {"libtorch 99.1.0", "this host has libtorch"}},
    {"no_version", {{"TORCH", "new"}}, kInvalid, {"producer_torch \"new\""}},
    {"bad_type", {{"  id: \"linear_torchscript\"", "  id: \"Linear\""}}, kInvalid, {"\"Linear\""}},
};

INSTANTIATE_TEST_SUITE_P(Manifests, RefusesManifest, ::testing::ValuesIn(kBadManifests),
                         [](const auto& test) { return std::string(test.param.name); });

absl::Status CreateFrom(const std::string& file) {
  auto runtime = Runtime::Create(With({file}));
  EXPECT_TRUE(runtime.ok()) << runtime.status();
  ModalityConfig config;
  config.set_id("linear_torchscript");
  return (*runtime)->registry().CreateModality(config, (*runtime)->services()).status();
}

TEST(Program, OfAnotherHashIsNotLoaded) {
  const absl::Status status =
      CreateFrom(WriteManifest("hash.plugin.textproto", {{"SHA256", std::string(64, 'a')}}));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("linear.pt"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(64, 'a')));
}

TEST(Program, ThatIsMissingOrNoProgramIsNamed) {
  EXPECT_THAT(
      std::string(
          CreateFrom(WriteManifest("gone.plugin.textproto", {{"linear.pt", "gone.pt"}})).message()),
      HasSubstr("gone.pt"));
  std::ofstream(Temporary("text.pt")) << "no program";
  const absl::Status status = CreateFrom(WriteManifest(
      "text.plugin.textproto",
      {{"linear.pt", "text.pt"}, {"SHA256", *Sha256HexOfFile(Temporary("text.pt"))}}));
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("text.pt"));
}

TEST(Runtime, LoadsAPinnedPluginOnlyWhenTheHashAgrees) {
  const std::string hash = *Sha256HexOfFile(kCAbi);
  EXPECT_TRUE(Runtime::Create(With({absl::StrCat(kCAbi, "#sha256=", hash)})).ok());
  const auto refused =
      Runtime::Create(With({absl::StrCat(kCAbi, "#sha256=", std::string(64, '0'))}));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(hash));
}

TEST(Thermal, ShippedManifestAndProgramMakeAModality) {
  auto runtime = Runtime::Create(With({"plugins/thermal/thermal.plugin.textproto"}));
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  const ModalityFeatures features = FeaturesOf(**runtime, "thermal");
  EXPECT_EQ(features.values.sizes(), at::IntArrayRef({3, 64, 32}));
  // The program gives the same result when it is exported again from its source.
  const std::string again = Temporary("again.pt");
  const ShellOutcome outcome = RunShell("plugins/thermal/export/export_encoder " + again);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto shipped = TorchScriptProgram::Load("plugins/thermal/thermal_encoder.pt"),
             exported = TorchScriptProgram::Load(again);
  ASSERT_TRUE(shipped.ok() && exported.ok()) << shipped.status() << exported.status();
  const at::Tensor probe = at::arange(64 * 64).to(at::kFloat).sin().view({1, 1, 64, 64});
  EXPECT_TRUE(at::equal(*(*shipped)->Run(probe), *(*exported)->Run(probe)));
}

}  // namespace
}  // namespace unival
