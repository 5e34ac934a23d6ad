#include "training/trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "absl/strings/str_cat.h"
#include "backbone/storage/backbone_hash.h"
#include "modalities/io/encode.h"
#include "sdk/base/folder_lock.h"
#include "sdk/base/own_object.h"
#include "sdk/base/process.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/test_files.h"
#include "sdk/base/text_format.h"
#include "tasks/templates/template_set.h"
#include "training/evaluation/evaluate.h"
#include "training/run/batch_loader.h"
#include "training/run/non_finite.h"
#include "training/run/receipt.h"
#include "training/run/trainable.h"

extern char** environ;

namespace unival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kImages = 24;

constexpr char kTasks[] = R"(
name: "test"
task {
  name: "caption"
  input { name: "image" modality: "image" }
  prompt: " what does the image describe?"
  target: " {caption:text}"
  generation { beam: 1 max_tokens: 6 }
  metric: "exact_match"
}
task {
  name: "copy"
  prompt: " copy: {text:text}"
  target: " {text:text}"
  generation { beam: 1 max_tokens: 6 }
  metric: "exact_match"
}
)";

constexpr char kFreshPlan[] = R"(
name: "tiny"
seed: 3
tokenizer_directory: "tokenizer"
templates: "tasks.textproto"
fresh_model {
  name: "tiny"
  backbone {
    d_model: 32 ffn_dim: 64 heads: 4 encoder_layers: 1 decoder_layers: 1
    token_bucket_size: 16 image_bucket_size: 4 max_positions: 64 attn_scale_factor: 2
    type_rows: 2 add_type_embedding: true scale_attn: true scale_fc: true scale_heads: true
    disable_entangle: true layernorm_embedding: true patch_layernorm_embedding: true
    encoder_pre_norm: true decoder_pre_norm: true dropout: 0.1
  }
  tokenizer { type: "sentencepiece" directory: "tokenizer" block: "core.bpe" }
  modality {
    id: "image"
    image {
      width: 16 height: 16
      normalization { mean: 0.5 mean: 0.5 mean: 0.5 std: 0.5 std: 0.5 std: 0.5 }
    }
    encoder { small_cnn { in_channels: 3 widths: 8 widths: 16 } }
  }
  connection { modality: "image" shared_type_row: 1 }
}
stage {
  name: "all"
  trainable: "all"
  steps: 6
  batch: 4
  micro_batches: 2
  optimizer { learning_rate: 1e-3 clip_norm: 1 schedule: "cosine" warmup_ratio: 0.2 }
  source { name: "caption" task: "caption" path: "caption.jsonl" }
  source { name: "copy" task: "copy" path: "copy.jsonl" unlock_step: 1 }
  log_every: 1
}
evaluation { name: "caption" task: "caption" path: "caption.jsonl" limit: 4 }
)";

constexpr char kAdapterPlan[] = R"(
name: "adapter"
seed: 5
model: "base/model"
templates: "tasks.textproto"
stage {
  name: "connection"
  trainable: "connection:image"
  steps: 12
  batch: 6
  optimizer { learning_rate: 1e-2 clip_norm: 1 schedule: "linear" }
  source { name: "caption" task: "caption" path: "caption.jsonl" }
  log_every: 1
}
)";

TrainingPlan Parse(const char* text) {
  TrainingPlan plan;
  const absl::Status status = ParseTextProto(text, "test", &plan);
  if (!status.ok()) ADD_FAILURE() << status;
  return plan;
}

const Runtime& TheRuntime() {
  static const Runtime* const runtime = [] {
    RuntimeOptions options;
    options.threads = 1;
    options.plugins = {"training/libfaulty.so"};
    auto created = Runtime::Create(options);
    if (!created.ok()) {
      ADD_FAILURE() << created.status();
      std::abort();
    }
    return created->release();
  }();
  return *runtime;
}

TrainOptions Options(const std::string& folder, const TrainingPlan& plan,
                     const std::string& output) {
  TrainOptions options;
  options.plan_file = folder + "/plan.textproto";
  options.plan = &plan;
  options.output = folder + "/" + output;
  options.quiet = true;
  return options;
}

// A folder with images of one colour each, their captions, texts to copy, templates and a
// tokenizer.
std::string MakeWorld() {
  const std::string folder = std::string(::testing::TempDir()) + "/world";
  fs::remove_all(folder);
  fs::create_directories(folder + "/images");
  fs::copy("training/testdata/tokenizer", folder + "/tokenizer");
  WriteText(folder + "/tasks.textproto", kTasks);
  const char* const colors[] = {"red", "green", "blue"};
  std::string captions, copies;
  for (int i = 0; i < kImages; ++i) {
    std::vector<uint8_t> pixels(16 * 16 * 3, static_cast<uint8_t>(i));
    for (size_t p = i % 3; p < pixels.size(); p += 3) pixels[p] = 200;
    const std::string name = absl::StrCat("images/", i, ".png");
    WriteText(folder + "/" + name, EncodePng(pixels, 16, 16, 3).value());
    captions += Json{{"image", name}, {"caption", colors[i % 3]}}.dump() + "\n";
    copies += Json{{"text", absl::StrCat(colors[i % 3], " ", colors[i / 3 % 3])}}.dump() + "\n";
  }
  WriteText(folder + "/caption.jsonl", captions);
  WriteText(folder + "/copy.jsonl", copies);
  return folder;
}

