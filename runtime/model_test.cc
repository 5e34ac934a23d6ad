#include "runtime/model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/safetensors.h"
#include "runtime/test_runtime.h"
#include "sdk/base/sha256.h"
#include "sdk/base/test_files.h"
#include "sdk/base/text_format.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kDepth[] = "plugins/depth/libdepth.so";
constexpr char kHalfway[] = "runtime/loader/testdata/libhalfway.so";

constexpr char kTiny[] = R"(
name: "tiny"
backbone {
  d_model: 16 ffn_dim: 32 heads: 2 encoder_layers: 1 decoder_layers: 1
  token_bucket_size: 16 image_bucket_size: 4 max_positions: 32 attn_scale_factor: 2
  type_rows: 2 add_type_embedding: true encoder_pre_norm: true decoder_pre_norm: true
}
tokenizer { type: "gpt2_bpe" directory: "tokenizer" block: "core.bpe" }
modality {
  id: "image"
  image { width: 16 height: 16 }
  encoder { small_cnn { in_channels: 3 widths: 8 } }
}
connection { modality: "image" shared_type_row: 1 }
)";

// A vocabulary of the 256 bytes, without merges.
std::string TinyTokenizer() {
  const std::string folder = NewFolder("tokenizer");
  nlohmann::json encoder;
  std::string dictionary;
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
    const int point = printable ? byte : next++;
    std::string symbol(1, static_cast<char>(point));
    if (point >= 128) {
      symbol = {static_cast<char>(0xc0 | point >> 6), static_cast<char>(0x80 | (point & 63))};
    }
    encoder[symbol] = byte;
    absl::StrAppend(&dictionary, byte, " 1\n");
  }
  WriteText(folder + "/encoder.json", encoder.dump());
  WriteText(folder + "/dict.txt", dictionary);
  WriteText(folder + "/vocab.bpe", "#version: 0.2\n");
  return folder;
}

// A tiny model with one modality on disk, to be damaged.
class ModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Manifest manifest;
    ASSERT_TRUE(ParseTextProto(kTiny, "test", &manifest).ok());
    auto model = Model::CreateFresh(manifest, TinyTokenizer(), 1, TheRuntime());
    ASSERT_TRUE(model.ok()) << model.status();
    (*model)->AddTemplates("tasks.textproto",
                           std::make_shared<const LoadedTemplateSet>(
                               LoadedTemplateSet{"test", "tasks.textproto", {}}));
    const absl::Status saved = (*model)->Save(folder_, Lineage(), /*half=*/false);
    ASSERT_TRUE(saved.ok()) << saved;
  }

  absl::Status Load(const ModelLoadOptions& options = {}) const {
    return Model::Load(folder_, TheRuntime(), options).status();
  }

  // Loading gives `code` with a message that `matches`.
  void ExpectRefused(absl::StatusCode code, const ::testing::Matcher<std::string>& matches) const {
    const absl::Status status = Load();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), matches);
  }

  void ChangeManifest(const std::function<void(Manifest&)>& change) const {
    Manifest manifest;
    ASSERT_TRUE(ReadTextProto(manifest_file_, &manifest).ok());
    change(manifest);
    WriteText(manifest_file_, PrintTextProto(manifest));
  }

  // After a component was changed on purpose.
  void UpdateSha256(const std::string& id) const {
    ChangeManifest([&](Manifest& manifest) {
      for (Component& component : *manifest.mutable_component()) {
        if (component.id() != id) continue;
        component.set_sha256(Sha256OfPath(folder_ + "/" + component.file()).value());
      }
    });
  }

  void ChangeTensors(const std::string& id, const std::function<void(TensorMap&)>& change) const {
    const std::string file = absl::StrCat(folder_, "/", id, ".safetensors");
    TensorMap tensors = ReadSafetensors(file).value();
    change(tensors);
    const absl::Status written = WriteSafetensors(file, tensors);
    ASSERT_TRUE(written.ok()) << written;
    UpdateSha256(id);
  }

  const std::string folder_ = NewFolder("models") + "/tiny";
  const std::string manifest_file_ = folder_ + "/manifest.textproto";
};

TEST_F(ModelTest, LoadsWhatWasSaved) {
  auto model = Model::Load(folder_, TheRuntime());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_NE((*model)->modality("image"), nullptr);
  EXPECT_EQ((*model)->templates().count("tasks.textproto"), 1u);
}

