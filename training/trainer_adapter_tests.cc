#include "training/trainer_adapter_tests.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/collate.h"
#include "sdk/base/text_format.h"

namespace unival::trainer_tests {

void PrintTo(const AdapterCase& one, std::ostream* out) { *out << one.name; }

const std::vector<AdapterCase>& AdapterCases() {
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

std::unique_ptr<Model> LoadOk(const std::string& path, const ModelLoadOptions& options) {
  auto model = Model::Load(InWorld(path), TheRuntime(), options);
  EXPECT_TRUE(model.ok()) << model.status();
  return model.ok() ? *std::move(model) : nullptr;
}

std::string FileOf(const std::string& output, const std::string& id) {
  return InWorld(absl::StrCat(output, "/model/adapter.", id, ".safetensors"));
}

const std::string& Trained(const AdapterCase& one) {
  static auto* const runs = new std::map<std::string, std::string>();
  const auto [run, is_new] = runs->emplace(one.name, one.name + "_adapter");
  if (is_new) TrainOk(Options(World(), PlanOf(one), FreshOutput(run->second)));
  return run->second;
}

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

at::Tensor PreviousTokens(int64_t rows) {
  return at::tensor({0, 7, 11, 5, 9}, at::kLong).repeat({rows, 1});
}

at::Tensor LogitsOf(const Model& model, const std::vector<int>& images) {
  const at::NoGradGuard no_grad;
  const ModelInput input = InputFor(model, images);
  Backbone& backbone = model.backbone();
  return backbone.Decode(backbone.Encode(input),
                         PreviousTokens(static_cast<int64_t>(images.size())));
}

double LargestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace unival::trainer_tests