// The world, and a base model trained on it for a few steps.
const std::string& World() {
  static const std::string* const folder = [] {
    auto* made = new std::string(MakeWorld());
    const TrainingPlan plan = Parse(kFreshPlan);
    auto result = Train(Options(*made, plan, "base"), TheRuntime());
    if (!result.ok()) {
      ADD_FAILURE() << result.status();
      std::abort();
    }
    return made;
  }();
  return *folder;
}

std::string FreshOutput(const std::string& name) {
  fs::remove_all(World() + "/" + name);
  return name;
}

TrainResult TrainOk(const TrainOptions& options) {
  auto result = Train(options, TheRuntime());
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : TrainResult();
}

Receipt ReceiptOf(const std::string& output) {
  const std::string file = World() + "/" + output + "/receipt.json";
  auto receipt = ReceiptFromJson(ReadText(file), file);
  EXPECT_TRUE(receipt.ok()) << receipt.status();
  return receipt.ok() ? *receipt : Receipt();
}

// Hash of every tensor after training, by name.
std::map<std::string, std::string> After(const std::string& output) {
  std::map<std::string, std::string> hashes;
  for (const ReceiptEntry& entry : ReceiptOf(output).entries)
    hashes[entry.before.name] = entry.after;
  EXPECT_FALSE(hashes.empty());
  return hashes;
}

std::vector<Json> Log(const std::string& output) {
  std::vector<Json> lines;
  std::stringstream text(ReadText(World() + "/" + output + "/log.jsonl"));
  for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
  return lines;
}

std::vector<double> Losses(const std::string& output) {
  std::vector<double> losses;
  for (const Json& line : Log(output)) losses.push_back(line.at("loss"));
  return losses;
}

TEST(TrainerTest, WritesModelLogReceiptAndResults) {
  const std::string base = World() + "/base";
  for (const char* name : {"plan.textproto", "run.json", "log.jsonl", "receipt.json",
                           "results.json", "results/caption.jsonl", "model/manifest.textproto"}) {
    EXPECT_TRUE(fs::exists(base + "/" + name)) << name;
  }
  const std::vector<Json> log = Log("base");
  ASSERT_EQ(log.size(), 6u);
  EXPECT_EQ(log[5].at("step"), 6);
  EXPECT_GT(log[5].at("tokens_per_second"), 0);
  EXPECT_EQ(log[0].at("source_loss").size(), 1u) << "the second source is locked at first";
  EXPECT_EQ(log[5].at("source_loss").size(), 2u);
  const Json results = Json::parse(ReadText(base + "/results.json"));
  EXPECT_EQ(results.at("evaluations").at("caption").at("samples"), 4);
  EXPECT_EQ(results.at("seed"), 3);
  EXPECT_GT(results.at("trainable_parameters"), 1000);
}

TEST(TrainerTest, LearnsToCaptionItsTrainingData) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.mutable_stage(0)->set_steps(80);
  plan.mutable_stage(0)->set_batch(12);
  plan.mutable_stage(0)->set_micro_batches(1);
  plan.mutable_stage(0)->mutable_source()->DeleteSubrange(1, 1);
  plan.mutable_stage(0)->mutable_optimizer()->set_learning_rate(5e-3f);
  plan.mutable_evaluation(0)->set_limit(0);
  TrainResult result = TrainOk(Options(World(), plan, FreshOutput("learned")));
  EXPECT_GT(result.evaluations["caption"].metrics["exact_match"], 0.9);
}

