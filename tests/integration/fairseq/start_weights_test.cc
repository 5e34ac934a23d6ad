// Converts BART and networks of other projects, from which the reference's training starts, to a
// model directory. The files are written here from the tensors of a golden checkpoint, with the
// names that those projects use.
#include "upstream/fairseq/start_weights.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "backbone/storage/model_directory.h"
#include "modalities/networks/networks.h"
#include "runtime/test_runtime.h"
#include "runtime/torch_file/torch_file_writer.h"
#include "sdk/native/feature_encoder.h"
#include "upstream/conversion_host.h"
#include "upstream/fairseq/convert.h"
#include "upstream/fairseq/tensor_of_view.h"

namespace unival {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kGolden[] = "tests/golden/checkpoints/fp32_args_namespace.pt";
constexpr char kImages[] = "encoder.embed_images.";

TensorMap GoldenTensors() {
  const auto checkpoint = FairseqCheckpoint::Open(kGolden).value();
  TensorMap tensors;
  for (const auto& [name, view] : checkpoint->model()) {
    tensors[name] = TensorOfView(view, checkpoint->keeper());
  }
  return tensors;
}

// A file of torch.save: a dict of float32 tensors; with a `key`, the dict is the value of that key.
std::string Save(const std::string& name, const TensorMap& tensors, const std::string& key = "") {
  PickleWriter pickle;
  ZipFiles files;
  if (!key.empty()) pickle.Op('}').Op('(').Text(key);
  pickle.Op('}').Op('(');
  for (const auto& [tensor_name, tensor] : tensors) {
    const at::Tensor plain = tensor.to(at::kFloat).contiguous();
    PickleWriter::TensorSpec spec;
    spec.key = std::to_string(files.size());
    spec.elements = plain.numel();
    spec.shape = plain.sizes().vec();
    spec.strides = plain.strides().vec();
    pickle.Text(tensor_name).Tensor(spec);
    files.emplace_back(absl::StrCat("a/data/", spec.key),
                       std::string(static_cast<const char*>(plain.data_ptr()), plain.nbytes()));
  }
  pickle.Op('u');
  if (!key.empty()) pickle.Op('u');
  pickle.Op('.');
  files.insert(files.begin(), {"a/data.pkl", pickle.bytes()});
  const std::string path = absl::StrCat(::testing::TempDir(), "/", name);
  std::ofstream(path, std::ios::binary) << ZipArchive(files);
  return path;
}

// The tensors of BART; one layer has the names of older files.
TensorMap BartTensors(const TensorMap& golden) {
  TensorMap bart;
  for (const auto& [name, tensor] : golden) {
    bool kept = name == "encoder.embed_tokens.weight" || name == "encoder.embed_positions.weight" ||
                name == "decoder.embed_positions.weight";
    for (const char* part : {".q_proj", ".k_proj", ".v_proj", ".out_proj", "_layer_norm.", ".fc1.",
                             ".fc2.", ".layernorm_embedding."}) {
      kept = kept || absl::StrContains(name, part);
    }
    if (kept && !absl::StrContains(name, "patch_") && !absl::StrContains(name, "code_")) {
      bart[name] = tensor;
    }
  }
  const std::string layer = "encoder.layers.0.";
  for (const char* kind : {"weight", "bias"}) {
    std::vector<at::Tensor> joint;
    for (const char* part : {"q", "k", "v"}) {
      auto taken = bart.extract(absl::StrCat(layer, "self_attn.", part, "_proj.", kind));
      joint.push_back(taken.mapped());
    }
    bart[absl::StrCat(layer, "self_attn.in_proj_", kind)] = at::cat(joint);
    auto norm = bart.extract(absl::StrCat(layer, "self_attn_layer_norm.", kind));
    bart[absl::StrCat(layer, "layer_norms.0.", kind)] = norm.mapped();
  }
  bart["classification_heads.mnli.dense.weight"] = at::ones({2, 2});
  return bart;
}

TensorMap NetworkTensors(const TensorMap& golden, const std::string& prefix,
                         const std::string& wrapper) {
  TensorMap network;
  for (const auto& [name, tensor] : golden) {
    absl::string_view inner = name;
    if (!absl::ConsumePrefix(&inner, prefix)) continue;
    if (absl::EndsWith(inner, "num_batches_tracked")) continue;  // older files have none
    network[absl::StrCat(wrapper, inner)] = tensor;
  }
  return network;
}

absl::StatusOr<FairseqConversion> Convert(const StartFiles& files, const std::string& directory,
                                          int64_t vocabulary = 40) {
  auto start = AssembleStart(files);
  if (!start.ok()) return start.status();
  auto host = ConversionHost(TheRuntime(), "");
  if (!host.ok()) return host.status();
  FairseqConversionOptions options;
  options.may_be_fresh = start->may_be_fresh;
  options.vocabulary = vocabulary;
  options.overwrite = true;
  return ConvertFairseq(*start->checkpoint, files.bart, directory, options, *host);
}

TEST(StartWeights, BartAndAResnetBecomeTheModelThatPretrainingStartsFrom) {
  const TensorMap golden = GoldenTensors();
  StartFiles files;
  files.bart = Save("bart.pt", BartTensors(golden), "model");
  files.image = Save("resnet.pth", NetworkTensors(golden, kImages, "module."), "state_dict");
  const std::string directory = ::testing::TempDir() + "/start";
  const auto report = Convert(files, directory);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->missing, IsEmpty());
  EXPECT_THAT(report->unexpected, IsEmpty());
  EXPECT_THAT(report->fresh, Contains(HasSubstr("encoder.layers.0.self_attn.c_attn")));
  EXPECT_THAT(report->fresh, Contains(HasSubstr("encoder.image_proj.weight")));

