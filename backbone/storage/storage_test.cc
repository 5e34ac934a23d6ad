// Files on disk: safetensors, model directories, and how a model is divided into components.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/safetensors.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/files.h"
#include "sdk/base/sha256.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

std::string Fresh(const std::string& name) {
  const fs::path path = fs::path(::testing::TempDir()) / name;
  fs::remove_all(path);
  return path.string();
}

int EntriesIn(const fs::path& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

testing::AssertionResult Says(const absl::Status& status, std::vector<std::string> words) {
  for (const std::string& word : words) {
    if (status.ok() || status.message().find(word) == absl::string_view::npos) {
      return testing::AssertionFailure() << "no \"" << word << "\" in: " << status;
    }
  }
  return testing::AssertionSuccess();
}

TensorMap EveryDtype() {
  at::manual_seed(7);
  TensorMap tensors;
  for (auto [name, dtype] :
       std::vector<std::pair<std::string, at::ScalarType>>{{"bool", at::kBool},
                                                           {"u8", at::kByte},
                                                           {"i8", at::kChar},
                                                           {"i16", at::kShort},
                                                           {"i32", at::kInt},
                                                           {"i64", at::kLong},
                                                           {"f16", at::kHalf},
                                                           {"bf16", at::kBFloat16},
                                                           {"f32", at::kFloat},
                                                           {"f64", at::kDouble}}) {
    tensors[name] = at::randint(0, 2, {3, 5}).to(dtype);
  }
  tensors["scalar"] = at::scalar_tensor(2.5);
  tensors["empty"] = at::empty({0, 4});
  return tensors;
}

void ExpectSame(const TensorMap& actual, const TensorMap& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_EQ(actual.count(name), 1u) << name;
    EXPECT_EQ(actual.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(actual.at(name), tensor)) << name;
  }
}

TEST(Safetensors, EveryDtypeComesBack) {
  const std::string path = Fresh("every.safetensors");
  ASSERT_TRUE(WriteSafetensors(path, EveryDtype(), {{"format", "pt"}}).ok());
  const auto contents = ReadSafetensorsFile(path);
  ASSERT_TRUE(contents.ok()) << contents.status();
  ExpectSame(contents->tensors, EveryDtype());
  EXPECT_EQ(contents->metadata.at("format"), "pt");
}

TEST(Safetensors, SameTensorsGiveTheSameBytesAndAlignedData) {
  const std::string a = Fresh("a.safetensors"), b = Fresh("b.safetensors");
  ASSERT_TRUE(WriteSafetensors(a, EveryDtype()).ok());
  ASSERT_TRUE(WriteSafetensors(b, EveryDtype()).ok());
  EXPECT_EQ(ReadText(a), ReadText(b));
  const auto tensors = ReadSafetensors(a);
  for (const auto& [name, tensor] : *tensors) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data_ptr()) % tensor.element_size(), 0u) << name;
  }
}

TEST(Safetensors, StridedAndGradientTensorsAreWrittenAsTheyRead) {
  const std::string path = Fresh("strided.safetensors");
  const at::Tensor wide = at::arange(24, at::kFloat).view({4, 6});
  const at::Tensor gradient = at::ones({2}).requires_grad_();
  ASSERT_TRUE(
      WriteSafetensors(path, {{"t", wide.t()}, {"n", wide.narrow(1, 2, 3)}, {"g", gradient}}).ok());
  const auto tensors = ReadSafetensors(path);
  ASSERT_TRUE(tensors.ok());
  EXPECT_TRUE(at::equal(tensors->at("t"), wide.t()));
  EXPECT_TRUE(at::equal(tensors->at("n"), wide.narrow(1, 2, 3)));
  EXPECT_FALSE(tensors->at("g").requires_grad());
}

TEST(Safetensors, TensorsOutliveTheFileAndNeverChangeIt) {
  const std::string path = Fresh("outlive.safetensors");
  ASSERT_TRUE(WriteSafetensors(path, {{"x", at::ones({1000})}}).ok());
  const std::string before = ReadText(path);
  at::Tensor x = ReadSafetensors(path)->at("x");
  x.add_(1);
  EXPECT_EQ(x.sum().item<float>(), 2000);
  EXPECT_EQ(ReadText(path), before);
  fs::remove(path);
  EXPECT_EQ(x.sum().item<float>(), 2000);
}

