// Several adapters in one model and one run, and combinations that are errors.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/storage/adapter_edit.h"
#include "backbone/storage/model_directory.h"
#include "sdk/base/test_files.h"
#include "training/trainer_adapter_tests.h"

namespace unival::trainer_tests {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::Status RefusalOf(const TrainingPlan& plan) {
  return Train(Options(World(), plan, FreshOutput("refused")), TheRuntime()).status();
}

// Two modalities with a connector each, and what works on the backbone.
TrainingPlan PlanOfSeveral() {
  TrainingPlan plan = Parse(kAdapterPlan);
  WriteText(InWorld("night.textproto"),
            absl::StrCat("name: \"night\" task { name: \"night_caption\" input { name: \"image\" ",
                         "modality: \"night\" } prompt: \" what?\" target: \" {caption:text}\" ",
                         "generation { beam: 1 max_tokens: 6 } metric: \"exact_match\" }"));
  plan.add_templates("night.textproto");
  NewModalityPlan* added = plan.add_new_modality();
  *added->mutable_modality() = Parse(kFreshPlan).fresh_model().modality(0);
  added->mutable_modality()->set_id("night");
  added->mutable_modality()->set_type("image");
  added->set_encoder_from("image");
  added->mutable_connection()->set_shared_type_row(-1);
  for (const char* config :
       {R"(kind: "lora" target: "attention")", R"(kind: "prefix" length: 2)",
        R"(id: "image_wide" kind: "two_layer" modality: "image" hidden: 8)",
        R"(id: "night_wide" kind: "two_layer" modality: "night" hidden: 8)",
        R"(kind: "bottleneck" hidden: 4 target: "name:decoder\\..*\\.fc2")", R"(kind: "bitfit")"}) {
    *plan.add_adapter() = ParseConfig(config);
  }
  Stage& stage = *plan.mutable_stage(0);
  stage.set_trainable(0, "adapters");
  stage.add_trainable("connection:night");
  *stage.add_source() = stage.source(0);
  stage.mutable_source(1)->set_name("night");
  stage.mutable_source(1)->set_task("night_caption");
  return plan;
}

TEST(AdaptersTest, SeveralOfSeveralModalitiesAreTrainedInOneRun) {
  const TrainingPlan plan = PlanOfSeveral();
  TrainOk(Options(World(), plan, FreshOutput("several")));
  auto check = VerifyReceipt(InWorld("several/receipt.json"), InWorld("several/model"),
                             InWorld("base/model"), TheRuntime());
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_TRUE(check->ok()) << check->problems.front();
  const auto model = LoadOk("several/model");
  EXPECT_THAT(model->adapter_ids(),
              ElementsAre("lora", "prefix", "image_wide", "night_wide", "bottleneck", "bitfit"));
  const at::Tensor all = LogitsOf(*model);
  // A modality that is not loaded keeps its adapter in the directory.
  ModelLoadOptions only;
  only.all_modalities = false;
  only.modalities = {"image"};
  const auto image = LoadOk("several/model", only);
  EXPECT_THAT(image->adapter_ids(), ::testing::Not(Contains("night_wide")));
  EXPECT_TRUE(LogitsOf(*image).equal(all));
  ASSERT_TRUE(image->Save(InWorld(FreshOutput("several_again")), Lineage(), false).ok());
  EXPECT_THAT(LoadOk("several_again")->adapter_ids(), ::testing::SizeIs(6));
  // The adapters are removed one after the other, in another order than they were added.
  const at::Tensor base = LogitsOf(*LoadOk("base/model"));
  for (const char* id : {"prefix", "image_wide", "bitfit", "lora", "night_wide"}) {
    ASSERT_TRUE(model->RemoveAdapter(id).ok());
    EXPECT_FALSE(LogitsOf(*model).equal(base)) << id;
  }
  ASSERT_TRUE(model->RemoveAdapter("bottleneck").ok());
  EXPECT_TRUE(LogitsOf(*model).equal(base));
}

TEST(AdaptersTest, ARunOfSeveralResumesToTheSameBits) {
  const TrainingPlan plan = PlanOfSeveral();
  TrainOk(Options(World(), plan, FreshOutput("several_straight")));
  TrainOptions options = Options(World(), plan, FreshOutput("several_stopped"));
  options.stop_after_step = 5;
  TrainOk(options);
  options.stop_after_step = 0;
  options.resume = true;
  TrainOk(options);
  EXPECT_EQ(After("several_straight"), After("several_stopped"));
}

TEST(AdaptersTest, TheOthersOfAModelStayWhenOneIsMerged) {
  TrainOk(Options(World(), PlanOfSeveral(), FreshOutput("several_merge")));
  const AdapterMerge merge{InWorld("several_merge/model"), "lora",
                           InWorld(FreshOutput("several_merged")), false};
  const auto merged = MergeAdapter(merge);
  ASSERT_TRUE(merged.ok()) << merged.status();
  const auto model = LoadOk("several_merged");
  EXPECT_THAT(model->adapter_ids(),
              ElementsAre("prefix", "image_wide", "night_wide", "bottleneck", "bitfit"));
  EXPECT_LT(LargestDifference(LogitsOf(*model), LogitsOf(*LoadOk("several_merge/model"))), 1e-5);
}

TEST(AdaptersTest, AConnectionThatAnAdapterWorksOnIsNotRemoved) {
  TrainOk(Options(World(), PlanOfSeveral(), FreshOutput("several_remove")));
  AdapterRemoval removal{InWorld("several_remove/model"), "night", ""};
  const absl::Status status = RemoveAdapter(removal);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("remove that one first"));
  removal.adapter = "night_wide";
  EXPECT_TRUE(RemoveAdapter(removal).ok());
  removal.adapter = "night";
  EXPECT_TRUE(RemoveAdapter(removal).ok());
  EXPECT_THAT(LoadOk("several_remove/model")->known_modalities(), ElementsAre("image"));
}

