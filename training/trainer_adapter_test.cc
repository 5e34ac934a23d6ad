// Trains an adapter of every kind and checks what all kinds must do; the tests are the same for
// all.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/adapters/adapter_config.h"
#include "backbone/layers/packed_weights.h"
#include "backbone/storage/adapter_copy.h"
#include "backbone/storage/adapter_edit.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "sdk/base/text_format.h"
#include "training/trainer_adapter_tests.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class AdapterTest : public ::testing::TestWithParam<AdapterCase> {};

INSTANTIATE_TEST_SUITE_P(Kinds, AdapterTest, ::testing::ValuesIn(AdapterCases()),
                         [](const auto& one) { return one.param.name; });

TEST(AdaptersTest, EveryKindIsTested) {
  std::vector<std::string> tested;
  for (const AdapterCase& one : AdapterCases()) tested.push_back(one.name);
  EXPECT_THAT(AdapterKindNames(), ::testing::UnorderedElementsAreArray(tested));
}

TEST_P(AdapterTest, OnlyItsOwnTensorsChangeAndTheReceiptHolds) {
  const std::string output = Trained(GetParam());
  const Receipt receipt = ReadReceipt(output);
  EXPECT_EQ(receipt.frozen_changed, 0);
  EXPECT_GT(receipt.trainable_changed, 0);
  int64_t own = 0;
  for (const ReceiptEntry& entry : receipt.entries) {
    const bool is_own = absl::StartsWith(entry.before.name, "adapter." + GetParam().name + ".");
    EXPECT_EQ(entry.role == TensorRole::kTrainable, is_own) << entry.before.name;
    EXPECT_EQ(entry.fresh, is_own) << entry.before.name;
    own += is_own;
  }
  EXPECT_GT(own, 0);
  auto check = VerifyReceipt(InWorld(output + "/receipt.json"), InWorld(output + "/model"),
                             InWorld("base/model"), TheRuntime());
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_TRUE(check->ok()) << check->problems.front();
  EXPECT_TRUE(check->plan_compared && check->base_compared);
  EXPECT_EQ(check->compared_with_base, check->tensors - own);
}

TEST_P(AdapterTest, AStoppedRunEndsWithTheSameBits) {
  const TrainingPlan plan = PlanOf(GetParam());
  const std::string stopped = FreshOutput(GetParam().name + "_stopped");
  TrainOptions options = Options(World(), plan, stopped);
  for (const int64_t stop : {1, 7, 0}) {
    options.stop_after_step = stop;
    TrainOk(options);
    options.resume = true;
  }
  EXPECT_EQ(After(stopped), After(Trained(GetParam())));
  EXPECT_EQ(Losses(stopped), Losses(Trained(GetParam())));
}

TEST_P(AdapterTest, TakenAwayItLeavesTheBaseToTheBit) {
  const at::Tensor base = LogitsOf(*LoadOk("base/model"));
  const auto model = LoadOk(Trained(GetParam()) + "/model");
  EXPECT_GT(LargestDifference(LogitsOf(*model), base), 1e-4) << "it does something";
  EXPECT_TRUE(model->RemoveAdapter(GetParam().name).ok());
  EXPECT_TRUE(LogitsOf(*model).equal(base));
  EXPECT_THAT(model->adapter_ids(), ::testing::IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(model->RemoveAdapter(GetParam().name)));
  // The same in the directory.
  const std::string plain = FreshOutput(GetParam().name + "_plain");
  const AdapterRemoval removal{InWorld(Trained(GetParam()) + "/model"), GetParam().name,
                               InWorld(plain)};
  const absl::Status removed = RemoveAdapter(removal);
  ASSERT_TRUE(removed.ok()) << removed;
  EXPECT_TRUE(LogitsOf(*LoadOk(plain)).equal(base));
  const auto before = ModelDirectory::Open(InWorld("base/model")).value();
  const auto after = ModelDirectory::Open(InWorld(plain)).value();
  for (const std::string& id : before->ComponentIds()) {
    if (id == "templates" || absl::StartsWith(id, "adapter.")) continue;  // written anew by the run
    EXPECT_EQ(before->ComponentSha256(id).value(), after->ComponentSha256(id).value()) << id;
  }
  // And when it is left out while loading.
  ModelLoadOptions without;
  without.without_adapters = {GetParam().name};
  EXPECT_TRUE(LogitsOf(*LoadOk(Trained(GetParam()) + "/model", without)).equal(base));
}

TEST_P(AdapterTest, AFreshOneSaysWhatItDoes) {
  const auto model = LoadOk("base/model");
  const at::Tensor base = LogitsOf(*model);
  ASSERT_TRUE(model->AddAdapter(ParseConfig(GetParam().fields), 1).ok());
  const bool starts_as_base = GetParam().name != "prefix";
  EXPECT_EQ(LogitsOf(*model).equal(base), starts_as_base);
}