TEST(Safetensors, OddAlignmentIsCopied) {
  // Written by others: a byte before the floats.
  const std::string path = Fresh("odd.safetensors");
  const std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                             R"("b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})";
  const float values[2] = {1.5f, -2.0f};
  WriteText(path, std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header +
                      "\x05" + std::string(reinterpret_cast<const char*>(values), sizeof(values)));
  const auto tensors = ReadSafetensors(path);
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  EXPECT_EQ(tensors->at("b")[1].item<float>(), -2.0f);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensors->at("b").data_ptr()) % 4, 0u);
}

TEST(Safetensors, ABoolThatIsNeitherIsRefused) {
  const std::string path = Fresh("bool.safetensors");
  ASSERT_TRUE(WriteSafetensors(path, {{"b", at::ones({3}, at::kBool)}}).ok());
  std::string bytes = ReadText(path);
  bytes.back() = 2;
  WriteText(path, bytes);
  EXPECT_TRUE(Says(ReadSafetensors(path).status(), {path, "\"b\"", "bool"}));
}

TEST(Safetensors, MissingFilesFoldersAndTruncationAreNamed) {
  EXPECT_EQ(ReadSafetensors("nowhere.safetensors").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(Says(ReadSafetensors(::testing::TempDir()).status(), {"regular file"}));
  const std::string path = Fresh("cut.safetensors");
  ASSERT_TRUE(WriteSafetensors(path, EveryDtype()).ok());
  const std::string bytes = ReadText(path);
  for (size_t size : {size_t{0}, size_t{5}, size_t{8}, size_t{100}, bytes.size() - 1}) {
    WriteText(path, bytes.substr(0, size));
    EXPECT_TRUE(Says(ReadSafetensors(path).status(), {path})) << size;
  }
  WriteText(path, bytes + "x");
  EXPECT_TRUE(Says(ReadSafetensors(path).status(), {path, "end at byte"}));
}

TEST(Safetensors, WhatTheFormatCannotHoldIsNamed) {
  const std::string path = Fresh("refused.safetensors");
  EXPECT_TRUE(Says(WriteSafetensors(path, {{"c", at::zeros({2}, at::kComplexFloat)}}), {"\"c\""}));
  EXPECT_TRUE(Says(WriteSafetensors(path, {{"u", at::Tensor()}}), {"\"u\"", "undefined"}));
  EXPECT_FALSE(WriteSafetensors(path, {{"__metadata__", at::ones({1})}}).ok());
  EXPECT_FALSE(fs::exists(path));
}

TEST(Safetensors, AFailedWriteLeavesTheOldFileAndNoRest) {
  const std::string folder = Fresh("failed_write");
  fs::create_directories(folder + "/taken");
  EXPECT_FALSE(WriteSafetensors(folder + "/taken", {{"x", at::ones({1})}}).ok());
  EXPECT_EQ(EntriesIn(folder), 1);
  EXPECT_EQ(WriteSafetensors(folder + "/none/x", {{"x", at::ones({1})}}).code(),
            absl::StatusCode::kNotFound);
}

TEST(TensorsSha256, DependsOnNameDtypeShapeAndBytesOnly) {
  const at::Tensor x = at::arange(6, at::kFloat);
  const std::string hash = *TensorsSha256({{"x", x.view({2, 3})}});
  EXPECT_EQ(hash, *TensorsSha256({{"x", x.view({2, 3}).t().contiguous().t()}}));
  EXPECT_NE(hash, *TensorsSha256({{"y", x.view({2, 3})}}));
  EXPECT_NE(hash, *TensorsSha256({{"x", x.view({3, 2})}}));
  EXPECT_NE(hash, *TensorsSha256({{"x", x.view({2, 3}).to(at::kInt)}}));
  EXPECT_NE(hash, *TensorsSha256({{"x", (x + 1).view({2, 3})}}));
}

TEST(TensorsSha256AsLoaded, IsTheHashOfTheWidenedTensors) {
  const at::Tensor x = at::arange(6, at::kFloat), n = at::arange(3, at::kLong);
  const std::string loaded = *TensorsSha256({{"n", n}, {"x", x}});
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16, at::kFloat}) {
    EXPECT_EQ(*TensorsSha256AsLoaded({{"n", n}, {"x", x.to(dtype)}}), loaded);
  }
  EXPECT_NE(*TensorsSha256AsLoaded({{"n", n}, {"x", x.to(at::kDouble)}}), loaded);
  EXPECT_NE(*TensorsSha256AsLoaded({{"n", n.to(at::kInt)}, {"x", x}}), loaded);
  for (const at::Tensor& unfit : {at::Tensor(), x.to_sparse()}) {
    const absl::Status status = TensorsSha256AsLoaded({{"x", unfit}}).status();
    EXPECT_NE(std::string(status.message()).find("\"x\""), std::string::npos) << status;
  }
}

