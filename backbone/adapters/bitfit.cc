// BitFit (Ben Zaken et al., 2021): only biases are trained, of linear maps and norms. The biases of
// the base stay; what is trained is their change, which begins as zeros.
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "backbone/adapters/adapter_kind.h"
#include "backbone/adapters/module_tree.h"
#include "backbone/layers/basic.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr char kBias[] = "bias";

// The module's own bias; undefined where it has none.
at::Tensor BiasOf(const torch::nn::Module& module) {
  const auto parameters = module.named_parameters(/*recurse=*/false);
  const at::Tensor* bias = parameters.find(kBias);
  return bias == nullptr ? at::Tensor() : *bias;
}

bool HasBias(absl::string_view, const torch::nn::Module& module) {
  return dynamic_cast<const layers::Branched*>(&module) != nullptr && BiasOf(module).defined();
}

void CompleteBitFit(const BackboneConfig&, AdapterConfig*) {}

absl::Status AttachBitFit(const AdapterConfig& config, torch::nn::Module& backbone,
                          const std::shared_ptr<torch::nn::Module>& adapter) {
  UNIVAL_ASSIGN_OR_RETURN(const auto sites, SelectSites(config, backbone, {"all"}, &HasBias));
  for (const AdapterSite& site : sites) {
    const at::Tensor change =
        ModuleAt(adapter, site.path)
            ->register_parameter(kBias, at::zeros(BiasOf(*site.module).sizes()));
    dynamic_cast<layers::Branched&>(*site.module)
        .branches()
        .Add({config.id(), [change](const at::Tensor&) { return change; }});
  }
  return absl::OkStatus();
}

absl::StatusOr<WeightChanges> MergeBitFit(const AdapterConfig&,
                                          const std::map<std::string, at::Tensor>& tensors) {
  WeightChanges changes;
  for (const auto& [name, change] : tensors) changes[name] = change.to(at::kDouble);
  return changes;
}

const Registered<AdapterKind> kBitFit({"bitfit",
                                       "Change of the biases of linear maps and norms",
                                       {"target"},
                                       &CompleteBitFit,
                                       &AttachBitFit,
                                       &MergeBitFit});

}  // namespace
}  // namespace unival
