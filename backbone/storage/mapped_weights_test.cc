// Weights that stay in their file (MoveTensorsInto).
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "backbone/storage/safetensors.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

// Large enough to stay in the file; the size is not a multiple of the kernels' alignment.
at::Tensor Weights() { return at::rand({301, 97}); }

struct Stored {
  std::string file;
  at::Tensor weights;
};

Stored Store() {
  Stored stored{NewFolder() + "/w.safetensors", Weights()};
  const TensorMap tensors = {{"a_small_one", at::full({3}, 2.0f)}, {"w", stored.weights}};
  EXPECT_TRUE(WriteSafetensors(stored.file, tensors).ok());
  return stored;
}

TensorMap Targets() { return {{"a_small_one", at::zeros({3})}, {"w", at::zeros({301, 97})}}; }

absl::Status Move(const TensorMap& targets, const std::string& file) {
  return MoveTensorsInto(targets, *ReadSafetensors(file), "part", file);
}

bool IsMapped(const at::Tensor& tensor, const std::string& file) {
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  return absl::IsDataLoss(MappedFile::CheckUnchangedAt(tensor.data_ptr()));
}

TEST(MappedWeights, StayInTheFileAndHaveItsValues) {
  const Stored stored = Store();
  const TensorMap targets = Targets();
  ASSERT_TRUE(Move(targets, stored.file).ok());
  EXPECT_TRUE(targets.at("w").equal(stored.weights));
  EXPECT_EQ(targets.at("a_small_one").sum().item<float>(), 6);
  EXPECT_TRUE(MappedFile::CheckUnchangedAt(targets.at("w").data_ptr()).ok());
  EXPECT_TRUE(IsMapped(targets.at("w"), stored.file));
}

// Like an optimizer: computes gradients of a product and changes weights in place.
TEST(MappedWeights, TrainingThemLeavesTheFile) {
  const Stored stored = Store();
  const std::string bytes = ReadText(stored.file);
  const TensorMap targets = Targets();
  at::Tensor weight = targets.at("w");
  weight.set_requires_grad(true);
  ASSERT_TRUE(Move(targets, stored.file).ok());
  EXPECT_TRUE(weight.requires_grad());
  EXPECT_TRUE(weight.is_leaf());
  for (int step = 0; step < 3; ++step) {
    at::linear(at::rand({5, 97}), weight).square().sum().backward();
    const at::NoGradGuard no_grad;
    weight.sub_(weight.grad(), 0.01);
    weight.mutable_grad() = at::Tensor();
  }
  EXPECT_FALSE(weight.equal(stored.weights));
  EXPECT_EQ(ReadText(stored.file), bytes);
  EXPECT_TRUE(ReadSafetensors(stored.file)->at("w").equal(stored.weights));
  EXPECT_TRUE(MappedFile::CheckUnchangedAt(weight.data_ptr()).ok());
}

TEST(MappedWeights, GiveTheBitsOfCopies) {
  const Stored stored = Store();
  const TensorMap targets = Targets(), copies = Targets();
  ASSERT_TRUE(Move(targets, stored.file).ok());
  ASSERT_TRUE(LoadTensorsInto(copies, *ReadSafetensors(stored.file), "part", stored.file).ok());
  for (const int64_t rows : {1, 5, 64}) {
    const at::Tensor x = at::rand({rows, 97});
    EXPECT_TRUE(at::linear(x, targets.at("w")).equal(at::linear(x, copies.at("w")))) << rows;
  }
}

// A module may have a second tensor with the same memory; it must see the loaded values.
TEST(MappedWeights, WhatSharesItsMemoryIsFilledInPlace) {
  const Stored stored = Store();
  const TensorMap targets = Targets();
  const at::Tensor row = targets.at("w")[7];
  ASSERT_TRUE(Move(targets, stored.file).ok());
  EXPECT_TRUE(row.equal(stored.weights[7]));
}

TEST(MappedWeights, OfAnotherDtypeAreWidened) {
  const std::string file = NewFolder() + "/w.safetensors";
  const at::Tensor weights = Weights();
  ASSERT_TRUE(WriteSafetensors(file, {{"w", weights.to(at::kHalf)}}).ok());
  const TensorMap targets = {{"w", at::zeros({301, 97})}};
  ASSERT_TRUE(Move(targets, file).ok());
  EXPECT_EQ(targets.at("w").scalar_type(), at::kFloat);
  EXPECT_TRUE(targets.at("w").equal(weights.to(at::kHalf).to(at::kFloat)));
}

// Two tensors with values from the same file: changing one must not change the other.
TEST(MappedWeights, TensorsThatSomebodyElseHoldsAreCopied) {
  const at::Tensor live = Weights(), before = live.clone();
  const TensorMap targets = {{"w", at::zeros({301, 97})}};
  ASSERT_TRUE(MoveTensorsInto(targets, {{"w", live}}, "part", "memory").ok());
  at::Tensor(targets.at("w")).mul_(2);
  EXPECT_TRUE(live.equal(before));
  const at::Tensor view = at::Tensor(live).view({301, 97});
  ASSERT_TRUE(MoveTensorsInto(targets, {{"w", live.view({301, 97})}}, "part", "memory").ok());
  at::Tensor(targets.at("w")).mul_(2);
  EXPECT_TRUE(view.equal(before));
}

TEST(MappedWeights, NothingIsMovedUnlessEverythingFits) {
  const Stored stored = Store();
  const TensorMap targets = {{"w", at::zeros({301, 97})}};  // the file has one more
  EXPECT_TRUE(absl::IsInvalidArgument(Move(targets, stored.file)));
  EXPECT_EQ(targets.at("w").abs().sum().item<float>(), 0);
}

TEST(MappedWeights, ThatAreNoNumbersAreRefused) {
  const std::string file = NewFolder() + "/w.safetensors";
  at::Tensor weights = Weights();
  weights[300][96] = std::nanf("");
  ASSERT_TRUE(WriteSafetensors(file, {{"w", weights}}).ok());
  const absl::Status status = Move({{"w", at::zeros({301, 97})}}, file);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("no numbers"), absl::string_view::npos) << status;
}

TEST(MappedWeights, OfAFileThatIsCutAreAnErrorAndNotTheEnd) {
  const Stored stored = Store();
  const TensorMap targets = Targets();
  ASSERT_TRUE(Move(targets, stored.file).ok());
  std::filesystem::resize_file(stored.file, 5000);
  EXPECT_TRUE(std::isfinite(targets.at("w").sum().item<float>()));  // no SIGBUS
  const absl::Status status = MappedFile::CheckUnchangedAt(targets.at("w").data_ptr());
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find("cut off"), absl::string_view::npos) << status;
}

TEST(MappedWeights, OfAFileThatIsWrittenToAreAnErrorOfOneThatIsReplacedNot) {
  const Stored stored = Store();
  const TensorMap targets = Targets(), others = Targets();
  ASSERT_TRUE(Move(targets, stored.file).ok());
  const std::string bytes = ReadText(stored.file);
  ASSERT_TRUE(WriteSafetensors(stored.file, {{"w", Weights()}}).ok());  // in place of the old one
  EXPECT_TRUE(MappedFile::CheckUnchangedAt(targets.at("w").data_ptr()).ok());
  EXPECT_TRUE(targets.at("w").equal(stored.weights));
  WriteText(stored.file, bytes);
  ASSERT_TRUE(Move(others, stored.file).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a tick of the file system's clock
  std::fstream(stored.file, std::ios::in | std::ios::out).put('x').flush();
  const absl::Status status = MappedFile::CheckUnchangedAt(others.at("w").data_ptr());
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find("written to"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace unival