TEST(AdaptersTest, AnAdapterOfAnotherEncoderOrConnectionIsRefused) {
  const AdapterCase& connector = AdapterCases()[2];
  const auto file = FileOf(Trained(connector), connector.name);
  TrainingPlan plan = Parse(kAdapterPlan);  // moves the connection that the adapter works on
  TrainOk(Options(World(), plan, FreshOutput("moved_connection")));
  ModelLoadOptions with;
  with.adapter_files = {file};
  const auto moved = Model::Load(InWorld("moved_connection/model"), TheRuntime(), with);
  EXPECT_THAT(std::string(moved.status().message()), HasSubstr("connection_sha256"));
  plan.mutable_stage(0)->set_trainable(0, "modality:image");
  TrainOk(Options(World(), plan, FreshOutput("moved_encoder")));
  const auto encoder = Model::Load(InWorld("moved_encoder/model"), TheRuntime(), with);
  EXPECT_THAT(std::string(encoder.status().message()), HasSubstr("encoder_sha256"));
}

TEST(AdaptersTest, AFileWithoutARecordIsRefusedAndOneOfAModelOfBeforeLoads) {
  const std::string output = Trained(AdapterCases()[0]);
  const std::string plain = InWorld("plain.safetensors");
  const auto tensors = ReadSafetensors(FileOf(output, "lora"));
  ASSERT_TRUE(WriteSafetensors(plain, *tensors).ok());
  ModelLoadOptions with;
  with.adapter_files = {plain};
  const auto refused = Model::Load(InWorld("base/model"), TheRuntime(), with);
  EXPECT_TRUE(absl::IsInvalidArgument(refused.status())) << refused.status();
  // Connections of earlier versions have no record in their files and no newer fields.
  const auto model = ModelDirectory::Open(InWorld("base/model")).value();
  auto writer = ModelDirectoryWriter::Create(InWorld(FreshOutput("of_before"))).value();
  for (const std::string& id : model->ComponentIds()) {
    if (id == "adapter.image") {
      ASSERT_TRUE(writer->AddTensors(id, model->ReadComponent(id).value()).ok());
    } else {
      ASSERT_TRUE(writer->CopyComponent(*model, id).ok());
    }
  }
  Manifest manifest = model->manifest();
  manifest.mutable_adapter(0)->clear_vocabulary_sha256();
  manifest.mutable_adapter(0)->clear_template_set_hash();
  ASSERT_TRUE(writer->Commit(manifest).ok());
  EXPECT_TRUE(LogitsOf(*LoadOk("of_before")).equal(LogitsOf(*LoadOk("base/model"))));
}