TEST_F(ModelTest, AnOpenedDirectoryIsLookedAtBeforeAnyWeightIsRead) {
  fs::remove(folder_ + "/backbone.safetensors");
  const auto opened = OpenedModel::Open(folder_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->manifest().modality(0).id(), "image");
  ASSERT_EQ(opened->templates().count("tasks.textproto"), 1u);
  EXPECT_THAT(std::string(opened->templates().at("tasks.textproto").set.status().message()),
              HasSubstr("no tasks"))
      << "an error for who wants a task of it";
  EXPECT_EQ(Model::Load(*opened, TheRuntime()).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ModelTest, MissingExtraAndMisshapenTensorsAreListed) {
  for (const char* id : {"backbone", "modality.image", "adapter.image"}) {
    SetUp();
    std::string name;
    ChangeTensors(id, [&](TensorMap& tensors) {
      name = tensors.begin()->first;
      tensors.erase(tensors.begin());
      tensors["surplus"] = at::zeros({2});
    });
    ExpectRefused(absl::StatusCode::kInvalidArgument,
                  AllOf(HasSubstr(id), HasSubstr(name), HasSubstr("surplus")));
    SetUp();
    ChangeTensors(id, [&](TensorMap& tensors) { tensors[name] = at::zeros({7, 5, 3}); });
    ExpectRefused(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr(id), HasSubstr(name)));
  }
}

TEST_F(ModelTest, AFileThatChangedOnDiskIsToldByItsHash) {
  std::ofstream(folder_ + "/backbone.safetensors", std::ios::app) << "x";
  ExpectRefused(absl::StatusCode::kDataLoss,
                AllOf(HasSubstr("backbone.safetensors"), HasSubstr("sha256")));
}

TEST_F(ModelTest, AMissingFileIsNamed) {
  fs::remove(folder_ + "/adapter.image.safetensors");
  ExpectRefused(absl::StatusCode::kNotFound, HasSubstr("adapter.image.safetensors"));
}

TEST_F(ModelTest, AnAdapterOfAnotherBaseIsRefusedUnlessAllowed) {
  ChangeTensors("backbone", [](TensorMap& tensors) { tensors.begin()->second += 1; });
  ExpectRefused(
      absl::StatusCode::kFailedPrecondition,
      AllOf(StartsWith(manifest_file_), HasSubstr("\"image\""), HasSubstr("backbone_sha256")));
  ModelLoadOptions options;
  options.allow_adapter_mismatch = true;
  EXPECT_TRUE(Load(options).ok());
}

// Bytes that loading the folder hashes.
uint64_t HashedByLoading(const std::string& folder) {
  const uint64_t before = Sha256::TotalBytes();
  const absl::Status loaded = Model::Load(folder, TheRuntime()).status();
  EXPECT_TRUE(loaded.ok()) << loaded;
  return Sha256::TotalBytes() - before;
}

uint64_t BytesOfFiles(const std::string& folder) {
  uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

TEST_F(ModelTest, WeightsAreHashedOnceALoadAndAsTensorsOnlyWhereTheRecordIsOfOtherFiles) {
  uint64_t weights = 0;  // encoder and backbone
  for (const char* id : {"backbone", "modality.image", "tokens.core.bpe"}) {
    weights += fs::file_size(absl::StrCat(folder_, "/", id, ".safetensors"));
  }
  const uint64_t files = BytesOfFiles(folder_);
  EXPECT_LT(HashedByLoading(folder_), files + weights / 2) << "each file once, no tensor again";
  // The same weights in another file: the record has to be checked against the tensors.
  const std::string file = folder_ + "/backbone.safetensors";
  ASSERT_TRUE(WriteSafetensors(file, ReadSafetensors(file).value(), {{"note", "rewritten"}}).ok());
  UpdateSha256("backbone");
  EXPECT_GT(HashedByLoading(folder_), files + weights / 2);
}

TEST_F(ModelTest, ARecordThatWasChangedByHandIsCheckedAgainstTheTensors) {
  ChangeManifest([](Manifest& manifest) {
    manifest.mutable_adapter(0)->set_backbone_sha256(std::string(64, 'a'));
  });
  ExpectRefused(absl::StatusCode::kFailedPrecondition, HasSubstr("backbone_sha256"));
}

TEST_F(ModelTest, AConnectionWithoutItsRecordIsRefused) {
  ChangeManifest([](Manifest& manifest) { manifest.clear_adapter(); });
  ExpectRefused(absl::StatusCode::kFailedPrecondition,
                AllOf(StartsWith(manifest_file_ + ": adapter: modality \"image\""),
                      HasSubstr("expected 1 record"), HasSubstr("got 0"), HasSubstr("restore")));
  ModelLoadOptions options;
  options.allow_adapter_mismatch = true;
  EXPECT_FALSE(Load(options).ok()) << "other weights may be allowed, unknown ones not";
}

TEST_F(ModelTest, AConnectionWithTwoRecordsIsRefused) {
  ChangeManifest([](Manifest& manifest) {
    const AdapterRecord record = manifest.adapter(0);
    *manifest.add_adapter() = record;
  });
  ExpectRefused(absl::StatusCode::kFailedPrecondition,
                AllOf(StartsWith(manifest_file_ + ": adapter"), HasSubstr("got 2")));
}

TEST_F(ModelTest, ARecordWithoutItsConnectionIsRefused) {
  ChangeManifest([](Manifest& manifest) { manifest.clear_connection(); });
  ExpectRefused(absl::StatusCode::kFailedPrecondition,
                AllOf(StartsWith(manifest_file_ + ": adapter"), HasSubstr("no connection")));
}

TEST_F(ModelTest, AModalityThatIsNotLoadedIsNamedAndCarriedAlong) {
  ModelLoadOptions options;
  options.all_modalities = false;
  auto model = Model::Load(folder_, TheRuntime(), options);
  ASSERT_TRUE(model.ok()) << model.status();
  const absl::Status status = (*model)->RequireModality("image").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("was not loaded"));
  const absl::Status saved = (*model)->Save(folder_, Lineage(), /*half=*/false);
  ASSERT_TRUE(saved.ok()) << saved;
  EXPECT_TRUE(Load().ok()) << Load();
  options.modalities = {"radar"};
  EXPECT_EQ(Load(options).code(), absl::StatusCode::kNotFound);
}