TEST_P(AdapterTest, SavedAndLoadedItGivesTheSame) {
  const auto model = LoadOk(Trained(GetParam()) + "/model");
  const at::Tensor logits = LogitsOf(*model);
  const std::string again = FreshOutput(GetParam().name + "_again");
  const absl::Status saved = model->Save(InWorld(again), Lineage(), /*half=*/false);
  ASSERT_TRUE(saved.ok()) << saved;
  EXPECT_TRUE(LogitsOf(*LoadOk(again)).equal(logits));
  // Its file alone, beside the base.
  ModelLoadOptions with;
  with.adapter_files = {FileOf(Trained(GetParam()), GetParam().name)};
  EXPECT_TRUE(LogitsOf(*LoadOk("base/model", with)).equal(logits));
  // Copied into the directory of the base.
  AdapterCopy copy;
  copy.from = InWorld(again);
  copy.modality = GetParam().name;
  copy.into = InWorld("base/model");
  copy.output = InWorld(FreshOutput(GetParam().name + "_copied"));
  const auto copied = CopyAdapter(copy);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_TRUE(LogitsOf(*LoadOk(GetParam().name + "_copied")).equal(logits));
}

TEST_P(AdapterTest, ItsFileSaysWhatItIsBoundTo) {
  const auto file = ReadAdapterFile(FileOf(Trained(GetParam()), GetParam().name));
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->record.has_value());
  const auto model = ModelDirectory::Open(InWorld(Trained(GetParam()) + "/model")).value();
  EXPECT_EQ(PrintTextProto(*file->record),
            PrintTextProto(*FindAdapter(model->manifest(), GetParam().name)));
  EXPECT_EQ(file->record->backbone_sha256(),
            BackboneSha256(*ModelDirectory::Open(InWorld("base/model")).value()).value());
  EXPECT_EQ(file->record->vocabulary_sha256(),
            CoreVocabularySha256(model->manifest().vocabulary()));
  EXPECT_EQ(file->record->template_set_hash(), model->manifest().template_set_hash());
  EXPECT_EQ(AdapterKindOf(*file->record), GetParam().name);
  EXPECT_EQ(file->record->feature_schema().empty(), AdapterModality(*file->record).empty());
}

// World()/other: the base's sizes, other weights.
const std::string& OtherBase() {
  static const auto* const other = [] {
    TrainingPlan plan = Parse(kFreshPlan);
    plan.set_seed(4);
    plan.clear_evaluation();
    TrainOk(Options(World(), plan, FreshOutput("other_base")));
    return new std::string("other_base/model");
  }();
  return *other;
}

TEST_P(AdapterTest, AnotherBaseIsRefusedWithBothHashes) {
  ModelLoadOptions with;
  with.adapter_files = {FileOf(Trained(GetParam()), GetParam().name)};
  const absl::Status status = Model::Load(InWorld(OtherBase()), TheRuntime(), with).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  const auto hash = [](const std::string& path) {
    return BackboneSha256(*ModelDirectory::Open(InWorld(path)).value()).value();
  };
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("adapter \"" + GetParam().name + "\""), HasSubstr("backbone_sha256"),
                    HasSubstr(hash("base/model")), HasSubstr(hash(OtherBase())),
                    HasSubstr("train it for this model")));
  AdapterCopy copy;
  copy.from = InWorld(Trained(GetParam()) + "/model");
  copy.modality = GetParam().name;
  copy.into = InWorld(OtherBase());
  copy.output = InWorld(FreshOutput("not_copied"));
  EXPECT_TRUE(absl::IsFailedPrecondition(CopyAdapter(copy).status()));
  const AdapterMerge merge{InWorld(OtherBase()), with.adapter_files[0],
                           InWorld(FreshOutput("not_merged")), false};
  EXPECT_TRUE(absl::IsFailedPrecondition(MergeAdapter(merge).status()));
  EXPECT_FALSE(fs::exists(InWorld("not_copied")) || fs::exists(InWorld("not_merged")));
}

TEST_P(AdapterTest, ARowOfABatchGivesWhatItGivesAlone) {
  const auto model = LoadOk(Trained(GetParam()) + "/model");
  const at::Tensor together = LogitsOf(*model, {0, 3});
  EXPECT_LT(LargestDifference(together[0], LogitsOf(*model, {0})[0]), 1e-5);
  EXPECT_LT(LargestDifference(together[1], LogitsOf(*model, {3})[0]), 1e-5);
}

