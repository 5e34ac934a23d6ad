// What every kind of adapter must do, shown by training one: the same tests for all of them.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/adapters/adapter_config.h"
#include "backbone/layers/packed_weights.h"
#include "backbone/model/backbone.h"
#include "backbone/storage/adapter_copy.h"
#include "backbone/storage/adapter_edit.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "runtime/collate.h"
#include "runtime/model.h"
#include "sdk/base/test_files.h"
#include "sdk/base/text_format.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct AdapterCase {
  std::string name;    // of the kind
  std::string fields;  // of AdapterConfig
  bool merges = false;
};

void PrintTo(const AdapterCase& one, std::ostream* out) { *out << one.name; }

const std::vector<AdapterCase>& Cases() {
  static const auto* const kCases = new std::vector<AdapterCase>{
      {"lora", R"(kind: "lora" rank: 4 alpha: 8 dropout: 0.1)", true},
      {"bitfit", R"(kind: "bitfit")", true},
      {"two_layer", R"(kind: "two_layer" modality: "image" hidden: 12)"},
      {"prefix", R"(kind: "prefix" length: 3)"},
      {"bottleneck", R"(kind: "bottleneck" hidden: 8 dropout: 0.1)"},
      {"rescale", R"(kind: "rescale" option { key: "strength" value: 2 })"},
  };
  return *kCases;
}

AdapterConfig ParseConfig(const std::string& text) {
  AdapterConfig config;
  const absl::Status status = ParseTextProto(text, "test", &config);
  EXPECT_TRUE(status.ok()) << status;
  return config;
}

TrainingPlan PlanOf(const AdapterCase& one) {
  TrainingPlan plan = Parse(kAdapterPlan);
  *plan.add_adapter() = ParseConfig(one.fields);
  plan.mutable_stage(0)->set_trainable(0, absl::StrCat("adapter:", one.name));
  return plan;
}

std::string InWorld(const std::string& path) { return World() + "/" + path; }

std::unique_ptr<Model> LoadOk(const std::string& path, const ModelLoadOptions& options = {}) {
  auto model = Model::Load(InWorld(path), TheRuntime(), options);
  EXPECT_TRUE(model.ok()) << model.status();
  return model.ok() ? *std::move(model) : nullptr;
}

std::string FileOf(const std::string& output, const std::string& id) {
  return InWorld(absl::StrCat(output, "/model/adapter.", id, ".safetensors"));
}

// A run of the case's plan, once for all tests that only look at it: World()/<name>_adapter.
const std::string& Trained(const AdapterCase& one) {
  static auto* const runs = new std::map<std::string, std::string>();
  const auto [run, is_new] = runs->emplace(one.name, one.name + "_adapter");
  if (is_new) TrainOk(Options(World(), PlanOf(one), FreshOutput(run->second)));
  return run->second;
}

// Rows whose prompts have different lengths.
ModelInput InputFor(const Model& model, const std::vector<int>& images) {
  std::vector<PreparedExample> examples;
  for (const int image : images) {
    Seq2SeqExample example;
    MediaInput media{"image", {}};
    media.media.path = InWorld(absl::StrCat("images/", image, ".png"));
    example.media.push_back(media);
    for (int i = 0; i < 3 + image; ++i) example.source.push_back(4 + i);
    auto prepared = Prepare(model, std::move(example), {});
    EXPECT_TRUE(prepared.ok()) << prepared.status();
    examples.push_back(*std::move(prepared));
  }
  auto input = MakeModelInput(model, examples);
  EXPECT_TRUE(input.ok()) << input.status();
  return *std::move(input);
}

at::Tensor Previous(int64_t rows) {
  return at::tensor({0, 7, 11, 5, 9}, at::kLong).repeat({rows, 1});
}

at::Tensor LogitsOf(const Model& model, const std::vector<int>& images = {0, 1, 4}) {
  const at::NoGradGuard no_grad;
  const ModelInput input = InputFor(model, images);
  Backbone& backbone = model.backbone();
  return backbone.Decode(backbone.Encode(input), Previous(static_cast<int64_t>(images.size())));
}

double LargestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

absl::Status RefusalOf(const TrainingPlan& plan) {
  return Train(Options(World(), plan, FreshOutput("refused")), TheRuntime()).status();
}

class AdapterTest : public ::testing::TestWithParam<AdapterCase> {};

INSTANTIATE_TEST_SUITE_P(Kinds, AdapterTest, ::testing::ValuesIn(Cases()),
                         [](const auto& one) { return one.param.name; });

TEST(AdaptersTest, EveryKindIsTested) {
  std::vector<std::string> tested;
  for (const AdapterCase& one : Cases()) tested.push_back(one.name);
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
  const at::Tensor tokens = Previous(2);
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
    // What the adapter does, in these numbers, is what it does in the modules' own.
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
  // One after the other is taken away, in another order than they came.
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
  const AdapterCase& connector = Cases()[2];
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
  const std::string output = Trained(Cases()[0]);
  const std::string plain = InWorld("plain.safetensors");
  const auto tensors = ReadSafetensors(FileOf(output, "lora"));
  ASSERT_TRUE(WriteSafetensors(plain, *tensors).ok());
  ModelLoadOptions with;
  with.adapter_files = {plain};
  const auto refused = Model::Load(InWorld("base/model"), TheRuntime(), with);
  EXPECT_TRUE(absl::IsInvalidArgument(refused.status())) << refused.status();
  // Connections of before have no record in their files and none of the later fields.
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
  TrainingPlan twice = PlanOf(Cases()[0]);
  *twice.add_adapter() = twice.adapter(0);
  EXPECT_THAT(std::string(RefusalOf(twice).message()), HasSubstr("\"lora\" twice"));
  TrainingPlan there = PlanOf(Cases()[0]);
  there.set_model(Trained(Cases()[0]) + "/model");
  EXPECT_THAT(std::string(RefusalOf(there).message()), HasSubstr("has an adapter \"lora\""));
  TrainingPlan text = PlanOf(Cases()[2]);
  text.mutable_stage(0)->mutable_source(0)->set_task("copy");
  text.mutable_stage(0)->mutable_source(0)->set_path("copy.jsonl");
  EXPECT_THAT(std::string(RefusalOf(text).message()), HasSubstr("reaches none"));
}

TEST(AdaptersTest, AnAdapterThatIsResetBeginsAnew) {
  TrainingPlan plan = PlanOf(Cases()[0]);
  plan.set_model(Trained(Cases()[0]) + "/model");
  plan.clear_adapter();
  plan.add_reset("adapter.lora");
  TrainOk(Options(World(), plan, FreshOutput("lora_reset")));
  for (const ReceiptEntry& entry : ReadReceipt("lora_reset").entries)
    EXPECT_EQ(entry.fresh, absl::StartsWith(entry.before.name, "adapter.")) << entry.before.name;
}

}  // namespace
}  // namespace unival::trainer_tests