TEST(TrainerTest, MovesOnlyTheConnectionAndProvesIt) {
  const TrainingPlan plan = Parse(kAdapterPlan);
  const TrainResult result = TrainOk(Options(World(), plan, FreshOutput("adapter")));
  const Receipt receipt = ReceiptOf("adapter");
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

TEST(TrainerTest, AModuleWithoutTrainableParametersIsInEvaluationMode) {
  auto model = Model::Load(World() + "/base/model", TheRuntime());
  ASSERT_TRUE(model.ok()) << model.status();
  auto set = SelectTrainable(**model, {"connection:image"});
  ASSERT_TRUE(set.ok()) << set.status();
  (*model)->SetTraining(true);
  ApplyTrainable(**model, *set);
  for (const NamedTensor& entry : (*model)->State()) {
    if (entry.is_buffer) continue;
    EXPECT_EQ(entry.tensor.requires_grad(), set->Contains(entry.name)) << entry.name;
  }
  EXPECT_TRUE(set->Touches("connection.image."));
  EXPECT_FALSE(set->Touches("modality.image."));
}

TEST(TrainerTest, RefusesPatternsThatSelectNothing) {
  auto model = Model::Load(World() + "/base/model", TheRuntime());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_THAT(SelectTrainable(**model, {"connection:depth"}).status().message(),
              HasSubstr("connection.image"));
  EXPECT_THAT(SelectTrainable(**model, {"everything"}).status().message(), HasSubstr("\"all\""));
  EXPECT_THAT(SelectTrainable(**model, {"name:("}).status().message(),
              HasSubstr("regular expression"));
  EXPECT_TRUE(SelectTrainable(**model, {"name:backbone\\.encoder\\..*bias"}).ok());
}

TEST(TrainerTest, CachedTrainingEqualsUncachedToTheBit) {
  TrainingPlan plan = Parse(kAdapterPlan);
  const TrainResult plain = TrainOk(Options(World(), plan, FreshOutput("uncached")));
  plan.mutable_stage(0)->mutable_cache()->set_enabled(true);
  const TrainResult cached = TrainOk(Options(World(), plan, FreshOutput("cached")));
  EXPECT_EQ(Losses("uncached"), Losses("cached"));
  EXPECT_EQ(After("uncached"), After("cached"));
  EXPECT_EQ(plain.encoder_calls, 12 * 6);
  EXPECT_EQ(cached.encoder_calls, kImages);
}

TEST(TrainerTest, TheSecondEpochMakesNoEncoderCall) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_cache()->set_enabled(true);
  TrainOk(Options(World(), plan, FreshOutput("epochs")));
  const std::vector<Json> log = Log("epochs");
  ASSERT_EQ(log.size(), 12u);
  EXPECT_EQ(log[3].at("encoder_calls"), kImages) << "four steps of six rows are one epoch";
  EXPECT_EQ(log[11].at("encoder_calls"), kImages);
  EXPECT_EQ(log[11].at("cache_hits"), 12 * 6 - kImages);
  // A second run over the same cache makes none at all.
  TrainOptions options = Options(World(), plan, FreshOutput("epochs_again"));
  options.cache_dir = World() + "/epochs/cache";
  EXPECT_EQ(TrainOk(options).encoder_calls, 0);
  EXPECT_EQ(Losses("epochs"), Losses("epochs_again"));
}

TEST(TrainerTest, AResumedRunEndsWithTheSameWeightsToTheBit) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.mutable_stage(0)->mutable_optimizer()->set_ema_decay(0.9f);
  *plan.add_stage() = plan.stage(0);
  plan.mutable_stage(1)->set_name("backbone");
  plan.mutable_stage(1)->set_trainable(0, "backbone");
  plan.clear_evaluation();
  TrainOk(Options(World(), plan, FreshOutput("straight")));
  TrainOptions options = Options(World(), plan, FreshOutput("stopped"));
  for (int64_t stop : {2, 6, 9, 0}) {
    options.stop_after_step = stop;
    const TrainResult result = TrainOk(options);
    EXPECT_EQ(result.finished, stop == 0);
    EXPECT_EQ(result.steps, stop == 0 ? 12 : stop);
    options.resume = true;
  }
  EXPECT_EQ(After("straight"), After("stopped"));
  EXPECT_EQ(Losses("straight"), Losses("stopped"));
}

std::vector<double> LearningRates(const std::string& output) {
  std::vector<double> rates;
  for (const Json& line : Log(output)) rates.push_back(line.at("learning_rate"));
  return rates;
}

// tests/plug_points/ has an optimizer and a schedule, each in a file of its own.
TEST(TrainerTest, AnOptimizerAndAScheduleFromElsewhereTrainThroughAPlan) {
  TrainingPlan plan = Parse(kAdapterPlan);
  OptimizerPlan* optimizer = plan.mutable_stage(0)->mutable_optimizer();
  optimizer->set_type("signum");
  (*optimizer->mutable_option())["momentum"] = 0.5;
  optimizer->set_schedule("halving");
  (*optimizer->mutable_schedule_option())["every"] = 4;
  optimizer->set_learning_rate(0.0078125f);
  TrainOk(Options(World(), plan, FreshOutput("signum")));
  EXPECT_GT(Losses("signum").front(), Losses("signum").back());
  const double r = 0.0078125;
  EXPECT_THAT(LearningRates("signum"),
              ElementsAre(r, r, r, r, r / 2, r / 2, r / 2, r / 2, r / 4, r / 4, r / 4, r / 4));
  TrainOptions options = Options(World(), plan, FreshOutput("signum_stopped"));
  options.stop_after_step = 5;
  TrainOk(options);
  options.stop_after_step = 0;
  options.resume = true;
  TrainOk(options);
  EXPECT_EQ(After("signum"), After("signum_stopped"));
}

TEST(TrainerTest, AnExplicitZeroIsNotTheDefault) {
  TrainingPlan plan = Parse(kAdapterPlan);
  Stage* stage = plan.mutable_stage(0);
  *stage->add_source() = stage->source(0);
  stage->mutable_source(1)->set_name("none");
  stage->mutable_source(1)->set_weight(0);
  stage->set_log_every(0);
  TrainOk(Options(World(), plan, FreshOutput("zero_weight")));
  const std::vector<Json> log = Log("zero_weight");
  ASSERT_EQ(log.size(), 1u) << "the last step alone";
  EXPECT_EQ(log[0].at("source_loss").count("none"), 0u);
  plan = Parse(kAdapterPlan);
  TrainOk(Options(World(), plan, FreshOutput("default_beta")));
  plan.mutable_stage(0)->mutable_optimizer()->set_beta1(0);
  TrainOk(Options(World(), plan, FreshOutput("zero_beta")));
  EXPECT_NE(After("default_beta"), After("zero_beta"));
}