TEST(AdaptersTest, APlanThatAsksForWhatAKindCannotIsRefusedByFieldAndRange) {
  const std::pair<const char*, std::vector<const char*>> wrong[] = {
      {R"(kind: "lora" rank: 0)", {"adapter[0].rank", "from 1 to 4096", "got 0"}},
      {R"(kind: "lora" rank: 5000)", {"adapter[0].rank", "from 1 to 4096", "got 5000"}},
      {R"(kind: "lora" alpha: 0)", {"adapter[0].alpha", "above 0", "got 0"}},
      {R"(kind: "lora" alpha: nan)", {"adapter[0].alpha", "above 0", "got nan"}},
      {R"(kind: "lora" dropout: 1)", {"adapter[0].dropout", "below 1", "got 1"}},
      {R"(kind: "lora" dropout: -0.5)", {"adapter[0].dropout", "from 0", "got -0.5"}},
      {R"(kind: "lora" length: 4)", {"adapter[0].length", "rank, alpha"}},
      {R"(kind: "lora" target: "norms")", {"adapter[0].target[0]", "feed_forward", "norms"}},
      {R"(kind: "lora" target: "name:(")", {"adapter[0].target[0]", "regular expression"}},
      {R"(kind: "lora" target: "name:nothing")", {"adapter[0]", "name:nothing", "q_proj"}},
      {R"(kind: "lora" id: "image")", {"adapter[0]", "id", "image"}},
      {R"(kind: "lora" id: "a/b")", {"adapter[0].id", "a/b"}},
      {R"(kind: "prefix" length: 0)", {"adapter[0].length", "from 1 to 1024", "got 0"}},
      {R"(kind: "bottleneck" hidden: 0)", {"adapter[0].hidden", "from 1 to 65536", "got 0"}},
      {R"(kind: "bitfit" rank: 8)", {"adapter[0].rank", "target"}},
      {R"(kind: "two_layer")", {"adapter[0].modality", "nothing"}},
      {R"(kind: "two_layer" modality: "smell")", {"adapter[0]", "smell"}},
      {R"(kind: "full")", {"adapter[0].kind", "bitfit, bottleneck, lora", "full"}},
      {R"(kind: "rescale" option { key: "speed" value: 1 })", {"adapter[0].option", "strength"}},
  };
  for (const auto& [config, words] : wrong) {
    TrainingPlan plan = Parse(kAdapterPlan);
    *plan.add_adapter() = ParseConfig(config);
    plan.mutable_stage(0)->set_trainable(0, "adapters");
    const absl::Status status = RefusalOf(plan);
    EXPECT_FALSE(status.ok()) << config;
    for (const char* word : words)
      EXPECT_THAT(std::string(status.message()), HasSubstr(word)) << config;
  }
  TrainingPlan twice = PlanOf(AdapterCases()[0]);
  *twice.add_adapter() = twice.adapter(0);
  EXPECT_THAT(std::string(RefusalOf(twice).message()), HasSubstr("\"lora\" twice"));
  TrainingPlan there = PlanOf(AdapterCases()[0]);
  there.set_model(Trained(AdapterCases()[0]) + "/model");
  EXPECT_THAT(std::string(RefusalOf(there).message()), HasSubstr("has an adapter \"lora\""));
  TrainingPlan text = PlanOf(AdapterCases()[2]);
  text.mutable_stage(0)->mutable_source(0)->set_task("copy");
  text.mutable_stage(0)->mutable_source(0)->set_path("copy.jsonl");
  EXPECT_THAT(std::string(RefusalOf(text).message()), HasSubstr("reaches none"));
}

TEST(AdaptersTest, AnAdapterThatIsResetBeginsAnew) {
  TrainingPlan plan = PlanOf(AdapterCases()[0]);
  plan.set_model(Trained(AdapterCases()[0]) + "/model");
  plan.clear_adapter();
  plan.add_reset("adapter.lora");
  TrainOk(Options(World(), plan, FreshOutput("lora_reset")));
  for (const ReceiptEntry& entry : ReadReceipt("lora_reset").entries)
    EXPECT_EQ(entry.fresh, absl::StartsWith(entry.before.name, "adapter.")) << entry.before.name;
}

}  // namespace
}  // namespace unival::trainer_tests
