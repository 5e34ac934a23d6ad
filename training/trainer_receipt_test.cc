#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "sdk/base/test_files.h"
#include "training/run/receipt.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(TrainerTest, MovesOnlyTheConnectionAndProvesIt) {
  const TrainingPlan plan = Parse(kAdapterPlan);
  const TrainResult result = TrainOk(Options(World(), plan, FreshOutput("adapter")));
  const Receipt receipt = ReadReceipt("adapter");
  EXPECT_EQ(receipt.frozen_changed, 0);
  EXPECT_EQ(result.frozen_changed, 0);
  EXPECT_GT(receipt.trainable_changed, 0);
  int buffers = 0;
  for (const ReceiptEntry& entry : receipt.entries) {
    const bool connection = entry.before.name.rfind("connection.image.", 0) == 0;
    EXPECT_EQ(entry.role == TensorRole::kTrainable, connection && !entry.before.is_buffer)
        << entry.before.name;
    buffers += entry.before.name.find("running_mean") != std::string::npos && !entry.changed();
  }
  EXPECT_GT(buffers, 0) << "BatchNorm statistics are among the tensors and stay fixed";
  auto check = VerifyReceipt(World() + "/adapter/receipt.json", World() + "/adapter/model",
                             World() + "/base/model", TheRuntime());
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_TRUE(check->ok()) << check->problems.front();
  EXPECT_EQ(check->compared_with_base, check->tensors);
}

TEST(TrainerTest, AReceiptDoesNotHoldForAnotherModel) {
  const std::string receipt = World() + "/base/receipt.json";
  const TrainingPlan plan = Parse(kAdapterPlan);
  TrainOk(Options(World(), plan, FreshOutput("other")));
  auto check = VerifyReceipt(receipt, World() + "/other/model", "", TheRuntime());
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_FALSE(check->ok());
  // A base model other than the one that training began with.
  auto base = VerifyReceipt(World() + "/other/receipt.json", World() + "/other/model",
                            World() + "/other/model", TheRuntime());
  ASSERT_TRUE(base.ok()) << base.status();
  EXPECT_FALSE(base->ok());
}

TEST(TrainerTest, DrawsPartsAnewAndSaysSo) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.set_random_backbone(true);
  plan.add_reset("connection.image");
  TrainOk(Options(World(), plan, FreshOutput("random")));
  for (const ReceiptEntry& entry : ReadReceipt("random").entries) {
    EXPECT_EQ(entry.fresh, entry.before.name.rfind("modality.", 0) != 0) << entry.before.name;
  }
}

TEST(TrainerTest, HalfPrecisionModelsVerifyAgainstTheirReceipt) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.set_save_half(true);
  TrainOk(Options(World(), plan, FreshOutput("half")));
  auto check = VerifyReceipt(World() + "/half/receipt.json", World() + "/half/model",
                             World() + "/base/model", TheRuntime());
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_TRUE(check->ok()) << check->problems.front();
}

Lineage LastLineage(const std::string& directory) {
  const auto model = ModelDirectory::Open(directory);
  EXPECT_TRUE(model.ok()) << model.status();
  return *(*model)->manifest().lineage().rbegin();
}

// The content of lineages before they contained the hash of adapters.
std::string EarlierParentHash(const std::string& directory) {
  const auto model = Model::Load(directory, TheRuntime());
  EXPECT_TRUE(model.ok()) << model.status();
  std::vector<TensorHash> backbone;
  for (const TensorHash& hash : HashState(**model)) {
    if (hash.name.rfind("backbone.", 0) == 0) backbone.push_back(hash);
  }
  return CombinedHash(backbone);
}

TEST(TrainerTest, AModelNamesItsParentByTheParentsOwnHash) {
  const std::string base = World() + "/base/model", child = World() + "/child/model";
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->set_trainable(0, "all");
  plan.mutable_stage(0)->set_steps(2);
  plan.add_reset("connection.image");
  TrainOk(Options(World(), plan, FreshOutput("child")));
  const auto parent = ModelDirectory::Open(base).value(),
             trained = ModelDirectory::Open(child).value();
  const std::string recorded = LastLineage(child).parent_backbone_sha256();
  EXPECT_EQ(recorded, parent->manifest().adapter(0).backbone_sha256());
  EXPECT_EQ(recorded, BackboneSha256(*parent).value());
  EXPECT_NE(recorded, BackboneSha256(*trained).value()) << "training moved the backbone";
  EXPECT_EQ(LastLineage(base).parent_backbone_sha256(), "") << "a fresh model has no parent";
  for (const std::string& hash : {recorded, EarlierParentHash(base)}) {
    EXPECT_TRUE(NamesBackbone(hash, *parent).value());
    EXPECT_FALSE(NamesBackbone(hash, *trained).value());
  }
}

TEST(TrainerTest, AReceiptIsComparedWithTheParentThatTheModelNames) {
  const std::string base = World() + "/base/model", folder = World() + "/named";
  TrainOk(Options(World(), Parse(kAdapterPlan), FreshOutput("named")));
  const auto problems = [&](const std::string& parent) {
    const std::string file = folder + "/model/manifest.textproto", text = ReadText(file);
    std::string other = text;
    other.replace(text.rfind("parent_backbone_sha256: \"") + 25, 64, parent);
    WriteText(file, other);
    auto check = VerifyReceipt(folder + "/receipt.json", folder + "/model", base, TheRuntime());
    WriteText(file, text);
    EXPECT_TRUE(check.ok()) << check.status();
    return check.ok() ? check->problems : std::vector<std::string>();
  };
  EXPECT_THAT(problems(EarlierParentHash(base)), ::testing::IsEmpty()) << "manifests of before";
  EXPECT_THAT(problems(std::string(64, 'a')),
              ::testing::ElementsAre(HasSubstr("parent_backbone_sha256")));
}