// Trains in another process, so that it can be killed.
absl::StatusOr<Process> StartChild(const std::string& output) {
  ProcessOptions options;
  options.command = {ThisProgram(), "--train-child", World(), output};
  options.ends_with_parent = true;
  return Process::Start(options);
}

TrainingPlan KilledPlan() {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.mutable_stage(0)->set_steps(20);
  plan.mutable_stage(0)->set_checkpoint_every(2);
  plan.clear_evaluation();
  return plan;
}

int64_t NewestCheckpoint(const std::string& output) {
  int64_t newest = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(World() + "/" + output + "/checkpoint", error)) {
    if (entry.path().extension() == ".tmp") continue;
    newest = std::max<int64_t>(newest, std::atoll(entry.path().filename().c_str()));
  }
  return newest;
}

TEST(TrainerTest, AKilledRunGoesOnFromItsCheckpoint) {
  const TrainingPlan plan = KilledPlan();
  TrainOk(Options(World(), plan, FreshOutput("unharmed")));
  auto child = StartChild(FreshOutput("killed"));
  ASSERT_TRUE(child.ok()) << child.status();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (NewestCheckpoint("killed") < 4 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  child->Send(SIGKILL);
  const auto end = child->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  ASSERT_EQ(end->signal, SIGKILL) << "the child ended before it could be killed: " << end->Text();
  ASSERT_GE(NewestCheckpoint("killed"), 4);
  TrainOptions options = Options(World(), plan, "killed");
  options.resume = true;
  EXPECT_TRUE(TrainOk(options).finished);
  EXPECT_EQ(After("unharmed"), After("killed"));
  EXPECT_EQ(Losses("unharmed"), Losses("killed"))
      << "records after the checkpoint are written once";
}

TEST(TrainerTest, RefusesAnOutputFolderWithFiles) {
  const TrainingPlan plan = Parse(kFreshPlan);
  const absl::Status status = Train(Options(World(), plan, "base"), TheRuntime()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("--resume"));
}

TEST(TrainerTest, RefusesToResumeWithAnotherPlanOrOtherData) {
  fs::copy_file(World() + "/caption.jsonl", World() + "/changing.jsonl",
                fs::copy_options::overwrite_existing);
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_source(0)->set_path("changing.jsonl");
  TrainOptions options = Options(World(), plan, FreshOutput("changed"));
  options.stop_after_step = 2;
  TrainOk(options);
  options.resume = true;
  TrainingPlan other = plan;
  other.mutable_stage(0)->mutable_optimizer()->set_learning_rate(0.5f);
  options.plan = &other;
  EXPECT_THAT(Train(options, TheRuntime()).status().message(),
              HasSubstr("stage[0].optimizer.learning_rate"));
  options.plan = &plan;
  std::string text = ReadText(World() + "/caption.jsonl");
  text.replace(text.find("red"), 3, "tan");
  WriteText(World() + "/changing.jsonl", text);
  EXPECT_THAT(Train(options, TheRuntime()).status().message(),
              HasSubstr("stage[0].source[0].path"));
}

TEST(TrainerTest, ALossThatIsNotANumberStopsTheRunAndOverwritesNothing) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_optimizer()->set_learning_rate(1e30f);
  plan.mutable_stage(0)->mutable_optimizer()->clear_schedule();
  plan.mutable_stage(0)->set_checkpoint_every(1);
  const absl::Status status =
      Train(Options(World(), plan, FreshOutput("nan")), TheRuntime()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(IsNonFinite(status));
  EXPECT_THAT(status.message(), HasSubstr("lower the learning rate"));
  EXPECT_FALSE(fs::exists(World() + "/nan/model"));
}

TEST(TrainerTest, CountsMediaThatCannotBeDecodedAndStopsAboveOnePercent) {
  std::string captions = ReadText(World() + "/caption.jsonl");
  WriteText(World() + "/images/bad.png", "this is not a picture");
  WriteText(World() + "/bad.jsonl",
            captions + R"({"image": "images/bad.png", "caption": "red"})" + "\n");
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_source(0)->set_path("bad.jsonl");
  plan.mutable_stage(0)->set_batch(5);
  plan.mutable_stage(0)->set_steps(5);  // each record once
  const absl::Status status =
      Train(Options(World(), plan, FreshOutput("bad")), TheRuntime()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_FALSE(IsNonFinite(status)) << "the same code for another reason";
  EXPECT_THAT(status.message(), HasSubstr("1 of 25"));
  EXPECT_THAT(status.message(), HasSubstr("bad.png"));
  EXPECT_THAT(ReadText(World() + "/bad/log.jsonl"), HasSubstr("bad.jsonl:25"));
  // Rare enough, it is left out and counted.
  std::string many;
  for (int i = 0; i < 6; ++i) many += captions;
  WriteText(World() + "/rare.jsonl",
            many + R"({"image": "images/bad.png", "caption": "red"})" + "\n");
  plan.mutable_stage(0)->mutable_source(0)->set_path("rare.jsonl");
  plan.mutable_stage(0)->set_steps(29);
  TrainOk(Options(World(), plan, FreshOutput("rare")));
  EXPECT_EQ(Json::parse(ReadText(World() + "/rare/results.json")).at("decode_failures"), 1);
}

// A stage over records of the modality of training/testdata/faulty.cc.
TrainingPlan FaultyPlan(const std::string& fault) {
  WriteText(World() + "/faulty.textproto", R"(
    name: "faulty"
    task {
      name: "feel"
      input { name: "image" modality: "faulty" }
      prompt: " what is it?"
      target: " {caption:text}"
      metric: "exact_match"
    })");
  TrainingPlan plan = Parse(R"(
    name: "faulty" seed: 5 model: "base/model" templates: "faulty.textproto"
    new_modality {
      modality { id: "faulty" }
      connection { shared_type_row: -1 }
    }
    stage {
      name: "connection" trainable: "connection:faulty" steps: 2 batch: 6
      optimizer { learning_rate: 1e-2 }
      source { name: "feel" task: "feel" path: "caption.jsonl" }
    })");
  auto& options = *plan.mutable_new_modality(0)->mutable_modality()->mutable_options();
  if (!fault.empty()) options["fault"] = fault;
  return plan;
}

TEST(TrainerTest, AModalityThatDoesNotWorkIsNotTakenForDamagedFiles) {
  TrainOk(Options(World(), FaultyPlan(""), FreshOutput("faultless")));
  const std::pair<const char*, const char*> faults[] = {{"configuration", "the lens was never set"},
                                                        {"lost_file", "lens.bin"}};
  for (const auto& [fault, says] : faults) {
    const TrainingPlan plan = FaultyPlan(fault);
    const absl::Status status =
        Train(Options(World(), plan, FreshOutput("faulty")), TheRuntime()).status();
    EXPECT_THAT(status.message(), HasSubstr(says));
    EXPECT_NE(status.code(), absl::StatusCode::kOutOfRange);
    EXPECT_THAT(ReadText(World() + "/faulty/log.jsonl"), Not(HasSubstr(says)));
  }
}

TEST(TrainerTest, AnErrorOfAnEncoderIsNotTakenForALossThatIsNotANumber) {
  const TrainingPlan plan = FaultyPlan("encoder");
  const absl::Status status =
      Train(Options(World(), plan, FreshOutput("faulty_encoder")), TheRuntime()).status();
  EXPECT_THAT(status.message(), HasSubstr("the lens turned past its end"));
  EXPECT_THAT(status.message(), Not(HasSubstr("learning rate")));
  EXPECT_FALSE(IsNonFinite(status));
}

TEST(TrainerTest, NamesTheFieldOfAPlanThatDoesNotFitModelOrData) {
  struct Case {
    const char* expected;
    std::function<void(TrainingPlan*)> spoil;
  };
  const std::vector<Case> cases = {
      {"stage[0].source[0].task: ",
       [](TrainingPlan* p) { p->mutable_stage(0)->mutable_source(0)->set_task("sing"); }},
      {"stage[0].source[0]: ",
       [](TrainingPlan* p) { p->mutable_stage(0)->mutable_source(0)->set_path("copy.jsonl"); }},
      {"stage[0]: trainable",
       [](TrainingPlan* p) { p->mutable_stage(0)->set_trainable(0, "modality:depth"); }},
      {"stage[0].source[0]: task \"copy\" (text only) reaches none of the parameters that the "
       "stage "
       "trains (connection:image)",
       [](TrainingPlan* p) {
         p->mutable_stage(0)->mutable_source(0)->set_task("copy");
         p->mutable_stage(0)->mutable_source(0)->set_path("copy.jsonl");
       }},
      {"plugin[0]: ", [](TrainingPlan* p) { p->add_plugin("depth"); }},
      {"reset: ", [](TrainingPlan* p) { p->add_reset("modality.depth"); }},
      {"new_modality[0]: ",
       [](TrainingPlan* p) { p->add_new_modality()->mutable_modality()->set_id("image"); }},
  };
  for (const Case& test : cases) {
    TrainingPlan plan = Parse(kAdapterPlan);
    test.spoil(&plan);
    const absl::Status status =
        Train(Options(World(), plan, FreshOutput("unfit")), TheRuntime()).status();
    EXPECT_FALSE(status.ok()) << test.expected;
    EXPECT_THAT(status.message(), HasSubstr(test.expected));
  }
}

TEST(TrainerTest, DrawsPartsAnewAndSaysSo) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.set_random_backbone(true);
  plan.add_reset("connection.image");
  TrainOk(Options(World(), plan, FreshOutput("random")));
  for (const ReceiptEntry& entry : ReceiptOf("random").entries) {
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

// The base model over `records`, answers going to `results`.
absl::StatusOr<EvaluationResult> EvaluateBase(const std::string& records,
                                              const std::string& results) {
  PipelineOptions options;
  options.model = World() + "/base/model";
  options.templates = {World() + "/tasks.textproto"};
  options.runtime.threads = 1;
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Pipeline::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task("caption"));
  UNIVAL_ASSIGN_OR_RETURN(auto source, OpenTaskSource(*task, records, {}, 0));
  EvaluationOptions evaluation;
  evaluation.results_file = results;
  return Evaluate(*pipeline, "caption", *source, evaluation);
}

TEST(TrainerTest, AnEvaluationNeverWritesOverItsOwnData) {
  const std::string data = World() + "/own.jsonl", before = ReadText(World() + "/caption.jsonl");
  WriteText(data, before);
  fs::remove(World() + "/link.jsonl");
  fs::create_symlink("own.jsonl", World() + "/link.jsonl");
  for (const std::string& results : {data, World() + "/link.jsonl"}) {
    const absl::Status status = EvaluateBase(data, results).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("choose another name"));
  }
  EXPECT_EQ(ReadText(data), before);
  EXPECT_EQ(EvaluateBase(data, World() + "/nowhere/out.jsonl").status().code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(EvaluateBase(data, World() + "/out.jsonl").ok());
  const std::string answers = ReadText(World() + "/out.jsonl");
  EXPECT_EQ(std::count(answers.begin(), answers.end(), '\n'), kImages);
}

TEST(TrainerTest, MissingMediaCountAsWrongAndTooManyOfThemAreAnError) {
  const std::string captions = ReadText(World() + "/caption.jsonl");
  const auto gone = [](const std::string& image) {
    return Json{{"image", image}, {"caption", "red"}}.dump() + "\n";
  };
  WriteText(World() + "/gone.jsonl", gone("images/gone.png") + gone("gone.tar:1.png") + captions);
  auto few = EvaluateBase(World() + "/gone.jsonl", World() + "/gone.out");
  ASSERT_TRUE(few.ok()) << few.status();
  EXPECT_EQ(few->samples, kImages + 2);
  EXPECT_EQ(few->unreadable, 2);
  EXPECT_THAT(few->first_unreadable, HasSubstr("images/gone.png"));
  EXPECT_EQ(CheckReadable(*few), absl::OkStatus());
  EXPECT_THAT(ReadText(World() + "/gone.out"), HasSubstr("gone.tar:1.png"));
  WriteText(World() + "/gone.jsonl",
            gone("images/gone.png") + gone("gone.tar:1.png") + gone("images/lost.png") + captions);
  auto many = EvaluateBase(World() + "/gone.jsonl", "");
  ASSERT_TRUE(many.ok()) << many.status();
  const absl::Status status = CheckReadable(*many);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(status.message(), HasSubstr("3 of 27"));
  EXPECT_THAT(status.message(), HasSubstr("images/gone.png"));
}

Lineage LastLineage(const std::string& directory) {
  const auto model = ModelDirectory::Open(directory);
  EXPECT_TRUE(model.ok()) << model.status();
  return *(*model)->manifest().lineage().rbegin();
}

// What lineages held before they took the hash of adapters.
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
  for (const char* edit : {"role", "after", "changed", "shape", "drawn", "kind", "copy", "order"}) {
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

// Stops a run after two steps, damages a file of its checkpoint, and goes on.
absl::Status ResumeDamaged(const std::string& file,
                           const std::function<std::string(std::string)>& damage) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.clear_evaluation();
  TrainOptions options = Options(World(), plan, FreshOutput("damaged"));
  options.stop_after_step = 2;
  TrainOk(options);
  const std::string path = World() + "/damaged/checkpoint/000000002/" + file;
  WriteText(path, damage(ReadText(path)));
  options.resume = true;
  return Train(options, TheRuntime()).status();
}

TEST(TrainerTest, ADamagedCheckpointIsRefusedByName) {
  const auto flip = [](std::string bytes) {
    bytes[bytes.size() - 5] ^= 4;
    return bytes;
  };
  EXPECT_THAT(std::string(ResumeDamaged("tensors.safetensors", flip).message()),
              HasSubstr("tensors.safetensors: damaged checkpoint"));
  for (const auto& [field, value] : std::vector<std::pair<const char*, int>>{
           {"stage", -1}, {"stage", 99}, {"step", -3}, {"stage_step", 1000}, {"last_loss", 7}}) {
    const auto edit = [&](std::string text) {
      Json json = Json::parse(text);
      json[field] = value;
      return json.dump();
    };
    EXPECT_THAT(std::string(ResumeDamaged("state.json", edit).message()),
                HasSubstr("state.json: damaged checkpoint"))
        << field << " " << value;
  }
}

TEST(TrainerTest, APlaceOutsideThePlanIsRefusedWithoutHashesToo) {
  for (const int stage : {-1, 99}) {
    const auto edit = [&](std::string text) {
      Json json = Json::parse(text);
      json.erase("state_sha256");
      json["stage"] = stage;
      return json.dump();
    };
    EXPECT_THAT(std::string(ResumeDamaged("state.json", edit).message()),
                HasSubstr("damaged checkpoint"));
  }
}

TEST(TrainerTest, OneRunAtATimeWritesToAFolder) {
  const std::string output = FreshOutput("locked");
  fs::create_directories(World() + "/" + output);
  auto lock = FolderLock::Take(World() + "/" + output);
  ASSERT_TRUE(lock.ok()) << lock.status();
  const absl::Status status =
      Train(Options(World(), Parse(kAdapterPlan), output), TheRuntime()).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("another process is writing"));
}

class ThrowingSource : public Source {
 public:
  const std::string& path() const override { return path_; }
  int64_t size() const override { return 8; }
  absl::StatusOr<TaskSample> Read(int64_t) const override {
    throw std::runtime_error("the disk is on fire");
  }
  std::string fingerprint() const override { return ""; }

 private:
  const std::string path_ = "throwing";
};

TEST(TrainerTest, AnExceptionOnALoaderThreadIsAnError) {
  ThrowingSource source;
  SamplerOptions sampling;
  sampling.sources = {{"throwing", 8, 1, 0, 2}};
  auto sampler = BalancedSampler::Create(sampling);
  ASSERT_TRUE(sampler.ok()) << sampler.status();
  LoaderOptions options;
  options.sources = {{"throwing", nullptr, &source, false}};
  options.end_step = 1;
  BatchLoader loader(options, *std::move(sampler));
  EXPECT_THAT(loader.Next().status().message(), HasSubstr("on fire"));
}

TEST(TrainerTest, AMediaFileIsReadForItsKeyOnceInARun) {
  PipelineOptions opened;
  opened.model = World() + "/base/model";
  opened.templates = {World() + "/tasks.textproto"};
  opened.runtime.threads = 1;
  auto pipeline = Pipeline::Create(opened);
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  const Task* task = (*pipeline)->task("caption").value();
  auto source = OpenTaskSource(*task, World() + "/caption.jsonl", {}, 0);
  ASSERT_TRUE(source.ok()) << source.status();
  SamplerOptions sampling;
  sampling.sources = {{"caption", kImages, 1, 0, 6}};
  MediaKeys keys;
  LoaderOptions options;
  options.model = &(*pipeline)->model();
  options.sources = {{"caption", task, source->get(), false}};
  options.frozen = {{"image", nullptr}};
  options.variants = 1;
  options.keys = &keys;
  options.end_step = 2 * kImages / 6;
  std::map<std::string, int> seen;
  BatchLoader loader(options, *BalancedSampler::Create(sampling));
  for (int64_t step = 0; step < options.end_step; ++step) {
    auto batch = loader.Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    for (const PendingFeatures& pending : batch->pending) ++seen[pending.key];
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kImages));
  EXPECT_EQ(keys.hashed(), kImages) << "two epochs";
}

