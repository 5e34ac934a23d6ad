// unival: grouped_optimizer.h
//
// One optimizer of any type over several groups of parameters, each with a learning rate and a
// weight decay of its own: what BERT's recipe does with biases and the weights of norms.
//
//   ParameterGroup still;                       // no decay for biases and norms
//   still.vectors = true;
//   UNIVAL_ASSIGN_OR_RETURN(auto optimizer,
//                           CreateGroupedOptimizer("adamw", config, {still}, parameters));
#ifndef UNIVAL_TRAINING_OPTIMIZER_GROUPED_OPTIMIZER_H_
#define UNIVAL_TRAINING_OPTIMIZER_GROUPED_OPTIMIZER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "training/optimizer/optimizer.h"

namespace unival {

struct ParameterGroup {
  std::vector<std::function<bool(const std::string& name)>> names;  // any of these takes it
  bool vectors = false;  // also parameters of at most one dimension
  double rate_scale = 1;
  double weight_decay = 0;

  bool Takes(const NamedTensor& parameter) const;
};

// Makes the optimizer. A parameter belongs to the first group that takes it; parameters that no
// group takes follow `config`. Without groups the result is that of CreateOptimizer, also in a
// checkpoint. Errors: those of CreateOptimizer; NotFound, with its number, for a group that takes
// none of the `parameters` (unless there are none).
absl::StatusOr<std::unique_ptr<Optimizer>> CreateGroupedOptimizer(
    absl::string_view name, const OptimizerConfig& config,
    const std::vector<ParameterGroup>& groups, std::vector<NamedTensor> parameters);

}  // namespace unival

#endif  // UNIVAL_TRAINING_OPTIMIZER_GROUPED_OPTIMIZER_H_
