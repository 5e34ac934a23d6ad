// The token embedding in its components, and the memory of the rows that a model uses.
#include "backbone/storage/token_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backbone/storage/model_directory.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

testing::AssertionResult Says(const absl::Status& status, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (status.ok() || status.message().find(word) == absl::string_view::npos) {
      return testing::AssertionFailure() << "no \"" << word << "\" in: " << status;
    }
  }
  return testing::AssertionSuccess();
}

VocabularyLayout LayoutOf(int64_t text_size) {
  BaseBlocks blocks;
  blocks.text_size = text_size;
  blocks.location_bins = 3;
  return *BaseLayout(blocks);
}

// A text block of 1.6 MB with rows before and after it; its offsets are not multiples of the page
// size.
VocabularyLayout LargeLayout() {
  auto layout = AddBlocks(LayoutOf(4001), {{"a.bin", 7, "", "a"}, {"b.bin", 300, "", "b"}});
  return *GrowBlock(*layout, "a.bin", {400, "", ""});
}

at::Tensor LargeEmbedding() { return at::rand({LayoutSize(LargeLayout()), 101}); }

std::string Store(const at::Tensor& embedding, const VocabularyLayout& layout) {
  const std::string path = NewFolder() + "/model";
  Manifest manifest;
  manifest.set_name("rows");
  *manifest.mutable_vocabulary() = layout;
  auto writer = *ModelDirectoryWriter::Create(path);
  EXPECT_TRUE(AddTokenComponents(embedding, layout, *writer).ok());
  EXPECT_TRUE(writer->Commit(manifest).ok());
  return path;
}

std::string TextFile(const std::string& model) { return model + "/tokens.core.bpe.safetensors"; }

TEST(TokenRows, SplitAndJoinAreInverseForGrownBlocks) {
  auto layout = AddBlocks(LayoutOf(6), {{"depth.bin", 2, "", "depth"}, {"e.last", 3, "", "e"}});
  layout = GrowBlock(*layout, "depth.bin", {5, "", ""});
  const at::Tensor embedding = at::arange(LayoutSize(*layout) * 4, at::kFloat).view({-1, 4});
  const auto rows = SplitTokenRows(embedding, *layout);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->at("depth.bin").size(0), 5);
  EXPECT_EQ(rows->at("depth.bin")[2][0].item<float>(), 4 * (LayoutSize(*layout) - 3));
  EXPECT_TRUE(at::equal(*JoinTokenRows(*rows, *layout), embedding));
}

TEST(TokenRows, AreStoredPerBlock) {
  const at::Tensor embedding = at::rand({LayoutSize(LayoutOf(6)), 2});
  const std::string path = Store(embedding, LayoutOf(6));
  EXPECT_TRUE(std::filesystem::exists(TextFile(path)));
  EXPECT_TRUE(at::equal(*ReadTokenComponents(**ModelDirectory::Open(path)), embedding));
  EXPECT_TRUE(at::equal(*LoadTokenComponents(**ModelDirectory::Open(path)), embedding));
}

TEST(TokenRows, WhatDoesNotFitIsListed) {
  EXPECT_TRUE(Says(SplitTokenRows(at::rand({3, 2}), LayoutOf(6)).status(), {"[3, 2]", "[14, D]"}));
  TensorMap rows = *SplitTokenRows(at::rand({14, 2}), LayoutOf(6));
  rows.erase("core.mask");
  rows["core.bpe"] = at::rand({5, 2});
  rows["stray.block"] = at::rand({5, 2});
  EXPECT_TRUE(Says(JoinTokenRows(rows, LayoutOf(6)).status(),
                   {"missing: core.mask", "core.bpe", "[6, 2]", "[5, 2]", "extra: stray.block"}));
}

TEST(LoadedTokenRows, AreThoseThatWereStoredAndMostStayInTheirFile) {
  const at::Tensor embedding = LargeEmbedding();
  const std::string path = Store(embedding, LargeLayout());
  const at::Tensor loaded = *LoadTokenComponents(**ModelDirectory::Open(path));
  EXPECT_TRUE(loaded.is_contiguous());
  EXPECT_TRUE(at::equal(loaded, embedding));
  EXPECT_TRUE(MappedFile::CheckUnchangedAt(loaded.data_ptr()).ok());
  std::filesystem::resize_file(TextFile(path), std::filesystem::file_size(TextFile(path)) - 1);
  EXPECT_TRUE(absl::IsDataLoss(MappedFile::CheckUnchangedAt(loaded.data_ptr())));
}

TEST(LoadedTokenRows, MayBeChangedAndTheFilesStay) {
  const at::Tensor embedding = LargeEmbedding();
  const std::string path = Store(embedding, LargeLayout());
  const at::NoGradGuard no_grad;
  at::Tensor loaded = *LoadTokenComponents(**ModelDirectory::Open(path));
  loaded.add_(1);
  EXPECT_TRUE(at::equal(loaded, embedding + 1));
  EXPECT_TRUE(at::equal(*LoadTokenComponents(**ModelDirectory::Open(path)), embedding));
}

TEST(LoadedTokenRows, OfHalvesAreWidened) {
  for (const auto dtype : {at::kHalf, at::kBFloat16}) {
    const at::Tensor embedding = LargeEmbedding().to(dtype);
    const std::string path = Store(embedding, LargeLayout());
    const at::Tensor loaded = *LoadTokenComponents(**ModelDirectory::Open(path));
    EXPECT_EQ(loaded.scalar_type(), at::kFloat);
    EXPECT_TRUE(at::equal(loaded, embedding.to(at::kFloat)));
  }
}

TEST(LoadedTokenRows, ThatAreNoNumbersAreRefusedWithTheirFile) {
  for (const auto dtype : {at::kFloat, at::kHalf}) {
    for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
      for (const int64_t row : {int64_t{4}, LayoutSize(LargeLayout()) - 1}) {
        at::Tensor embedding = LargeEmbedding();
        embedding[row][100] = bad;
        const std::string path = Store(embedding.to(dtype), LargeLayout());
        const auto loaded = LoadTokenComponents(**ModelDirectory::Open(path));
        const std::string block = row == 4 ? "tokens.core.bpe" : "tokens.a.bin";
        EXPECT_TRUE(Says(loaded.status(), {absl::StrCat(path, "/", block, ".safetensors: ", block),
                                           "tensor \"rows\": holds values that are no numbers"}));
      }
    }
  }
}

}  // namespace
}  // namespace unival