TEST(LoadTensorsInto, CopiesAndWidensHalves) {
  TensorMap targets = {{"w", at::zeros({2, 2})}, {"n", at::zeros({1}, at::kLong)}};
  const TensorMap tensors = {{"w", at::full({2, 2}, 0.5, at::kHalf)},
                             {"n", at::ones({1}, at::kLong)}};
  targets.at("w").requires_grad_();
  ASSERT_TRUE(LoadTensorsInto(targets, tensors, "backbone", "m.safetensors").ok());
  EXPECT_EQ(targets.at("w").sum().item<float>(), 2.0f);
  EXPECT_EQ(targets.at("n").item<int64_t>(), 1);
}

TEST(LoadTensorsInto, ListsEveryDifferenceAndCopiesNothing) {
  const TensorMap targets = {{"same", at::zeros({1})},
                             {"gone", at::zeros({4})},
                             {"shape", at::zeros({2, 3})},
                             {"dtype", at::zeros({1})}};
  const TensorMap tensors = {{"same", at::ones({1})},
                             {"more", at::ones({5})},
                             {"shape", at::ones({3, 2})},
                             {"dtype", at::ones({1}, at::kLong)}};
  const absl::Status status = LoadTensorsInto(targets, tensors, "adapter.depth", "m.safetensors");
  EXPECT_TRUE(Says(status, {"m.safetensors", "adapter.depth", "4 differences", "missing: gone",
                            "extra: more", "shape: expected Float [2, 3], got Float [3, 2]",
                            "dtype: expected Float [1], got Long [1]"}));
  EXPECT_EQ(targets.at("same").item<float>(), 0.0f);
}

TEST(LoadTensorsInto, NeverNarrows) {
  EXPECT_FALSE(
      LoadTensorsInto({{"w", at::zeros({1}, at::kHalf)}}, {{"w", at::ones({1})}}, "c", "f").ok());
}

VocabularyLayout SmallLayout() {
  BaseBlocks blocks;
  blocks.text_size = 6;
  blocks.location_bins = 3;
  return *BaseLayout(blocks);
}

Manifest SmallManifest() {
  Manifest manifest;
  manifest.set_name("small");
  manifest.mutable_backbone()->set_d_model(2);
  *manifest.mutable_vocabulary() = SmallLayout();
  return manifest;
}

absl::Status WriteModel(const std::string& path, float value, bool overwrite = false) {
  auto writer = ModelDirectoryWriter::Create(path, {overwrite});
  if (!writer.ok()) return writer.status();
  EXPECT_TRUE((*writer)->AddTensors("backbone", {{"w", at::full({3}, value)}}).ok());
  EXPECT_TRUE((*writer)->AddFolder("tokenizer", {{"tokenizer.model", "m"}, {"sub/x", "y"}}).ok());
  return (*writer)->Commit(SmallManifest());
}

TEST(ModelDirectory, ComesBackAsWritten) {
  const std::string path = Fresh("model");
  ASSERT_TRUE(WriteModel(path, 4).ok());
  const auto model = ModelDirectory::Open(path);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->manifest().name(), "small");
  EXPECT_EQ((*model)->manifest().format_version(), 1);
  EXPECT_EQ((*model)->ComponentIds(), std::vector<std::string>({"backbone", "tokenizer"}));
  ASSERT_TRUE((*model)->Verify().ok()) << (*model)->Verify();
  EXPECT_EQ((*model)->ReadComponent("backbone")->at("w").sum().item<float>(), 12);
  EXPECT_EQ(ReadText(*(*model)->ComponentPath("tokenizer") + "/sub/x"), "y");
  EXPECT_TRUE(Says((*model)->ReadComponent("adapter.depth").status(),
                   {"adapter.depth", "backbone, tokenizer"}));
}

