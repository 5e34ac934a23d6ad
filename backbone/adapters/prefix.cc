// Prefix tuning (Li and Liang, 2021), without the network that its authors make the prefix by: each
// attention sees `length` keys and values of its own before those of the input.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include "backbone/adapters/adapter_kind.h"
#include "backbone/adapters/module_tree.h"
#include "backbone/layers/attention.h"
#include "sdk/base/fresh_weights.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr int64_t kUsualLength = 16;

bool IsAttention(absl::string_view, const torch::nn::Module& module) {
  return dynamic_cast<const layers::MultiheadAttention*>(&module) != nullptr;
}

void CompletePrefix(const BackboneConfig&, AdapterConfig* config) {
  if (!config->has_length()) config->set_length(kUsualLength);
}

at::Tensor DrawnRows(int64_t length, int64_t width) {
  at::Tensor rows = at::empty({length, width});
  if (NeedsFreshWeights()) rows.normal_(0, layers::kEmbeddingInitStd);
  return rows;
}

absl::Status AttachPrefix(const AdapterConfig& config, torch::nn::Module& backbone,
                          const std::shared_ptr<torch::nn::Module>& adapter) {
  UNIVAL_ASSIGN_OR_RETURN(const auto sites, SelectSites(config, backbone, {"all"}, &IsAttention));
  for (const AdapterSite& site : sites) {
    auto& attention = dynamic_cast<layers::MultiheadAttention&>(*site.module);
    const auto own = ModuleAt(adapter, site.path);
    const auto rows = [&](const char* name) {
      return own->register_parameter(name, DrawnRows(config.length(), attention.d_model()));
    };
    const at::Tensor keys = rows("prefix_keys");
    attention.AddPrefix({config.id(), keys, rows("prefix_values")});
  }
  return absl::OkStatus();
}

const Registered<AdapterKind> kPrefix({"prefix",
                                       "Trained keys and values before those of each attention",
                                       {"target", "length"},
                                       &CompletePrefix,
                                       &AttachPrefix});

}  // namespace
}  // namespace unival
