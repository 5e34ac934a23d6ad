#include "training/run/trainable.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <unordered_set>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "backbone/model/backbone.h"
#include "sdk/base/status_macros.h"
#include "training/config/trainable_pattern.h"

namespace unival {
namespace {

using TensorSet = std::unordered_set<const c10::TensorImpl*>;

// "backbone", "connection.depth", "modality.image": what the names of a model start with.
std::set<std::string> Parts(const std::vector<NamedTensor>& state) {
  std::set<std::string> parts;
  for (const NamedTensor& entry : state) {
    size_t dot = entry.name.find('.');
    if (entry.name.compare(0, dot, "backbone") != 0 && dot != std::string::npos) {
      dot = entry.name.find('.', dot + 1);
    }
    parts.insert(entry.name.substr(0, dot));
  }
  return parts;
}

bool CanTrain(const NamedTensor& entry) {
  return !entry.is_buffer && entry.tensor.is_floating_point();
}

// Training mode for exactly the modules beneath which a tensor of `moving` lives. Outer modules
// first, since train() reaches down.
void SetModes(torch::nn::Module& module, const TensorSet& moving) {
  bool moves = false;
  for (const at::Tensor& parameter : module.parameters()) {
    moves = moves || moving.count(parameter.unsafeGetTensorImpl()) > 0;
  }
  module.train(moves);
  if (!moves) return;
  for (const auto& child : module.children()) SetModes(*child, moving);
}

// Modules inside the backbone that hold nothing but connections and adapters, `apart`.
void SetModesOfParts(torch::nn::Module& module, const TensorSet& apart, const TensorSet& moving) {
  std::vector<at::Tensor> parameters = module.parameters();
  bool only_apart = !parameters.empty();
  for (const at::Tensor& parameter : parameters) {
    only_apart = only_apart && apart.count(parameter.unsafeGetTensorImpl()) > 0;
  }
  if (only_apart) return SetModes(module, moving);
  for (const auto& child : module.children()) SetModesOfParts(*child, apart, moving);
}

// The modality that a parameter needs before it can have a gradient, empty for one that every
// example reaches: "depth" of "connection.depth.weight" and of
// "adapter.wide.connections.depth.fc1.weight".
std::string ModalityNeededBy(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, absl::MaxSplits('.', 4));
  if (parts[0] == "connection" || parts[0] == "modality") return parts[1];
  if (parts[0] == "adapter" && parts.size() > 4 && parts[2] == "connections") return parts[3];
  return "";
}

}  // namespace

bool TrainableSet::Touches(absl::string_view prefix) const {
  auto at = names.lower_bound(std::string(prefix));
  return at != names.end() && absl::StartsWith(*at, prefix);
}

absl::StatusOr<TrainableSet> SelectTrainable(const Model& model,
                                             const std::vector<std::string>& patterns) {
  const std::vector<NamedTensor> state = model.State();
  TrainableSet set;
  std::set<const c10::TensorImpl*> seen;
  std::vector<NamePredicate> predicates;
  for (const std::string& pattern : patterns) {
    UNIVAL_ASSIGN_OR_RETURN(predicates.emplace_back(), ParseTrainablePattern(pattern));
    bool matched = false;
    for (const NamedTensor& entry : state)
      matched |= CanTrain(entry) && predicates.back()(entry.name);
    if (matched) continue;
    return absl::NotFoundError(absl::StrCat(
        "trainable \"", pattern, "\": expected at least one parameter, got none; the model has ",
        absl::StrJoin(Parts(state), ", ")));
  }
  for (const NamedTensor& entry : state) {
    bool wanted = false;
    for (const NamePredicate& matches : predicates) wanted = wanted || matches(entry.name);
    if (!wanted || !CanTrain(entry) || !seen.insert(entry.tensor.unsafeGetTensorImpl()).second)
      continue;
    set.parameters.push_back(entry);
    set.names.insert(entry.name);
    set.scalar_count += entry.tensor.numel();
  }
  return set;
}

bool Reaches(const TrainableSet& set, const std::vector<std::string>& modalities) {
  for (const std::string& name : set.names) {
    const std::string needed = ModalityNeededBy(name);
    if (needed.empty() || absl::c_linear_search(modalities, needed)) return true;
  }
  return false;
}

void SetTrainingModes(const Model& model, const TrainableSet& set) {
  TensorSet apart, moving, moving_in_backbone;
  for (const NamedTensor& entry : set.parameters) {
    moving.insert(entry.tensor.unsafeGetTensorImpl());
    if (absl::StartsWith(entry.name, "backbone.")) {
      moving_in_backbone.insert(entry.tensor.unsafeGetTensorImpl());
    }
  }
  for (const NamedTensor& entry : model.State()) {
    if (absl::StartsWith(entry.name, "connection.") || absl::StartsWith(entry.name, "adapter.")) {
      apart.insert(entry.tensor.unsafeGetTensorImpl());
    }
  }
  torch::nn::Module& backbone = model.backbone().module();
  if (set.whole_backbone_drops) {
    backbone.train();
  } else {
    SetModes(backbone, moving_in_backbone);
  }
  SetModesOfParts(backbone, apart, moving);
  for (const std::string& id : model.modality_ids()) {
    Modality* modality = model.modality(id);
    if (modality == nullptr) continue;
    if (auto module = modality->module()) SetModes(*module, moving);
  }
}

void ApplyTrainable(const Model& model, const TrainableSet& set) {
  TensorSet moving;
  for (const NamedTensor& entry : set.parameters) moving.insert(entry.tensor.unsafeGetTensorImpl());
  for (const NamedTensor& entry : model.State()) {
    if (entry.is_buffer || !entry.tensor.is_floating_point()) continue;
    at::Tensor tensor = entry.tensor;
    tensor.set_requires_grad(moving.count(tensor.unsafeGetTensorImpl()) > 0);
    tensor.mutable_grad() = at::Tensor();
  }
  SetTrainingModes(model, set);
}

}  // namespace unival