TEST(ModelDirectory, IsReplacedOnlyOnRequestAndInOneStep) {
  const std::string folder = Fresh("replace"), path = folder + "/model";
  fs::create_directories(folder);
  ASSERT_TRUE(WriteModel(path, 1).ok());
  EXPECT_EQ(WriteModel(path, 2).code(), absl::StatusCode::kAlreadyExists);
  const at::Tensor old = (*ModelDirectory::Open(path))->ReadComponent("backbone")->at("w");
  ASSERT_TRUE(WriteModel(path + "/", 2, true).ok());
  EXPECT_EQ((*ModelDirectory::Open(path))->ReadComponent("backbone")->at("w")[0].item<float>(), 2);
  EXPECT_EQ(old[0].item<float>(), 1);  // still mapped
  EXPECT_EQ(EntriesIn(folder), 1);     // neither the temporary folder nor the old one is left
}

TEST(ModelDirectory, SomebodysFolderIsNeverReplaced) {
  const std::string path = Fresh("photos");
  fs::create_directories(path);
  WriteText(path + "/cat.jpg", "meow");
  EXPECT_EQ(WriteModel(path, 1, true).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReadText(path + "/cat.jpg"), "meow");
}

TEST(ModelDirectory, AnAbandonedWriterLeavesNothing) {
  const std::string folder = Fresh("abandoned");
  fs::create_directories(folder);
  {
    auto writer = ModelDirectoryWriter::Create(folder + "/model");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->AddTensors("backbone", {{"w", at::ones({3})}}).ok());
    EXPECT_EQ((*writer)->AddTensors("backbone", {}).code(), absl::StatusCode::kAlreadyExists);
    EXPECT_FALSE((*writer)->AddTensors("../escape", {}).ok());
    EXPECT_FALSE((*writer)->Commit(Manifest()).ok());  // no vocabulary
  }
  EXPECT_EQ(EntriesIn(folder), 0);
}

TEST(ModelDirectory, ADamagedComponentIsNamedWithBothHashes) {
  const std::string path = Fresh("damaged");
  ASSERT_TRUE(WriteModel(path, 4).ok());
  const std::string file = path + "/backbone.safetensors";
  std::string bytes = ReadText(file);
  bytes.back() ^= 1;
  WriteText(file, bytes);
  const auto model = ModelDirectory::Open(path);
  ASSERT_TRUE(model.ok());
  const absl::Status status = (*model)->ReadComponent("backbone").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(Says(status, {file, Sha256Hex(bytes), (*model)->manifest().component(0).sha256()}));
  EXPECT_FALSE((*model)->Verify().ok());
  EXPECT_TRUE((*ModelDirectory::Open(path, {false}))->ReadComponent("backbone").ok());
  fs::remove(file);
  EXPECT_EQ((*model)->ReadComponent("backbone").status().code(), absl::StatusCode::kNotFound);
}