TEST_F(ModelTest, AnImpossibleConfigurationIsNamedWithItsManifest) {
  ChangeManifest([](Manifest& manifest) { manifest.mutable_backbone()->set_ffn_dim(2000000000); });
  ExpectRefused(
      absl::StatusCode::kInvalidArgument,
      AllOf(StartsWith(manifest_file_ + ": "), HasSubstr("ffn_dim"), HasSubstr("2000000000")));
}

TEST_F(ModelTest, AManifestOfAnotherSizeThanItsFilesIsRefusedBeforeAnythingIsBuilt) {
  ChangeManifest(
      [](Manifest& manifest) { manifest.mutable_connection(0)->set_position_rows(100000000); });
  ExpectRefused(absl::StatusCode::kInvalidArgument,
                AllOf(StartsWith(manifest_file_ + ": "), HasSubstr("position_rows"),
                      HasSubstr("[17, 16]"), HasSubstr("[100000000, 16]")));
  SetUp();
  // Each size is possible by itself.
  ChangeManifest([](Manifest& manifest) {
    manifest.mutable_backbone()->set_d_model(16384);
    manifest.mutable_backbone()->set_encoder_layers(256);
  });
  ExpectRefused(absl::StatusCode::kInvalidArgument, HasSubstr("backbone: expected a file of"));
  SetUp();
  ChangeManifest([](Manifest& manifest) {
    SmallCnnEncoder* cnn = manifest.mutable_modality(0)->mutable_encoder()->mutable_small_cnn();
    for (int i = 0; i < 8; ++i) cnn->add_widths(4096);
  });
  ExpectRefused(absl::StatusCode::kResourceExhausted,
                AllOf(HasSubstr("modality image"), HasSubstr("needs more memory than")));
}

TEST_F(ModelTest, WeightsThatAreNoNumbersAreNamed) {
  std::string name;
  ChangeTensors("backbone", [&](TensorMap& tensors) {
    name = tensors.rbegin()->first;
    tensors.rbegin()->second.view(-1)[0] = std::numeric_limits<float>::quiet_NaN();
  });
  ExpectRefused(absl::StatusCode::kInvalidArgument,
                AllOf(HasSubstr("backbone.safetensors"), HasSubstr(name), HasSubstr("NaN")));
}

