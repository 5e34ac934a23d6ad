// Bottleneck adapters (Houlsby et al., 2019): behind the last linear map of each attention and each
// feed-forward block, before the residual is added, y + up(gelu(down(y))). `up` begins as zeros, so
// that a fresh adapter changes nothing.
#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>

#include "absl/strings/match.h"
#include "backbone/adapters/adapter_kind.h"
#include "backbone/adapters/module_tree.h"
#include "backbone/layers/basic.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr int64_t kUsualHidden = 64;

class BottleneckPart : public torch::nn::Module {
 public:
  BottleneckPart(int64_t width, int64_t hidden, double dropout) : dropout_(dropout) {
    down_ = register_module("down", std::make_shared<layers::Linear>(width, hidden));
    up_ = register_module("up", std::make_shared<layers::Linear>(hidden, width, /*gain=*/0));
  }

  at::Tensor forward(const at::Tensor& y) const {
    const at::Tensor hidden = at::gelu(down_->forward(y));
    return y + up_->forward(layers::Dropout(hidden, dropout_, is_training()));
  }

 private:
  double dropout_;
  std::shared_ptr<layers::Linear> down_, up_;
};

bool EndsBlock(absl::string_view path, const torch::nn::Module& module) {
  return dynamic_cast<const layers::Linear*>(&module) != nullptr &&
         (absl::EndsWith(path, ".out_proj") || absl::EndsWith(path, ".fc2"));
}

void CompleteBottleneck(const BackboneConfig&, AdapterConfig* config) {
  if (!config->has_hidden()) config->set_hidden(kUsualHidden);
  if (!config->has_dropout()) config->set_dropout(0);
}

absl::Status AttachBottleneck(const AdapterConfig& config, torch::nn::Module& backbone,
                              const std::shared_ptr<torch::nn::Module>& adapter) {
  UNIVAL_ASSIGN_OR_RETURN(const auto sites, SelectSites(config, backbone, {"all"}, &EndsBlock));
  for (const AdapterSite& site : sites) {
    auto& linear = dynamic_cast<layers::Linear&>(*site.module);
    auto part = std::make_shared<BottleneckPart>(linear.weight().size(0), config.hidden(),
                                                 config.dropout());
    RegisterAt(adapter, site.path, part);
    linear.branches().AddBehind(
        {config.id(), [part](const at::Tensor& y) { return part->forward(y); }});
  }
  return absl::OkStatus();
}

const Registered<AdapterKind> kBottleneck(
    {"bottleneck",
     "A narrow network behind each attention and feed-forward",
     {"target", "hidden", "dropout"},
     &CompleteBottleneck,
     &AttachBottleneck});

}  // namespace
}  // namespace unival
