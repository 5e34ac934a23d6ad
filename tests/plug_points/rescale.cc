// The adapter kind "rescale" for tests: each hidden unit of the feed-forward blocks is multiplied
// by a trained factor, as in (IA)^3 (Liu et al., 2022). This file is all that a new kind needs
// (docs/plug_points.md).

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/adapters/adapter_kind.h"
#include "backbone/adapters/module_tree.h"
#include "backbone/layers/basic.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

bool IsHidden(absl::string_view path, const torch::nn::Module&) {
  return absl::EndsWith(path, ".fc1");
}

void CompleteRescale(const BackboneConfig&, AdapterConfig* config) {
  if (config->option().count("strength") == 0) (*config->mutable_option())["strength"] = 1;
}

absl::Status CheckRescale(const AdapterConfig& config) {
  for (const auto& [name, value] : config.option()) {
    if (name == "strength" && value > 0 && value <= 10) continue;
    return FieldError(absl::StrCat("option[\"", name, "\"]"), "\"strength\", above 0 to 10", value);
  }
  return absl::OkStatus();
}

absl::Status AttachRescale(const AdapterConfig& config, torch::nn::Module& backbone,
                           const std::shared_ptr<torch::nn::Module>& adapter) {
  UNIVAL_ASSIGN_OR_RETURN(const auto sites, SelectSites(config, backbone, {"all"}, &IsHidden));
  const double strength = config.option().at("strength");
  for (const AdapterSite& site : sites) {
    auto& linear = dynamic_cast<layers::Linear&>(*site.module);
    const at::Tensor scale =
        ModuleAt(adapter, site.path)
            ->register_parameter("scale", at::zeros({linear.weight().size(0)}));
    linear.branches().AddBehind(
        {config.id(), [=](const at::Tensor& y) { return y * (1 + scale * strength); }});
  }
  return absl::OkStatus();
}

const Registered<AdapterKind> kRescale({"rescale",
                                        "Scales of the feed-forward blocks",
                                        {"target", "option"},
                                        &CompleteRescale,
                                        &AttachRescale,
                                        /*merge=*/nullptr,
                                        &CheckRescale});

}  // namespace
}  // namespace unival