TEST(TrainerTest, AReceiptThatSaysAFrozenTensorChangedDoesNotHold) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.set_save_half(true);
  plan.set_random_backbone(true);
  TrainOk(Options(World(), plan, FreshOutput("forged")));
  const std::string file = World() + "/forged/receipt.json";
  const Json good = Json::parse(ReadText(file));
  const auto verify = [&] {
    auto check = VerifyReceipt(file, World() + "/forged/model", "", TheRuntime());
    EXPECT_TRUE(check.ok()) << check.status();
    return check.ok() ? *check : ReceiptCheck();
  };
  EXPECT_TRUE(verify().ok());
  EXPECT_FALSE(verify().base_compared);
  for (const bool fresh : {true, false}) {
    for (const char* field : {"after", "before_stored"}) {
      Json forged = good;
      for (Json& tensor : forged.at("tensors")) {
        if (tensor.at("role") != "frozen" || tensor.at("drawn") != fresh) continue;
        tensor[field] = std::string(64, '0');
        break;
      }
      WriteText(file, forged.dump());
      EXPECT_FALSE(verify().ok()) << field << " " << fresh;
      EXPECT_EQ(verify().frozen_changed, 1) << field << " " << fresh;
    }
  }
}

TEST(TrainerTest, EveryStatementOfAReceiptIsRecomputed) {
  TrainOk(Options(World(), Parse(kAdapterPlan), FreshOutput("edited")));
  const std::string file = World() + "/edited/receipt.json";
  const Json good = Json::parse(ReadText(file));
  const auto problems = [&](const std::string& edit, const Json& patch) {
    Json forged = good;
    forged.merge_patch(patch);
    if (edit == "role") forged["tensors"].back()["role"] = "statistics";
    if (edit == "after") forged["tensors"][0]["after"] = std::string(64, '0');
    if (edit == "before_stored") {
      for (Json& tensor : forged["tensors"]) {
        if (tensor["role"] == "trainable") tensor["before_stored"] = std::string(64, '0');
      }
    }
    if (edit == "changed") forged["tensors"][0]["changed"] = !forged["tensors"][0]["changed"];
    if (edit == "shape") forged["tensors"][0]["shape"] = {1};
    if (edit == "kind") forged["tensors"][0]["kind"] = "banana";
    if (edit == "copy") forged["tensors"][1] = forged["tensors"][0];
    if (edit == "order") std::swap(forged["tensors"][0], forged["tensors"][1]);
    if (edit == "drawn") forged["tensors"][0]["drawn"] = !forged["tensors"][0]["drawn"];
    WriteText(file, forged.dump());
    auto check =
        VerifyReceipt(file, World() + "/edited/model", World() + "/base/model", TheRuntime());
    EXPECT_TRUE(check.ok()) << check.status();
    return check.ok() ? check->problems : std::vector<std::string>();
  };
  EXPECT_THAT(problems("", Json::object()), IsEmpty());
  EXPECT_THAT(problems("", {{"statement", "frozen tensors changed: 9"}}), Not(IsEmpty()));
  EXPECT_THAT(problems("", {{"seed", 77}}), Not(IsEmpty()));
  EXPECT_THAT(problems("", {{"plan", "another"}}), Not(IsEmpty()));
  EXPECT_THAT(problems("", {{"plan_sha256", std::string(64, '0')}}), Not(IsEmpty()));
  EXPECT_THAT(problems("", {{"base_model", "elsewhere"}}), Not(IsEmpty()));
  EXPECT_THAT(problems("", {{"trainable", {{"scalars", 1}}}}), Not(IsEmpty()));
  EXPECT_THAT(problems("", {{"frozen", {{"tensors", 1}}}}), Not(IsEmpty()));
  EXPECT_THAT(problems("", {{"seed", 1.9}}), Not(IsEmpty()));
  EXPECT_THAT(problems("", {{"stored_as", "float8"}}), Not(IsEmpty()));
  EXPECT_THAT(problems("", {{"certified", "yes"}}), Not(IsEmpty()));
  for (const char* edit :
       {"role", "after", "before_stored", "changed", "shape", "drawn", "kind", "copy", "order"}) {
    EXPECT_THAT(problems(edit, Json::object()), Not(IsEmpty())) << edit;
  }
}

TEST(TrainerTest, AModelWhoseBitsFlippedIsAFindingOfTheCheck) {
  TrainOk(Options(World(), Parse(kAdapterPlan), FreshOutput("flipped")));
  const std::string weights = World() + "/flipped/model/backbone.safetensors";
  std::string bytes = ReadText(weights);
  bytes[bytes.size() - 5] ^= 4;
  WriteText(weights, bytes);
  auto check = VerifyReceipt(World() + "/flipped/receipt.json", World() + "/flipped/model", "",
                             TheRuntime());
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_THAT(check->problems, Contains(HasSubstr("backbone.safetensors")));
}

}  // namespace

}  // namespace unival::trainer_tests
