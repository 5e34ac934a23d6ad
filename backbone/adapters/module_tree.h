// unival: module_tree.h - which modules of a backbone an adapter works on, and where its own
// parameters for each of them stand.
//
//   UNIVAL_ASSIGN_OR_RETURN(const auto sites,
//                           SelectSites(config, backbone, {"attention"}, &IsLinear));
//   for (const AdapterSite& site : sites) ModuleAt(adapter, site.path)->register_parameter(...);
#ifndef UNIVAL_BACKBONE_ADAPTERS_MODULE_TREE_H_
#define UNIVAL_BACKBONE_ADAPTERS_MODULE_TREE_H_

#include <torch/nn/module.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/proto/model.pb.h"

namespace unival {

struct AdapterSite {
  std::string path;  // "encoder.layers.0.self_attn.q_proj"
  std::shared_ptr<torch::nn::Module> module;
};

// InvalidArgument for a malformed target: it lists the forms of a target, or says what is wrong
// with REGEX.
absl::Status CheckAdapterTarget(const std::string& target);

// The modules for which `fits` holds and that some target of `config` selects; without targets the
// ones in `usual` count. In the order in which the backbone registers them. Connections and
// adapters are left out. NotFound for a target that selects nothing.
absl::StatusOr<std::vector<AdapterSite>> SelectSites(
    const AdapterConfig& config, torch::nn::Module& backbone, const std::vector<std::string>& usual,
    bool (*fits)(absl::string_view path, const torch::nn::Module& module));

// The module at `path` below `root`; it is made where it does not exist.
std::shared_ptr<torch::nn::Module> ModuleAt(const std::shared_ptr<torch::nn::Module>& root,
                                            const std::string& path);

// Registers `module` at `path` below `root`; the path must be free.
void RegisterAt(const std::shared_ptr<torch::nn::Module>& root, const std::string& path,
                const std::shared_ptr<torch::nn::Module>& module);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_ADAPTERS_MODULE_TREE_H_