TEST(TrainerTest, RefusesToResumeWithOtherTemplates) {
  WriteText(World() + "/changing.textproto", kTasks);
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.set_templates(0, "changing.textproto");
  TrainOptions options = Options(World(), plan, FreshOutput("reworded"));
  options.stop_after_step = 2;
  TrainOk(options);
  options.resume = true;
  std::string text = kTasks;
  text.replace(text.find("describe"), 8, "show");
  WriteText(World() + "/changing.textproto", text);
  EXPECT_THAT(Train(options, TheRuntime()).status().message(),
              HasSubstr("cannot resume: templates[0]"));
}

// A file that changes while the run goes on cannot make its records contradict one another.
TEST(TrainerTest, TheTemplatesOfARunAreThoseThatItBeganWith) {
  WriteText(World() + "/live.textproto", kTasks);
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.set_templates(0, "live.textproto");
  TrainOptions options = Options(World(), plan, FreshOutput("live"));
  options.progress = [](const ProgressRecord&) {
    WriteText(World() + "/live.textproto", "not a set");
  };
  EXPECT_TRUE(TrainOk(options).finished);
  const auto began = ParseTemplateSet(kTasks, "live.textproto", ".");
  EXPECT_EQ(Json::parse(ReadText(World() + "/live/results.json")).at("template_hash"),
            TemplateSetHash(*began));
}

