#include "training/optimizer/grouped_optimizer.h"

#include <ATen/core/Tensor.h>

#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

struct Part {
  std::string prefix;  // of its state's names
  double rate_scale = 1;
  std::unique_ptr<Optimizer> optimizer;
};

class GroupedOptimizer : public Optimizer {
 public:
  GroupedOptimizer(std::vector<Part> parts, std::vector<NamedTensor> parameters)
      : Optimizer(std::move(parameters)), parts_(std::move(parts)) {}

  absl::Status Step(double learning_rate) override {
    for (Part& part : parts_) {
      UNIVAL_RETURN_IF_ERROR(part.optimizer->Step(learning_rate * part.rate_scale));
    }
    return absl::OkStatus();
  }

  TensorState State() const override {
    TensorState state;
    for (const Part& part : parts_) {
      for (const auto& [name, tensor] : part.optimizer->State()) state[part.prefix + name] = tensor;
    }
    return state;
  }

  absl::Status LoadState(const TensorState& state) override {
    size_t used = 0;
    std::vector<TensorState> own(parts_.size());
    for (size_t i = 0; i < parts_.size(); ++i) {
      const std::string& prefix = parts_[i].prefix;
      for (const auto& [name, tensor] : state) {
        if (absl::StartsWith(name, prefix)) own[i][name.substr(prefix.size())] = tensor;
      }
      used += own[i].size();
    }
    if (used != state.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("optimizer state: ", state.size() - used,
                       " tensors belong to no group; the checkpoint is of another plan"));
    }
    for (size_t i = 0; i < parts_.size(); ++i) {
      UNIVAL_RETURN_IF_ERROR(parts_[i].optimizer->LoadState(own[i]));
    }
    return absl::OkStatus();
  }

 private:
  std::vector<Part> parts_;
};

// The parameters of each group, and behind them those of none.
absl::StatusOr<std::vector<std::vector<NamedTensor>>> Divide(
    const std::vector<ParameterGroup>& groups, const std::vector<NamedTensor>& parameters) {
  std::vector<std::vector<NamedTensor>> divided(groups.size() + 1);
  for (const NamedTensor& parameter : parameters) {
    size_t group = 0;
    while (group < groups.size() && !groups[group].Takes(parameter)) ++group;
    divided[group].push_back(parameter);
  }
  for (size_t i = 0; i < groups.size() && !parameters.empty(); ++i) {
    if (!divided[i].empty()) continue;
    return absl::NotFoundError(absl::StrCat(
        "optimizer.group[", i, "]: expected at least one parameter that trains, got none; correct ",
        "its pattern, or remove the group"));
  }
  return divided;
}

}  // namespace

bool ParameterGroup::Takes(const NamedTensor& parameter) const {
  if (vectors && parameter.tensor.dim() <= 1) return true;
  for (const auto& matches : names) {
    if (matches(parameter.name)) return true;
  }
  return false;
}

absl::StatusOr<std::unique_ptr<Optimizer>> CreateGroupedOptimizer(
    absl::string_view name, const OptimizerConfig& config,
    const std::vector<ParameterGroup>& groups, std::vector<NamedTensor> parameters) {
  if (groups.empty()) return CreateOptimizer(name, config, std::move(parameters));
  UNIVAL_RETURN_IF_ERROR(CheckTrainable(parameters));
  UNIVAL_ASSIGN_OR_RETURN(auto divided, Divide(groups, parameters));
  std::vector<Part> parts;
  for (size_t i = 0; i < divided.size(); ++i) {
    OptimizerConfig own = config;
    Part part;
    part.prefix = i < groups.size() ? absl::StrCat("group", i, ".") : "rest.";
    if (i < groups.size()) {
      own.weight_decay = groups[i].weight_decay;
      part.rate_scale = groups[i].rate_scale;
    }
    UNIVAL_ASSIGN_OR_RETURN(part.optimizer, CreateOptimizer(name, own, std::move(divided[i])));
    parts.push_back(std::move(part));
  }
  return std::unique_ptr<Optimizer>(
      std::make_unique<GroupedOptimizer>(std::move(parts), std::move(parameters)));
}

}  // namespace unival