TEST(ModelDirectory, ManifestErrorsHaveFileAndLine) {
  const std::string path = Fresh("bad_manifest"), file = path + "/manifest.textproto";
  EXPECT_EQ(ModelDirectory::Open(path).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(WriteModel(path, 1).ok());
  const std::string good = ReadText(file);
  auto status_of = [&](const std::string& text) {
    WriteText(file, text);
    return ModelDirectory::Open(path).status();
  };
  EXPECT_TRUE(Says(status_of("name: \"x\"\nnmae: \"y\"\n"), {file + ":2:", "nmae"}));
  EXPECT_TRUE(Says(status_of(good + "format_version"), {file + ":"}));
  EXPECT_TRUE(Says(status_of("name: \"x\""), {file, "format_version 0, expected 1"}));
  EXPECT_EQ(status_of("format_version: 2").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Says(status_of(good + "component { id: \"backbone\" file: \"b\" }"), {"twice"}));
  for (const char* escape : {"/etc/passwd", "../x", "a/../../x", ""}) {
    EXPECT_TRUE(Says(status_of(good + "component { id: \"x\" file: \"" + escape + "\" }"),
                     {file, "inside the model directory"}));
  }
  EXPECT_TRUE(Says(status_of("format_version: 1"), {file, "core.special"}));
}

TEST(ModelDirectory, AComponentBehindALinkThatLeadsOutIsRefused) {
  const std::string folder = Fresh("linked"), path = folder + "/model";
  fs::create_directories(folder);
  ASSERT_TRUE(WriteModel(path, 1).ok());
  fs::rename(path + "/backbone.safetensors", folder + "/elsewhere");
  fs::create_symlink("../elsewhere", path + "/backbone.safetensors");
  EXPECT_TRUE(Says((*ModelDirectory::Open(path))->ReadComponent("backbone").status(),
                   {path + "/manifest.textproto", "backbone", "leads out of the folder"}));
}

TEST(ModelDirectory, AComponentOfATerabyteIsRefusedInNoTime) {
  for (const char* file : {"backbone.safetensors", "tokenizer/tokenizer.model"}) {
    const std::string path = Fresh("sparse");
    ASSERT_TRUE(WriteModel(path, 1).ok());
    fs::resize_file(path + "/" + file, uint64_t{1} << 40);
    EXPECT_TRUE(Says((*ModelDirectory::Open(path))->Verify(), {path + "/" + file}));
  }
}

TEST(ModelDirectory, WhatAKilledWriterLeftIsRemovedByTheNext) {
  const std::string folder = Fresh("killed"), path = folder + "/model";
  const pid_t ended = fork();
  if (ended == 0) _exit(0);
  waitpid(ended, nullptr, 0);
  const std::string stray = absl::StrCat(folder, "/.model.new.", ended, ".0");
  WriteText(stray + "/backbone.safetensors", "half");
  // Does not remove folders of a running process, of another model, or a model that was moved away.
  for (const std::string& kept :
       {absl::StrCat(folder, "/.model.new.", getppid(), ".0"),
        absl::StrCat(folder, "/.other.new.", ended, ".0"), absl::StrCat(stray, ".old")}) {
    WriteText(kept + "/file", "kept");
  }
  ASSERT_TRUE(WriteModel(path, 1).ok());
  EXPECT_FALSE(fs::exists(stray));
  EXPECT_EQ(EntriesIn(folder), 4);
}

TEST(ModelDirectory, ComponentsAreTakenOverByteForByte) {
  const std::string a = Fresh("copy_a"), b = Fresh("copy_b");
  ASSERT_TRUE(WriteModel(a, 3).ok());
  const auto from = *ModelDirectory::Open(a);
  auto writer = *ModelDirectoryWriter::Create(b);
  ASSERT_TRUE(writer->CopyComponent(*from, "backbone").ok());
  ASSERT_TRUE(writer->CopyComponent(*from, "tokenizer").ok());
  EXPECT_FALSE(writer->CopyComponent(*from, "none").ok());
  ASSERT_TRUE(writer->Commit(from->manifest()).ok());
  EXPECT_EQ(ReadText(a + "/manifest.textproto"), ReadText(b + "/manifest.textproto"));
  EXPECT_EQ(ReadText(a + "/backbone.safetensors"), ReadText(b + "/backbone.safetensors"));
  EXPECT_EQ(ReadText(b + "/tokenizer/sub/x"), "y");
}

// Bytes hashed while `body` runs.
template <typename Body>
uint64_t HashedBy(Body body) {
  const uint64_t before = Sha256::TotalBytes();
  body();
  return Sha256::TotalBytes() - before;
}

TEST(ModelDirectory, WeightsAreHashedOnceWhenWrittenOnceWhenReadAndOnceWhenCopied) {
  const std::string a = Fresh("hashed_a"), b = Fresh("hashed_b");
  auto writer = *ModelDirectoryWriter::Create(a);
  const TensorMap weights = {{"w", at::rand({1000, 25})}};
  const uint64_t written =
      HashedBy([&] { ASSERT_TRUE(writer->AddTensors("backbone", weights).ok()); });
  ASSERT_TRUE(writer->Commit(SmallManifest()).ok());
  const uint64_t size = fs::file_size(a + "/backbone.safetensors");
  EXPECT_EQ(written, size) << "not read back";
  const auto from = *ModelDirectory::Open(a);
  EXPECT_EQ(from->manifest().component(0).sha256(), *Sha256OfPath(a + "/backbone.safetensors"));
  EXPECT_EQ(HashedBy([&] {
              ASSERT_TRUE(from->ReadComponent("backbone").ok());
              ASSERT_TRUE(from->ReadComponent("backbone").ok());
            }),
            size);
  auto copy = *ModelDirectoryWriter::Create(b);
  EXPECT_EQ(HashedBy([&] { ASSERT_TRUE(copy->CopyComponent(*from, "backbone").ok()); }), 0u)
      << "the source was compared already";
}

}  // namespace
}  // namespace unival
