#include "backbone/adapters/adapter_kind.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "backbone/adapters/adapter_config.h"
#include "backbone/layers/attention.h"
#include "backbone/layers/branches.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

absl::StatusOr<const AdapterKind*> KindOf(const AdapterConfig& config) {
  UNIVAL_RETURN_IF_ERROR(CheckAdapterConfig(config));
  return Registered<AdapterKind>::Find(config.kind());
}

}  // namespace

absl::StatusOr<AdapterConfig> CompleteAdapterConfig(const AdapterConfig& config,
                                                    const BackboneConfig& backbone) {
  UNIVAL_ASSIGN_OR_RETURN(const AdapterKind* kind, KindOf(config));
  AdapterConfig full = config;
  full.set_id(AdapterIdOf(config));
  kind->complete(backbone, &full);
  return full;
}

absl::StatusOr<std::shared_ptr<torch::nn::Module>> AttachAdapter(const AdapterConfig& config,
                                                                 torch::nn::Module& backbone) {
  UNIVAL_ASSIGN_OR_RETURN(const AdapterKind* kind, KindOf(config));
  auto adapter = std::make_shared<torch::nn::Module>();
  const absl::Status attached = CatchTorch(absl::StrCat("adapter \"", config.id(), "\""),
                                           [&] { return kind->attach(config, backbone, adapter); });
  if (attached.ok()) return adapter;
  DetachAdapter(config.id(), backbone);
  return attached;
}

void DetachAdapter(const std::string& id, torch::nn::Module& backbone) {
  for (const auto& module : backbone.modules(/*include_self=*/false)) {
    if (auto* branched = dynamic_cast<layers::Branched*>(module.get()))
      branched->branches().Remove(id);
    if (auto* attention = dynamic_cast<layers::MultiheadAttention*>(module.get()))
      attention->RemovePrefix(id);
  }
}

absl::StatusOr<WeightChanges> MergedWeights(const AdapterConfig& config,
                                            const std::map<std::string, at::Tensor>& tensors) {
  UNIVAL_ASSIGN_OR_RETURN(const AdapterKind* kind, KindOf(config));
  if (kind->merge == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "adapter \"", config.id(), "\": expected a kind that weights of the model can ",
        "take up, got \"", config.kind(), "\"; leave it beside the model"));
  }
  return CatchTorch(absl::StrCat("merge adapter \"", config.id(), "\""),
                    [&] { return kind->merge(config, tensors); });
}

}  // namespace unival