// Rows of the token embedding by the text of their piece.
std::map<std::string, at::Tensor> RowsByText(const Model& model) {
  std::map<std::string, at::Tensor> rows;
  for (const NamedTensor& entry : model.State()) {
    if (entry.name != "backbone.encoder.embed_tokens.weight") continue;
    for (int64_t id = 0; id < model.vocabulary().size(); ++id) {
      const std::string text = model.vocabulary().DecodeText({id}).value();
      if (!text.empty()) rows[text] = entry.tensor[id];
    }
  }
  return rows;
}

double MeanSquare(const std::map<std::string, at::Tensor>& rows) {
  double sum = 0;
  for (const auto& entry : rows) sum += entry.second.square().mean().item<double>();
  return sum / static_cast<double>(rows.size());
}

TEST(TrainerTest, AFreshModelStartsFromAnotherWithAnotherTokenizer) {
  std::string corpus;
  for (const char* text : {" red", " green", " blue", " yellow quartz", " copy: red zebra"})
    for (int i = 0; i < 20; ++i) absl::StrAppend(&corpus, text, "\n");
  fs::create_directories(World() + "/other_tokenizer");
  TokenizerTraining training;
  training.corpus = WriteText(World() + "/other.txt", corpus);
  training.output = World() + "/other_tokenizer/tokenizer.model";
  training.vocabulary_size = 60;
  ASSERT_TRUE(TheRuntime().registry().TrainTokenizer("sentencepiece", training).ok());
  TrainingPlan plan = Parse(kFreshPlan);
  plan.set_tokenizer_directory("other_tokenizer");
  plan.set_start_from("base/model");
  plan.mutable_stage(0)->set_steps(1);
  plan.mutable_stage(0)->mutable_optimizer()->set_learning_rate(1e-20f);
  TrainOk(Options(World(), plan, FreshOutput("from_another")));
  auto parent = Model::Load(World() + "/base/model", TheRuntime());
  auto child = Model::Load(World() + "/from_another/model", TheRuntime());
  ASSERT_TRUE(parent.ok()) << parent.status();
  ASSERT_TRUE(child.ok()) << child.status();
  std::map<std::string, at::Tensor> of_parent;
  for (const NamedTensor& entry : (*parent)->State()) of_parent[entry.name] = entry.tensor;
  for (const NamedTensor& entry : (*child)->State()) {
    const bool fits = of_parent.at(entry.name).sizes() == entry.tensor.sizes();
    if (fits && !entry.is_buffer) {
      EXPECT_TRUE(of_parent.at(entry.name).equal(entry.tensor)) << entry.name;
    }
  }
  const auto before = RowsByText(**parent), after = RowsByText(**child);
  std::map<std::string, at::Tensor> taken, fresh;
  for (const auto& [text, row] : after) {
    (before.count(text) > 0 ? taken : fresh)[text] = row;
    if (before.count(text) > 0) {
      EXPECT_TRUE(row.equal(before.at(text))) << text;
    }
  }
  EXPECT_GT(taken.size(), 5u);
  ASSERT_GT(fresh.size(), 2u);
  EXPECT_NEAR(MeanSquare(fresh), MeanSquare(taken), 0.1 * MeanSquare(taken));
  EXPECT_EQ((*child)->manifest().lineage(0).parent_backbone_sha256(),
            (*parent)->BackboneHash().value());
}

