// unival: adapter_kind.h
//
// What every kind of adapter does, and the table of those that a plan may name. An adapter attaches
// to modules of a backbone (backbone/layers/branches.h) whose own weights stay as they are; it owns
// its tensors, which live and are stored apart, so that taking it away gives the base back to the
// bit.
//
//   UNIVAL_ASSIGN_OR_RETURN(const AdapterConfig full, CompleteAdapterConfig(config, backbone));
//   UNIVAL_ASSIGN_OR_RETURN(auto adapter, AttachAdapter(full, root));
//   DetachAdapter(full.id(), root);
//
// A new kind is a file of its own, which ends with its entry in the table
// (docs/plug_points.md shows one whole):
//
//   const Registered<AdapterKind> kLora({"lora", "...", {"rank", "alpha"}, ...});
#ifndef UNIVAL_BACKBONE_ADAPTERS_ADAPTER_KIND_H_
#define UNIVAL_BACKBONE_ADAPTERS_ADAPTER_KIND_H_

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/base/registered.h"
#include "sdk/proto/model.pb.h"

namespace unival {

// Name of a tensor of the backbone -> what is added to that tensor, float64.
using WeightChanges = std::map<std::string, at::Tensor>;

struct AdapterKind {
  std::string name;     // lower_snake, as plans say it
  std::string summary;  // one line
  // Fields of AdapterConfig that it takes beside id and kind; a field that another kind takes is an
  // error in its plan.
  std::vector<std::string> fields;
  // Fills in what was left out; `config` has been checked. What it fills in is stored with the
  // adapter, so that a default may change later.
  void (*complete)(const BackboneConfig& backbone, AdapterConfig* config);
  // Makes the adapter's parameters and attaches them. The parameters for a module are registered
  // under that module's path (module_tree.h). A fresh adapter leaves the outputs of the base as
  // they are, if its kind can. On an error nothing is attached. May throw c10::Error.
  absl::Status (*attach)(const AdapterConfig& config, torch::nn::Module& backbone,
                         const std::shared_ptr<torch::nn::Module>& adapter);
  // Computes the change of the backbone's weights that has the same effect as the adapter, so that
  // the adapter can be merged. Null for kinds whose effect no change of weights has.
  absl::StatusOr<WeightChanges> (*merge)(
      const AdapterConfig& config, const std::map<std::string, at::Tensor>& tensors) = nullptr;
  // InvalidArgument for values of `option` that do not fit; null: it takes none.
  absl::Status (*check)(const AdapterConfig& config) = nullptr;
};

// `config` with its id and all defaults. Errors: those of CheckAdapterConfig, and NotFound.
absl::StatusOr<AdapterConfig> CompleteAdapterConfig(const AdapterConfig& config,
                                                    const BackboneConfig& backbone);

// The adapter's parameters and mode, as one module that the caller registers; attached to the
// modules of `backbone`. NotFound: a target or a modality that the backbone lacks; the message says
// which there are.
absl::StatusOr<std::shared_ptr<torch::nn::Module>> AttachAdapter(const AdapterConfig& config,
                                                                 torch::nn::Module& backbone);
// Detaches everything that `id` attached.
void DetachAdapter(const std::string& id, torch::nn::Module& backbone);

// The change of weights that replaces an adapter with these `tensors`, which are named as in the
// adapter's file. FailedPrecondition for a kind that no change of weights can replace;
// InvalidArgument for tensors that do not belong together.
absl::StatusOr<WeightChanges> MergedWeights(const AdapterConfig& config,
                                            const std::map<std::string, at::Tensor>& tensors);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_ADAPTERS_ADAPTER_KIND_H_
