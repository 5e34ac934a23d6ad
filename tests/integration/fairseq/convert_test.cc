// Checkpoints of the reference's trainer are converted and loaded, and their logits are compared
// with the reference's.
#include "upstream/fairseq/convert.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <set>

#include "backbone/model/backbone.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/safetensors.h"
#include "runtime/model.h"
#include "runtime/test_runtime.h"
#include "runtime/torch_file/torch_file.h"
#include "runtime/torch_file/torch_file_writer.h"
#include "runtime/torch_file/zip_directory.h"
#include "sdk/base/test_files.h"
#include "sdk/native/feature_encoder.h"
#include "upstream/conversion_host.h"
#include "upstream/parity/byte_tokenizer.h"

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kFolder[] = "tests/golden/checkpoints/";
// 4 special tokens, these and <mask> make the checkpoints' 23 rows.
constexpr int kWords = 18;

FairseqConversionHost HostWithTokenizer() {
  const std::string folder = testing::TempDir() + "/tokenizer";
  EXPECT_TRUE(parity::WriteByteTokenizer(folder, kWords).ok());
  auto host = ConversionHost(TheRuntime(), folder);
  EXPECT_TRUE(host.ok()) << host.status();
  return *std::move(host);
}

absl::StatusOr<FairseqConversion> Convert(const std::string& checkpoint, const std::string& model,
                                          FairseqConversionOptions options = {}) {
  options.overwrite = true;
  return ConvertFairseq(checkpoint, model, options, HostWithTokenizer());
}

std::string Target() { return testing::TempDir() + "/model"; }

// Largest difference between the loaded model's logits and the reference's.
double LogitsDifference(const std::string& directory, const std::string& expected) {
  const TensorMap golden = ReadSafetensors(std::string(kFolder) + "forward.safetensors").value();
  const auto loaded = Model::Load(directory, TheRuntime());
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  if (!loaded.ok()) return INFINITY;
  const at::NoGradGuard no_grad;
  auto* network = dynamic_cast<FeatureEncoder*>((*loaded)->modality("image")->module().get());
  ModelInput input;
  input.source_tokens = golden.at("src_tokens");
  input.segments = {{"image", {0, 1}, GridFeatures(network->forward(golden.at("patch_images")))}};
  Backbone& backbone = (*loaded)->backbone();
  const at::Tensor logits =
      backbone.Decode(backbone.Encode(input), golden.at("prev_output_tokens"));
  return (logits - golden.at(expected)).abs().max().item<double>();
}

TEST(ConvertFairseq, GivesTheLogitsOfTheReference) {
  const auto report = Convert(std::string(kFolder) + "fp32_args_namespace.pt", Target());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->modalities, ElementsAre("image"));
  EXPECT_THAT(report->unused, SizeIs(2));
  EXPECT_EQ(report->vocabulary, 23);
  EXPECT_LT(LogitsDifference(Target(), "seed17/logits"), 2e-5);
}

TEST(ConvertFairseq, TakesTheMovingAverageOnRequest) {
  FairseqConversionOptions options;
  options.ema = true;
  const auto report = Convert(std::string(kFolder) + "fp32_with_ema.pt", Target(), options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_LT(LogitsDifference(Target(), "seed18/logits"), 2e-5);
  EXPECT_GT(LogitsDifference(Target(), "seed17/logits"), 1e-2);
  const auto none = Convert(std::string(kFolder) + "fp32_args_namespace.pt", Target(), options);
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("no moving average"));
}

TEST(ConvertFairseq, HalfPrecisionStaysHalf) {
  ASSERT_TRUE(Convert(std::string(kFolder) + "fp16_cfg_namespace.pt", Target()).ok());
  EXPECT_LT(LogitsDifference(Target(), "seed17/logits"), 2e-2);
  const TensorMap stored =
      ModelDirectory::Open(Target()).value()->ReadComponent("backbone").value();
  EXPECT_EQ(stored.at("encoder.layer_norm.weight").scalar_type(), at::kHalf);
  // Rounding the same weights here gives the same files.
  const std::string rounded = testing::TempDir() + "/rounded";
  FairseqConversionOptions options;
  options.half = true;
  ASSERT_TRUE(Convert(std::string(kFolder) + "fp32_args_namespace.pt", rounded, options).ok());
  const TensorMap ours = ModelDirectory::Open(rounded).value()->ReadComponent("backbone").value();
  EXPECT_EQ(TensorsSha256(ours).value(), TensorsSha256(stored).value());
  EXPECT_LT(LogitsDifference(rounded, "seed17/logits"), 2e-2);
}

