// Weights that are used directly from their files, and cached hashes of these files, tested through
// the public functions.
#include "runtime/weight_files.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "backbone/storage/model_directory.h"
#include "runtime/pipeline.h"
#include "sdk/base/file_state.h"
#include "sdk/base/sha256.h"
#include "sdk/base/test_files.h"
#include "sdk/base/text_format.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

// Its largest file has 2 MB, its other tensors are large enough to stay in their files.
constexpr char kTextModel[] = R"(
name: "text"
backbone {
  d_model: 128 ffn_dim: 512 heads: 4 encoder_layers: 1 decoder_layers: 1
  token_bucket_size: 16 image_bucket_size: 4 max_positions: 32 attn_scale_factor: 2
  type_rows: 2 add_type_embedding: true encoder_pre_norm: true decoder_pre_norm: true
}
tokenizer { type: "sentencepiece" directory: "tokenizer" block: "core.bpe" }
)";

const Runtime& SharedRuntime() {
  static const Runtime* const runtime = Runtime::Create({}).value().release();
  return *runtime;
}

std::string NewModel(const std::string& name = "") {
  Manifest manifest;
  EXPECT_TRUE(ParseTextProto(kTextModel, "test", &manifest).ok());
  const std::string folder = NewFolder(name) + "/text";
  auto model = Model::CreateFresh(manifest, "models/nano/tokenizer", 1, SharedRuntime());
  EXPECT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE((*model)->Save(folder, Lineage(), /*half=*/false).ok());
  return folder;
}

PipelineOptions Options(const std::string& model) {
  PipelineOptions options;
  options.model = model;
  options.templates = {"tasks/templates/quickstart.textproto"};
  options.task = "text_copy";
  return options;
}

absl::StatusOr<Prediction> Answer(Pipeline& pipeline) {
  TaskSample sample;
  sample.key = "one";
  sample.fields["text"] = std::string("a red circle");
  return pipeline.Predict("text_copy", sample);
}

std::map<std::string, std::string> FilesOf(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) files[entry.path().filename()] = ReadText(entry.path().string());
  }
  return files;
}

TEST(WeightFiles, ChangingLoadedWeightsLeavesTheFiles) {
  const std::string folder = NewModel();
  const auto before = FilesOf(folder);
  auto model = Model::Load(folder, SharedRuntime());
  ASSERT_TRUE(model.ok()) << model.status();
  const std::string hash = (*model)->PartHash("backbone").value();
  const at::NoGradGuard no_grad;
  for (NamedTensor& named : (*model)->State()) {
    if (named.tensor.is_floating_point()) named.tensor.add_(0.125);
  }
  EXPECT_NE((*model)->PartHash("backbone").value(), hash);
  EXPECT_EQ(FilesOf(folder), before);
  EXPECT_TRUE(CheckWeightFiles(**model).ok());
  const auto again = Model::Load(folder, SharedRuntime());
  EXPECT_EQ((*again)->PartHash("backbone").value(), hash);
}

TEST(WeightFiles, AModelCanBeWrittenWhereItCameFrom) {
  const std::string folder = NewModel();
  auto model = Model::Load(folder, SharedRuntime());
  ASSERT_TRUE(model.ok()) << model.status();
  const std::string hash = (*model)->PartHash("backbone").value();
  ASSERT_TRUE((*model)->Save(folder, Lineage(), /*half=*/true).ok());
  EXPECT_TRUE(CheckWeightFiles(**model).ok()) << CheckWeightFiles(**model);
  EXPECT_EQ((*model)->PartHash("backbone").value(), hash);
}

TEST(WeightFiles, ThatAreCutAreAnErrorOfThePrediction) {
  const std::string folder = NewModel(), file = folder + "/backbone.safetensors";
  auto pipeline = Pipeline::Create(Options(folder));
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  EXPECT_TRUE(Answer(**pipeline).ok()) << Answer(**pipeline).status();
  std::filesystem::resize_file(file, 8192);
  const absl::Status status = Answer(**pipeline).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(file));
}

