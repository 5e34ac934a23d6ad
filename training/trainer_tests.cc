#include "training/trainer_tests.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "modalities/io/encode.h"
#include "sdk/base/test_files.h"
#include "sdk/base/text_format.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

const char* const kTasks = R"(
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

const char* const kFreshPlan = R"(
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

const char* const kAdapterPlan = R"(
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
    options.plugins = {"training/libfaulty.so", "tests/plug_points/libextras.so"};
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

Receipt ReadReceipt(const std::string& output) {
  const std::string file = World() + "/" + output + "/receipt.json";
  auto receipt = ReceiptFromJson(ReadText(file), file);
  EXPECT_TRUE(receipt.ok()) << receipt.status();
  return receipt.ok() ? *receipt : Receipt();
}

std::map<std::string, std::string> After(const std::string& output) {
  std::map<std::string, std::string> hashes;
  for (const ReceiptEntry& entry : ReadReceipt(output).entries)
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

}  // namespace unival::trainer_tests
