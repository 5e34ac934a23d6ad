#include "upstream/parity/runtime_model.h"

#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/feature_encoder.h"
#include "upstream/parity/published_tasks.h"

namespace unival {
namespace parity {
namespace {

constexpr char kImage[] = "image";

Manifest ManifestOf(const ReferenceModel& reference, const BackboneConfig& backbone, int pixels) {
  Manifest manifest;
  manifest.set_name("reference");
  *manifest.mutable_backbone() = backbone;
  manifest.mutable_tokenizer()->set_type(kPublishedTokenizer);
  manifest.mutable_tokenizer()->set_block(kPublishedTextBlock);
  for (const auto& [block, size] : PublishedBlockSizes()) {
    VocabularyBlock& added = *manifest.mutable_vocabulary()->add_blocks();
    added.set_id(block);
    added.add_extents()->set_size(size);
  }
  ModalityConfig& image = *manifest.add_modality();
  image = reference.config(kImage);
  SetSquare(pixels, PublishedNormalization(), PublishedNormalization(), &image);
  *manifest.add_connection() = reference.connection_config(kImage);
  return manifest;
}

// The weights, by the names that Model::State gives them.
std::map<std::string, at::Tensor> WeightsOf(ReferenceModel& reference) {
  std::map<std::string, at::Tensor> weights;
  const auto add = [&](const std::string& prefix, const torch::nn::Module& module) {
    for (const auto& item : module.named_parameters()) weights[prefix + item.key()] = item.value();
    for (const auto& item : module.named_buffers()) weights[prefix + item.key()] = item.value();
  };
  add("backbone.", reference.backbone().module());
  for (const auto& item :
       reference.backbone().module().named_children()["connections"]->named_children()) {
    add(absl::StrCat("connection.", item.key(), "."), *item.value());
  }
  add(absl::StrCat("modality.", kImage, "."), reference.network(kImage));
  return weights;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeRuntimeModel(const Fixture& fixture,
                                                        const Runtime& runtime,
                                                        ReferenceModel& reference, int pixels) {
  const Manifest manifest = ManifestOf(reference, reference.backbone().config(), pixels);
  UNIVAL_ASSIGN_OR_RETURN(
      auto model, Model::CreateFresh(manifest, fixture.TokenizerFolder(), /*seed=*/1, runtime));
  if (model->vocabulary().size() != reference.backbone().vocabulary_size()) {
    return absl::FailedPreconditionError(
        absl::StrCat("vocabulary: expected ", model->vocabulary().size(),
                     " tokens as published, got ", reference.backbone().vocabulary_size()));
  }
  const std::map<std::string, at::Tensor> weights = WeightsOf(reference);
  const at::NoGradGuard no_grad;
  for (NamedTensor& entry : model->State()) {
    const auto found = weights.find(entry.name);
    if (found == weights.end() || found->second.sizes() != entry.tensor.sizes()) {
      return absl::InternalError(absl::StrCat("the reference has no tensor like ", entry.name));
    }
    entry.tensor.set_data(found->second);
  }
  return model;
}

}  // namespace parity
}  // namespace unival