TEST(WeightFiles, ThatAreWrittenToAreAnErrorOfThePrediction) {
  const std::string folder = NewModel(), file = folder + "/backbone.safetensors";
  auto pipeline = Pipeline::Create(Options(folder));
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a tick of the file system's clock
  std::fstream(file, std::ios::in | std::ios::out).seekp(8192).put('x').flush();
  const absl::Status status = Answer(**pipeline).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST(WeightFiles, AreHashedOnceWhereThatIsRemembered) {
  const std::string folder = NewModel(), file = folder + "/backbone.safetensors";
  while (ChangedJustNow(file)) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  PipelineOptions options = Options(folder);
  options.hash_memory = NewFolder("remembered") + "/hashes";
  const uint64_t size = std::filesystem::file_size(file);
  const auto hashed = [&] {
    const uint64_t before = Sha256::TotalBytes();
    EXPECT_TRUE(Pipeline::Create(options).ok());
    return Sha256::TotalBytes() - before;
  };
  EXPECT_GE(hashed(), size);
  EXPECT_LT(hashed(), size);
  options.verify = true;
  EXPECT_GE(hashed(), size);
  options.verify = false;
  std::fstream(file, std::ios::in | std::ios::out).seekp(-1, std::ios::end).put('x').flush();
  EXPECT_TRUE(absl::IsDataLoss(Pipeline::Create(options).status()));
}

// A model whose `file` holds `bad` as the last number of its first tensor, with the hash that fits.
std::string NewModelWith(const std::string& file, float bad) {
  const std::string folder = NewModel(absl::StrCat(file, bad));
  const auto before = *ModelDirectory::Open(folder);
  TensorMap tensors = *before->ReadComponent(file);
  at::Tensor tensor = tensors.begin()->second.clone();
  tensor.flatten()[-1] = bad;
  tensors.begin()->second = tensor;
  auto writer = *ModelDirectoryWriter::Create(folder, {/*overwrite=*/true});
  for (const std::string& id : before->ComponentIds()) {
    EXPECT_TRUE(
        (id == file ? writer->AddTensors(id, tensors) : writer->CopyComponent(*before, id)).ok());
  }
  EXPECT_TRUE(writer->Commit(before->manifest()).ok());
  return folder;
}

TEST(WeightFiles, ThatAreNoNumbersAreRefusedAlsoWhereMuchIsRemembered) {
  std::map<std::string, std::string> files;  // the damaged component by the model's folder
  for (const std::string file : {"backbone", "tokens.core.bpe"}) {
    for (const float bad : {std::nanf(""), INFINITY}) files[NewModelWith(file, bad)] = file;
  }
  PipelineOptions options;
  options.hash_memory = NewFolder("remembered_numbers") + "/hashes";
  for (const auto& [folder, component] : files) {
    const std::string file = absl::StrCat(folder, "/", component, ".safetensors");
    while (ChangedJustNow(file)) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const std::string memory = options.hash_memory;
    options = Options(folder);
    options.hash_memory = memory;
    for (int start = 0; start < 2; ++start) {
      const absl::Status status = Pipeline::Create(options).status();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat(file, ": ", component)));
      EXPECT_THAT(std::string(status.message()), HasSubstr("tensor \""));
    }
  }
}

TEST(WeightFiles, AnswersAreTheSameWhereAllIsRemembered) {
  const std::string folder = NewModel();
  const std::string file = folder + "/backbone.safetensors";
  while (ChangedJustNow(file)) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  PipelineOptions options = Options(folder);
  const auto plain = Answer(**Pipeline::Create(options));
  options.hash_memory = NewFolder("remembered_all") + "/hashes";
  for (int start = 0; start < 2; ++start) {
    const auto remembered = Answer(**Pipeline::Create(options));
    ASSERT_TRUE(remembered.ok()) << remembered.status();
    EXPECT_EQ(remembered->text, plain->text);
    EXPECT_EQ(remembered->score, plain->score);
  }
}

}  // namespace
}  // namespace unival
