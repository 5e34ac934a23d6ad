// LoRA, "Low-Rank Adaptation of Large Language Models" (Hu et al., 2021): to each map y = W x + b
// it adds (alpha / rank) B A drop(x), with A [rank, in] and B [out, rank] trained. B begins as
// zeros, so that a fresh adapter changes nothing.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "backbone/adapters/adapter_kind.h"
#include "backbone/adapters/module_tree.h"
#include "backbone/layers/basic.h"
#include "backbone/layers/packed_weights.h"
#include "sdk/base/fresh_weights.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr int64_t kUsualRank = 8;
constexpr char kLoraA[] = "lora_a", kLoraB[] = "lora_b";

double ScaleOf(const AdapterConfig& config) {
  return config.alpha() / static_cast<double>(config.rank());
}

// The trained part beside one linear map.
class LoraPart : public torch::nn::Module {
 public:
  LoraPart(int64_t in, int64_t out, const AdapterConfig& config)
      : scale_(ScaleOf(config)), dropout_(config.dropout()) {
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    at::Tensor down = at::empty({config.rank(), in});
    if (NeedsFreshWeights()) down.uniform_(-bound, bound);
    a_ = register_parameter(kLoraA, down);
    b_ = register_parameter(kLoraB, at::zeros({out, config.rank()}));
  }

  at::Tensor Added(const at::Tensor& x) const {
    const at::Tensor dropped = layers::Dropout(x, dropout_, is_training());
    const at::Tensor low = layers::LinearProduct(dropped, a_, at::Tensor());
    return layers::LinearProduct(low * scale_, b_, at::Tensor());
  }

 private:
  double scale_, dropout_;
  at::Tensor a_, b_;
};

bool IsLinearMap(absl::string_view, const torch::nn::Module& module) {
  return dynamic_cast<const layers::Linear*>(&module) != nullptr;
}

void CompleteLora(const BackboneConfig&, AdapterConfig* config) {
  if (!config->has_rank()) config->set_rank(kUsualRank);
  if (!config->has_alpha()) config->set_alpha(static_cast<double>(config->rank()));
  if (!config->has_dropout()) config->set_dropout(0);
}

absl::Status AttachLora(const AdapterConfig& config, torch::nn::Module& backbone,
                        const std::shared_ptr<torch::nn::Module>& adapter) {
  UNIVAL_ASSIGN_OR_RETURN(
      const auto sites, SelectSites(config, backbone, {"attention", "feed_forward"}, &IsLinearMap));
  for (const AdapterSite& site : sites) {
    auto& linear = dynamic_cast<layers::Linear&>(*site.module);
    auto part =
        std::make_shared<LoraPart>(linear.weight().size(1), linear.weight().size(0), config);
    RegisterAt(adapter, site.path, part);
    linear.branches().Add({config.id(), [part](const at::Tensor& x) { return part->Added(x); }});
  }
  return absl::OkStatus();
}

absl::StatusOr<WeightChanges> MergeLora(const AdapterConfig& config,
                                        const std::map<std::string, at::Tensor>& tensors) {
  WeightChanges changes;
  for (const auto& [name, a] : tensors) {
    absl::string_view path = name;
    if (!absl::ConsumeSuffix(&path, kLoraA)) continue;
    const auto b = tensors.find(absl::StrCat(path, kLoraB));
    if (b == tensors.end() || a.dim() != 2 || b->second.dim() != 2 ||
        b->second.size(1) != a.size(0)) {
      return InvalidArgument(name, ": expected ", kLoraB, " of the same rank beside it, got none");
    }
    changes[absl::StrCat(path, "weight")] =
        b->second.to(at::kDouble).matmul(a.to(at::kDouble)) * ScaleOf(config);
  }
  if (2 * changes.size() == tensors.size()) return changes;
  return InvalidArgument("expected pairs of ", kLoraA, " and ", kLoraB, ", got ", tensors.size(),
                         " tensors with ", changes.size(), " pairs");
}

const Registered<AdapterKind> kLora({"lora",
                                     "Low-rank change of linear maps",
                                     {"target", "rank", "alpha", "dropout"},
                                     &CompleteLora,
                                     &AttachLora,
                                     &MergeLora});

}  // namespace
}  // namespace unival
