// A connector of two layers: beside the linear map of a connection, W2 gelu(W1 x + b1) + b2 of the
// same features, as in LLaVA 1.5 (Liu et al., 2023), with the linear map as its shortcut. W2 and b2
// begin as zeros, so that a fresh connector leaves the connection as it is; a stage trains it alone
// or together with the connection.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/gelu.h>

#include "absl/strings/str_cat.h"
#include "backbone/adapters/adapter_kind.h"
#include "backbone/adapters/module_tree.h"
#include "backbone/connection/connection.h"
#include "backbone/layers/basic.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

class TwoLayers : public torch::nn::Module {
 public:
  TwoLayers(int64_t in, int64_t hidden, int64_t out, double dropout) : dropout_(dropout) {
    fc1_ = register_module("fc1", std::make_shared<layers::Linear>(in, hidden));
    fc2_ = register_module("fc2", std::make_shared<layers::Linear>(hidden, out, /*gain=*/0));
  }

  at::Tensor forward(const at::Tensor& x) const {
    const at::Tensor hidden = at::gelu(fc1_->forward(x));
    return fc2_->forward(layers::Dropout(hidden, dropout_, is_training()));
  }

 private:
  double dropout_;
  std::shared_ptr<layers::Linear> fc1_, fc2_;
};

void CompleteTwoLayer(const BackboneConfig& backbone, AdapterConfig* config) {
  if (!config->has_hidden()) config->set_hidden(backbone.d_model());
  if (!config->has_dropout()) config->set_dropout(0);
}

absl::Status AttachTwoLayer(const AdapterConfig& config, torch::nn::Module& backbone,
                            const std::shared_ptr<torch::nn::Module>& adapter) {
  const std::string path = absl::StrCat("connections.", config.modality());
  const auto modules = backbone.named_modules(/*name_prefix=*/"", /*include_self=*/false);
  const auto* found = modules.find(path);
  auto* connection = found == nullptr ? nullptr : dynamic_cast<Connection*>(found->get());
  if (connection == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("modality: expected one that the model has a connection ", "of, got \"",
                     config.modality(), "\"; name one of the model, or add it by new_modality"));
  }
  const int64_t width = connection->named_parameters(/*recurse=*/false)["bias"].size(0);
  auto part = std::make_shared<TwoLayers>(connection->config().feature_dim(), config.hidden(),
                                          width, config.dropout());
  RegisterAt(adapter, path, part);
  connection->branches().Add(
      {config.id(), [part](const at::Tensor& x) { return part->forward(x); }});
  return absl::OkStatus();
}

const Registered<AdapterKind> kTwoLayer({"two_layer",
                                         "Two layers beside the linear map of a connection",
                                         {"modality", "hidden", "dropout"},
                                         &CompleteTwoLayer,
                                         &AttachTwoLayer});

}  // namespace
}  // namespace unival