TEST_F(ModelTest, AStoredTemplateSetReadsNoFile) {
  WriteText(folder_ + "/templates/tasks.textproto",
            "task { name: \"t\" prompt: \"a\" target: \"{y:label}\" "
            "labels { slot: \"y\" file: \"etc/group\" } }");
  UpdateSha256("templates");
  const auto opened = OpenedModel::Open(folder_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_THAT(std::string(opened->templates().at("tasks.textproto").set.status().message()),
              HasSubstr("names no files"));
}

TEST_F(ModelTest, GarbageInPlaceOfTheTemplatesIsNamed) {
  const std::string templates = folder_ + "/templates";
  fs::remove_all(templates);
  WriteText(templates, "no folder");
  UpdateSha256("templates");
  ExpectRefused(absl::StatusCode::kInvalidArgument,
                AllOf(StartsWith(templates), HasSubstr("expected a folder")));
}

TEST_F(ModelTest, GarbageInPlaceOfTheManifestIsNamed) {
  WriteText(manifest_file_, "\xff\xfe{{{");
  ExpectRefused(absl::StatusCode::kInvalidArgument, HasSubstr(manifest_file_));
}

// OpenMP takes this number from the environment; cli_test tests this with the program.
const int kAtStart = omp_get_max_threads();

// Random initialisation of weights that are then overwritten took longer than loading. The state of
// the generator does not change, and a part that is created later is initialised again.
TEST_F(ModelTest, LoadingDrawsNothing) {
  at::manual_seed(7);
  const at::Tensor expected = at::rand({4});
  at::manual_seed(7);
  ASSERT_TRUE(Load().ok());
  EXPECT_TRUE(at::rand({4}).equal(expected));
  Manifest manifest;
  ASSERT_TRUE(ParseTextProto(kTiny, "test", &manifest).ok());
  const auto first = Model::CreateFresh(manifest, TinyTokenizer(), 1, TheRuntime());
  const auto other = Model::CreateFresh(manifest, TinyTokenizer(), 2, TheRuntime());
  const auto loaded = Model::Load(folder_, TheRuntime());
  ASSERT_TRUE(first.ok() && other.ok() && loaded.ok());
  for (const char* part : {"backbone", "modality.image", "connection.image"}) {
    EXPECT_EQ(*(*first)->PartHash(part), *(*loaded)->PartHash(part)) << part;
    EXPECT_NE(*(*first)->PartHash(part), *(*other)->PartHash(part)) << part;
  }
}

TEST(RuntimeTest, TakesTheThreadsAskedForElseThoseOfOpenMp) {
  const auto threads = [](int asked) {
    RuntimeOptions options;
    options.threads = asked;
    return Runtime::Create(options).value()->threads();
  };
  EXPECT_EQ(threads(kAtStart + 2), kAtStart + 2);
  EXPECT_EQ(threads(0), kAtStart) << "not what the runtime before it took";
  EXPECT_EQ(threads(1), 1);
}

TEST(RuntimeTest, APluginReachedTwiceIsLoadedOnce) {
  RuntimeOptions options;
  options.threads = 1;
  options.plugins = {kDepth, kDepth};
  options.plugin_paths = {NewFolder("plugins")};
  for (const char* name : {"a.so", "b.so"}) fs::copy(kDepth, options.plugin_paths[0] + "/" + name);
  auto runtime = Runtime::Create(options);
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  const std::vector<PluginReport>& reports = (*runtime)->plugins();
  ASSERT_EQ(reports.size(), 4u);
  EXPECT_EQ(reports[0].file, kDepth) << "named explicitly: first";
  EXPECT_TRUE(reports[0].status.ok());
  for (size_t i = 1; i < reports.size(); ++i) {
    EXPECT_EQ(reports[i].id, "depth");
    EXPECT_EQ(reports[i].status.code(), absl::StatusCode::kAlreadyExists);
    EXPECT_THAT(std::string(reports[i].status.message()),
                HasSubstr(absl::StrCat("same as ", kDepth)));
  }
}

TEST(RuntimeTest, APluginInAFolderThatFailsHalfwayIsReportedAndLeavesNothing) {
  RuntimeOptions options;
  options.threads = 1;
  options.plugin_paths = {NewFolder("halfway")};
  fs::copy(kHalfway, options.plugin_paths[0] + "/halfway.so");
  auto runtime = Runtime::Create(options);
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  ASSERT_EQ((*runtime)->plugins().size(), 1u);
  EXPECT_THAT(std::string((*runtime)->plugins()[0].status.message()), HasSubstr("Bad Id"));
  for (const Registry::Entry& entry : (*runtime)->registry().List()) {
    EXPECT_NE(entry.type, "halfway");
  }
  options.plugins = {kHalfway};
  EXPECT_FALSE(Runtime::Create(options).ok()) << "named explicitly: an error";
}

// A model of 16 x 16 pixels, 8 x 8 positions, whose table has room for 12 x 12.
std::string RoomyModel() {
  Manifest manifest;
  EXPECT_TRUE(ParseTextProto(kTiny, "test", &manifest).ok());
  manifest.mutable_backbone()->set_image_bucket_size(12);
  auto model = Model::CreateFresh(manifest, TinyTokenizer(), 1, TheRuntime());
  EXPECT_TRUE(model.ok()) << model.status();
  const std::string folder = NewFolder("roomy");
  EXPECT_TRUE((*model)->Save(folder + "/model", {}, /*half=*/false).ok());
  return folder + "/model";
}

absl::StatusOr<std::unique_ptr<Model>> LoadSized(const std::string& directory,
                                                 const std::string& size,
                                                 const std::string& modality = "image") {
  ModelLoadOptions options;
  options.input_sizes[modality] = size;
  return Model::Load(directory, TheRuntime(), options);
}

at::Tensor PositionsOf(const Model& model) {
  for (const NamedTensor& entry : model.State()) {
    if (entry.name == "connection.image.positions") return entry.tensor.clone();
  }
  return {};
}

TEST(InputSize, PositionsOfALargerGridAreInterpolated) {
  const std::string directory = RoomyModel();
  auto stored = Model::Load(directory, TheRuntime());
  ASSERT_TRUE(stored.ok()) << stored.status();
  auto large = LoadSized(directory, "20x24");
  ASSERT_TRUE(large.ok()) << large.status();
  EXPECT_EQ((*large)->modality("image")->info().max_positions, 10 * 12);
  EXPECT_EQ((*large)->manifest().modality(0).image().height(), 24);
  // Bilinear between the centres of cells: 12 rows and 10 columns of 8 x 8.
  const at::Tensor was = PositionsOf(**stored), is = PositionsOf(**large);
  const auto cell = [](const at::Tensor& table, int64_t row, int64_t column) {
    return table[row * 12 + column + 1];
  };
  EXPECT_TRUE(cell(is, 0, 0).equal(cell(was, 0, 0)));
  EXPECT_TRUE(at::allclose(cell(is, 11, 9), cell(was, 7, 7)));
  // Row 1 of 12 stands at 1.5 * 8 / 12 - 0.5 = 0.5, column 4 of 10 at 4.5 * 8 / 10 - 0.5 = 3.1.
  const at::Tensor expected = 0.5 * (0.9 * cell(was, 0, 3) + 0.1 * cell(was, 0, 4)) +
                              0.5 * (0.9 * cell(was, 1, 3) + 0.1 * cell(was, 1, 4));
  EXPECT_TRUE(at::allclose(cell(is, 1, 4), expected, 1e-4, 1e-6));
  EXPECT_TRUE(is[0].equal(was[0]));
  EXPECT_TRUE(cell(is, 0, 11).equal(cell(was, 0, 11))) << "outside the grid nothing moves";
  // A smaller grid keeps the rows of its cells.
  auto small = LoadSized(directory, "8");
  ASSERT_TRUE(small.ok()) << small.status();
  EXPECT_TRUE(PositionsOf(**small).equal(was));

  // What is saved is a model of the new size, and loads as such.
  ASSERT_TRUE((*large)->Save(directory + "_large", {}, /*half=*/false).ok());
  auto again = Model::Load(directory + "_large", TheRuntime());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(PositionsOf(**again).equal(is));
  EXPECT_EQ((*again)->modality("image")->info().max_positions, 120);
}

TEST(InputSize, WhatDoesNotFitIsRefusedWithARemedy) {
  const std::string directory = RoomyModel();
  const struct {
    const char* modality;
    const char* size;
    std::vector<std::string> expected;
  } kCases[] = {
      {"image", "32x32", {"a grid of 12 x 12 cells", "16 x 16 positions", "choose a smaller size"}},
      {"image", "0x16", {"input_size of modality \"image\"", "480x480", "\"0x16\""}},
      {"image", "9999x16", {"image.width: 9999, expected 1 to 8192"}},
      {"image", "2x3x4x5", {"at most three numbers"}},
      {"image", "8x16x16", {"expected WIDTHxHEIGHT in pixels, got \"8x16x16\""}},
      {"sound", "8", {"modality \"sound\" is not in the model", "it has: image"}},
  };
  for (const auto& c : kCases) {
    const std::string message(LoadSized(directory, c.size, c.modality).status().message());
    for (const std::string& part : c.expected) EXPECT_THAT(message, HasSubstr(part)) << c.size;
  }
  EXPECT_FALSE(ParseInputSize("image").ok());
  EXPECT_EQ(ParseInputSize("video=16x8x8")->second, "16x8x8");
}

}  // namespace
}  // namespace unival