// The golden checkpoint with one tensor's name replaced by another of the same length.
std::string Renamed(const std::string& from, const std::string& to) {
  std::string bytes = ReadText(std::string(kFolder) + "fp32_args_namespace.pt");
  const size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos);
  bytes.replace(at, to.size(), to);
  return WriteText(testing::TempDir() + "/renamed.pt", bytes);
}

TEST(ConvertFairseq, NamesMissingAndUnexpectedTensorsAndFailsUnlessTold) {
  const std::string renamed = Renamed("encoder.layer_norm.weight", "encoder.layer_norm.we_ght");
  std::filesystem::remove_all(Target());
  const auto refused = Convert(renamed, Target());
  EXPECT_TRUE(absl::IsInvalidArgument(refused.status()));
  EXPECT_THAT(std::string(refused.status().message()),
              AllOf(HasSubstr("missing: encoder.layer_norm.weight Float [16]"),
                    HasSubstr("unexpected: encoder.layer_norm.we_ght F32 [16]")));
  EXPECT_FALSE(std::filesystem::exists(Target()));
  FairseqConversionOptions options;
  options.allow_missing = options.allow_unexpected = true;
  const auto report = Convert(renamed, Target(), options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->missing, ElementsAre(HasSubstr("encoder.layer_norm.weight")));
  EXPECT_THAT(report->unexpected, ElementsAre(HasSubstr("encoder.layer_norm.we_ght")));
  EXPECT_TRUE(Model::Load(Target(), TheRuntime()).ok());
}

// The golden checkpoint after averaging by the reference's script: every int64 storage is float32.
std::string Averaged(float off) {
  const std::string bytes = ReadText(std::string(kFolder) + "fp32_args_namespace.pt");
  const ZipDirectory entries = ParseZipDirectory(bytes).value();
  const TorchFile file = ParseTorchFile(bytes).value();
  std::set<std::string> integers;
  for (const PickleStorage& storage : file.pickle.storages()) {
    if (storage.dtype == SafetensorsDtype::kI64) integers.insert(std::string(storage.key));
  }
  ZipFiles files;
  for (const auto& [name, entry] : entries) {
    std::string content = bytes.substr(entry.offset, entry.size);
    const std::string type = "LongStorage";
    for (size_t at = content.find(type); at != std::string::npos; at = content.find(type)) {
      content.replace(at, type.size(), "FloatStorage");
    }
    if (integers.count(name.substr(name.rfind('/') + 1)) > 0) {
      std::string narrow;
      for (size_t at = 0; at < content.size(); at += sizeof(int64_t)) {
        int64_t value = 0;
        std::memcpy(&value, &content[at], sizeof(value));
        const float averaged = static_cast<float>(value) + off;
        narrow.append(reinterpret_cast<const char*>(&averaged), sizeof(averaged));
      }
      content = narrow;
    }
    files.emplace_back(name, content);
  }
  EXPECT_FALSE(integers.empty());
  return WriteText(testing::TempDir() + "/averaged.pt", ZipArchive(files));
}

TEST(ConvertFairseq, TakesTheIntegersOfAveragedCheckpoints) {
  const auto report = Convert(Averaged(0), Target());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_LT(LogitsDifference(Target(), "seed17/logits"), 2e-5);
  EXPECT_THAT(std::string(Convert(Averaged(0.5), Target()).status().message()),
              HasSubstr("does not fit"));
}

TEST(ConvertFairseq, RefusesADictionaryOfAnotherSize) {
  FairseqConversionHost host = HostWithTokenizer();
  host.text_size = 17;
  const auto refused =
      ConvertFairseq(std::string(kFolder) + "fp32_args_namespace.pt", Target() + "2", {}, host);
  EXPECT_THAT(std::string(refused.status().message()),
              AllOf(HasSubstr("17 of the dictionary"), HasSubstr("got 23 rows")));
}

}  // namespace
}  // namespace unival