TEST_P(AdapterTest, DecodingStepByStepGivesWhatTeacherForcingGives) {
  const at::NoGradGuard no_grad;
  const auto model = LoadOk(Trained(GetParam()) + "/model");
  const at::Tensor expected = LogitsOf(*model, {0, 2});
  Backbone& backbone = model->backbone();
  const auto decoder =
      backbone.NewIncrementalDecoder(backbone.Encode(InputFor(*model, {0, 2})), /*beam=*/1);
  const at::Tensor tokens = PreviousTokens(2);
  for (int64_t i = 0; i < tokens.size(1); ++i) {
    const at::Tensor step = decoder->Step(tokens.select(1, i));
    EXPECT_LT(LargestDifference(step, expected.select(1, i)), 1e-4) << "step " << i;
  }
}

TEST_P(AdapterTest, PackedWeightsOfAnyPrecisionHaveItBesideThem) {
  const auto model = LoadOk(Trained(GetParam()) + "/model"), base = LoadOk("base/model");
  const at::Tensor expected = LogitsOf(*model), plain = LogitsOf(*base);
  const double effect = LargestDifference(expected, plain);
  for (const auto precision :
       {InferencePrecision::kFloat32, InferencePrecision::kBFloat16, InferencePrecision::kInt8}) {
    layers::PackedWeights packed(precision, /*smallest=*/0);
    const layers::PackedWeights::Use use(&packed);
    const bool is_exact = precision == InferencePrecision::kFloat32;
    // With these numbers the adapter has the same effect as with the modules' own.
    const at::Tensor done = LogitsOf(*model) - LogitsOf(*base);
    EXPECT_LT(LargestDifference(done, expected - plain), is_exact ? 1e-4 : 0.5 * effect)
        << InferencePrecisionName(precision);
    EXPECT_GT(done.abs().max().item<double>(), 0.5 * effect) << InferencePrecisionName(precision);
  }
}

TEST_P(AdapterTest, MergedIntoTheWeightsItGivesTheSameOrIsRefused) {
  const std::string output = FreshOutput(GetParam().name + "_merged");
  const AdapterMerge merge{InWorld(Trained(GetParam()) + "/model"), GetParam().name,
                           InWorld(output), false};
  const auto merged = MergeAdapter(merge);
  if (!GetParam().merges) {
    EXPECT_TRUE(absl::IsFailedPrecondition(merged.status())) << merged.status();
    EXPECT_THAT(std::string(merged.status().message()), HasSubstr("leave it beside the model"));
    EXPECT_FALSE(fs::exists(InWorld(output)));
    return;
  }
  ASSERT_TRUE(merged.ok()) << merged.status();
  const at::Tensor logits = LogitsOf(*LoadOk(Trained(GetParam()) + "/model"));
  const auto model = LoadOk(output);
  EXPECT_THAT(model->adapter_ids(), ::testing::IsEmpty());
  EXPECT_LT(LargestDifference(LogitsOf(*model), logits), 1e-6);
  EXPECT_EQ(merged->backbone_sha256, model->BackboneHash().value());
  // From its file, beside the base.
  const AdapterMerge of_file{InWorld("base/model"), FileOf(Trained(GetParam()), GetParam().name),
                             InWorld(FreshOutput(GetParam().name + "_merged_file")), false};
  const auto again = MergeAdapter(of_file);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->backbone_sha256, merged->backbone_sha256);
}

TEST_P(AdapterTest, StoredInHalfItsReceiptHolds) {
  TrainingPlan plan = PlanOf(GetParam());
  plan.set_save_half(true);
  const std::string output = FreshOutput(GetParam().name + "_half");
  TrainOk(Options(World(), plan, output));
  auto check = VerifyReceipt(InWorld(output + "/receipt.json"), InWorld(output + "/model"),
                             InWorld("base/model"), TheRuntime());
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_TRUE(check->ok()) << check->problems.front();
}

TEST_P(AdapterTest, TrainingGoesOnFromIt) {
  TrainingPlan plan = PlanOf(GetParam());
  plan.set_model(Trained(GetParam()) + "/model");
  plan.clear_adapter();
  const std::string output = FreshOutput(GetParam().name + "_on");
  TrainOk(Options(World(), plan, output));
  const Receipt receipt = ReadReceipt(output);
  EXPECT_EQ(receipt.frozen_changed, 0);
  EXPECT_GT(receipt.trainable_changed, 0);
  EXPECT_TRUE(receipt.description.fresh.empty());
  EXPECT_NE(After(output), After(Trained(GetParam())));
}

TEST_P(AdapterTest, ItTrainsInBfloat16) {
  TrainingPlan plan = PlanOf(GetParam());
  plan.mutable_stage(0)->set_precision("bfloat16");
  TrainOk(Options(World(), plan, FreshOutput(GetParam().name + "_bfloat16")));
  EXPECT_GT(ReadReceipt(GetParam().name + "_bfloat16").trainable_changed, 0);
}

}  // namespace
}  // namespace unival::trainer_tests