TEST(TrainerTest, AFrozenLanguageModelIsAskedWhetherItCanSayTheTargets) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->set_steps(1);
  *plan.add_evaluation() = Parse(kFreshPlan).evaluation(0);
  TrainOptions options = Options(World(), plan, FreshOutput("asked"));
  options.quiet = false;
  ::testing::internal::CaptureStderr();
  TrainResult result = TrainOk(options);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("cannot repeat 3 of 3 target texts"));
  EXPECT_THAT(said, HasSubstr("\"green\" (it says"));
  EXPECT_THAT(said, HasSubstr("trainable: \"backbone\""));
  // After one step nothing is right; the result says what the constant answer gets, and why.
  const EvaluationResult& caption = result.evaluations["caption"];
  ASSERT_TRUE(caption.constant);
  EXPECT_EQ(caption.constant->text, "red");
  EXPECT_EQ(caption.constant->metrics.at("exact_match"), 0.5);
  EXPECT_THAT(caption.diagnosis, HasSubstr("always answering \"red\" (0.500)"));
  EXPECT_THAT(caption.diagnosis, HasSubstr("the language model cannot say them"));
  EXPECT_THAT(said, HasSubstr(caption.diagnosis));
  const Json results = Json::parse(ReadText(World() + "/asked/results.json"));
  EXPECT_EQ(results.at("evaluations").at("caption").at("constant").at("answer"), "red");

  plan.mutable_stage(0)->set_trainable(0, "backbone");
  TrainOptions trains = Options(World(), plan, FreshOutput("not_asked"));
  trains.quiet = false;
  ::testing::internal::CaptureStderr();
  TrainOk(trains);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("cannot repeat")));
}

TEST(TrainerTest, TrainsInBfloat16) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->set_precision("bfloat16");
  TrainOk(Options(World(), plan, FreshOutput("bfloat16")));
  const std::vector<double> exact = Losses("uncached"), reduced = Losses("bfloat16");
  ASSERT_EQ(reduced.size(), 12u);
  EXPECT_NE(exact, reduced);
  for (size_t i = 0; i < exact.size() && i < reduced.size(); ++i)
    EXPECT_NEAR(exact[i], reduced[i], 0.1);
}

}  // namespace

// What the killed process runs.
int TrainChild(const std::string& folder, const std::string& output) {
  const TrainingPlan plan = KilledPlan();
  return Train(Options(folder, plan, output), TheRuntime()).ok() ? 0 : 1;
}

}  // namespace unival

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == "--train-child")
    return unival::TrainChild(argv[2], argv[3]);
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