  const auto model = ModelDirectory::Open(directory).value();
  const TensorMap backbone = model->ReadComponent("backbone").value();
  for (const auto& [name, tensor] : BartTensors(golden)) {
    const auto found = backbone.find(name);
    if (found == backbone.end()) continue;  // old names, checked below; not token rows
    EXPECT_TRUE(found->second.equal(tensor)) << name;
  }
  for (const char* name :
       {"encoder.layers.0.self_attn.k_proj.weight", "encoder.layers.0.self_attn.v_proj.bias",
        "encoder.layers.0.self_attn_layer_norm.weight"}) {
    EXPECT_TRUE(backbone.at(name).equal(golden.at(name))) << name;
  }
  const TensorMap image = model->ReadComponent("modality.image").value();
  for (const auto& [name, tensor] : NetworkTensors(golden, kImages, "")) {
    if (absl::StartsWith(name, "fc.")) continue;
    EXPECT_TRUE(image.at(name).equal(tensor)) << name;
  }
}

TEST(StartWeights, TheEmbeddingGrowsBehindTheRowsOfBart) {
  const TensorMap golden = GoldenTensors();
  StartFiles files;
  files.bart = Save("bart_rows.pt", BartTensors(golden), "model");
  const std::string directory = ::testing::TempDir() + "/rows";
  // The golden checkpoint has 4 special tokens, 18 words and <mask>; 8,192 codes and 1,000 bins
  // follow.
  ASSERT_TRUE(Convert(files, directory, PublishedVocabularySize(18)).ok());
  const auto model = ModelDirectory::Open(directory).value();
  const at::Tensor words = model->ReadComponent("tokens.core.bpe").value().at("rows");
  EXPECT_TRUE(words.equal(golden.at("encoder.embed_tokens.weight").slice(0, 4, 22)));
  const at::Tensor codes = model->ReadComponent("tokens.core.image_code").value().at("rows");
  EXPECT_EQ(codes.size(0), 8192);
  EXPECT_NEAR(codes.std().item<double>(), 1 / std::sqrt(16.0), 1e-2);
}

TEST(StartWeights, AudioKeepsTheMelFiltersThatItsNetworkWasTrainedWith) {
  EncoderConfig config;
  PannEncoder& pann = *config.mutable_pann();
  pann.set_layers(6);
  pann.set_sample_rate_hz(32000);
  pann.set_unused_classes(527);
  const TensorMap network = NamedTensors(*MakeFeatureEncoder(config).value());
  TensorMap named;
  for (const auto& [name, tensor] : network) {
    if (tensor.is_floating_point()) named[absl::StrCat("sed_model.", name)] = tensor;
  }
  StartFiles files;
  files.bart = Save("bart_audio.pt", BartTensors(GoldenTensors()), "model");
  files.audio = Save("cnn6.pth", named, "model");
  const std::string directory = ::testing::TempDir() + "/audio";
  const auto report = Convert(files, directory);
  ASSERT_TRUE(report.ok()) << report.status();
  const auto model = ModelDirectory::Open(directory).value();
  ASSERT_EQ(model->manifest().modality_size(), 1);
  const ModalityConfig& audio = model->manifest().modality(0);
  EXPECT_EQ(audio.options().at("filter_rate"), "32000");
  EXPECT_EQ(audio.audio().sample_rate_hz(), 48000);

  named["sed_model.logmel_extractor.melW"] = at::rand({513, 64});
  files.audio = Save("cnn6_other.pth", named, "model");
  EXPECT_THAT(std::string(Convert(files, directory).status().message()),
              HasSubstr("this preprocessing cannot be reproduced"));
}

TEST(StartWeights, NamesTheFileAndWhatItLacks) {
  const TensorMap golden = GoldenTensors();
  StartFiles files;
  files.bart = Save("timm.pth", NetworkTensors(golden, kImages, ""));
  EXPECT_THAT(std::string(AssembleStart(files).status().message()),
              AllOf(HasSubstr("timm.pth"), HasSubstr("expected fairseq's BART")));
  TensorMap bart = BartTensors(golden);
  files.bart = Save("whole.pt", bart, "model");
  files.audio = Save("no_audio.pth", NetworkTensors(golden, kImages, ""));
  EXPECT_THAT(std::string(AssembleStart(files).status().message()),
              AllOf(HasSubstr("no_audio.pth"), HasSubstr("not a network for audio")));
  files.audio.clear();
  EXPECT_THAT(std::string(Convert(files, ::testing::TempDir() + "/cut", 20).status().message()),
              HasSubstr("23 rows, but the vocabulary has 20"));
  bart.erase("decoder.layers.0.fc2.bias");
  files.bart = Save("cut.pt", bart, "model");
  TensorMap network = NetworkTensors(golden, kImages, "");
  network.erase("bn1.weight");
  files.image = Save("cut.pth", network);
  EXPECT_THAT(std::string(Convert(files, ::testing::TempDir() + "/cut").status().message()),
              AllOf(HasSubstr("missing: decoder.layers.0.fc2.bias"),
                    HasSubstr("missing: encoder.embed_images.bn1.weight")));
}

}  // namespace
}  // namespace unival
