#include "backbone/layers/recompute.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <mutex>
#include <unordered_set>
#include <utility>

namespace unival {
namespace layers {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Node;
using torch::autograd::variable_list;

// What dropout draws from: the CPU's generator, and that of the device where the inputs lie.
class RandomState {
 public:
  explicit RandomState(at::Device device) {
    Remember(at::kCPU);
    if (!device.is_cpu()) Remember(device);
  }

  void Restore() {
    for (auto& [generator, state] : states_) {
      const std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_state(state);
    }
  }

 private:
  void Remember(at::Device device) {
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    at::Tensor state = generator.get_state();
    states_.emplace_back(std::move(generator), std::move(state));
  }

  std::vector<std::pair<at::Generator, at::Tensor>> states_;
};

// The settings of this thread.
struct AutocastState {
  bool cpu = at::autocast::is_cpu_enabled(), gpu = at::autocast::is_enabled();
  at::ScalarType cpu_type = at::autocast::get_autocast_cpu_dtype();
  at::ScalarType gpu_type = at::autocast::get_autocast_gpu_dtype();

  void Set() const {
    at::autocast::set_autocast_cpu_dtype(cpu_type);
    at::autocast::set_autocast_gpu_dtype(gpu_type);
    at::autocast::set_cpu_enabled(cpu);
    if (at::hasCUDA()) at::autocast::set_enabled(gpu);
  }
};

// As it was in the forward pass, from here to the end of the scope.
class ForwardAgain {
 public:
  ForwardAgain(RandomState random, const AutocastState& autocast, at::Device device)
      : random_before_(device) {
    random.Restore();
    autocast.Set();
  }
  ~ForwardAgain() {
    // Weights that were cast for this layer are kept by its graph alone.
    if (at::autocast::is_cpu_enabled() || at::autocast::is_enabled()) at::autocast::clear_cache();
    autocast_before_.Set();
    random_before_.Restore();
  }
  ForwardAgain(const ForwardAgain&) = delete;
  ForwardAgain& operator=(const ForwardAgain&) = delete;

 private:
  RandomState random_before_;
  const AutocastState autocast_before_;
};

// Apart from the graph that they come from.
variable_list Detached(const variable_list& variables) {
  variable_list detached;
  for (const at::Tensor& variable : variables) {
    detached.push_back(variable.detach().set_requires_grad(variable.requires_grad()));
  }
  return detached;
}

// Results of an operation, as inputs of a layer are without checkpoints: of a leaf autocast would
// keep the narrower copy, and add gradients in its type.
variable_list AsResults(const variable_list& leaves) {
  variable_list results;
  for (const at::Tensor& leaf : leaves) results.push_back(leaf.view_as(leaf));
  return results;
}

// The parameters that `output` was computed with: leaves of its graph that are not among `inputs`,
// in an order that is the same whenever it is computed in the same way.
variable_list ParametersOf(const at::Tensor& output, const variable_list& inputs) {
  std::unordered_set<const at::TensorImpl*> known;
  for (const at::Tensor& input : inputs) known.insert(input.unsafeGetTensorImpl());
  variable_list parameters;
  std::unordered_set<const Node*> seen;
  std::vector<Node*> open = {output.grad_fn().get()};
  while (!open.empty()) {
    Node* const node = open.back();
    open.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    if (const auto* leaf = dynamic_cast<const torch::autograd::AccumulateGrad*>(node)) {
      if (known.insert(leaf->variable.unsafeGetTensorImpl()).second)
        parameters.push_back(leaf->variable);
    }
    for (const torch::autograd::Edge& edge : node->next_edges()) {
      open.push_back(edge.function.get());
    }
  }
  return parameters;
}

struct Call : torch::CustomClassHolder {
  Call(LayerCall call, bool shares, RandomState random)
      : call(std::move(call)), shares(shares), random(std::move(random)) {}

  const LayerCall call;
  const bool shares;  // the last input goes on to the next layer
  size_t inputs = 0;  // of the variables, which parameters follow
  at::Tensor output;  // computed from them already, without its graph; until it is handed on
  const RandomState random;
  const AutocastState autocast;
};

variable_list Wanting(const variable_list& variables) {
  variable_list wanting;
  for (const at::Tensor& variable : variables) {
    if (variable.requires_grad()) wanting.push_back(variable);
  }
  return wanting;
}

// One gradient for each of the variables, undefined where none is wanted; `gradients` of those that
// want one.
variable_list Spread(const variable_list& variables, const variable_list& gradients) {
  variable_list spread;
  size_t next = 0;
  for (const at::Tensor& variable : variables) {
    spread.push_back(variable.requires_grad() ? gradients[next++] : at::Tensor());
  }
  return spread;
}

// variables: the inputs, then the parameters.
class RecomputedFunction : public torch::autograd::Function<RecomputedFunction> {
 public:
  static variable_list forward(AutogradContext* context, const c10::intrusive_ptr<Call>& call,
                               at::TensorList variables) {
    context->saved_data["call"] = at::IValue::make_capsule(call);
    context->save_for_backward(variables.vec());
    context->set_materialize_grads(false);  // to add a zero is not to add nothing: -0 + 0 is 0
    variable_list outputs = {std::move(call->output)};
    if (call->shares) outputs.push_back(variables[call->inputs - 1]);
    return outputs;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto call =
        c10::static_intrusive_pointer_cast<Call>(context->saved_data["call"].toCapsule());
    const variable_list saved = context->get_saved_variables();
    const auto first_parameter = saved.begin() + static_cast<std::ptrdiff_t>(call->inputs);
    variable_list variables = Detached({saved.begin(), first_parameter});
    const at::AutoGradMode grad_mode(true);
    const variable_list inputs = AsResults(variables);
    variable_list outputs, arriving;
    if (gradients[0].defined()) {
      outputs.push_back(Again(*call, inputs));
      arriving.push_back(gradients[0]);
    }
    // What later layers have added comes first, as it would without checkpoints.
    if (call->shares && gradients[1].defined()) {
      outputs.push_back(inputs.back());
      arriving.push_back(gradients[1]);
    }
    variables.insert(variables.end(), first_parameter, saved.end());
    variable_list result(1);  // of `call`
    const variable_list wanting = Wanting(variables);
    const variable_list found =
        outputs.empty() ? variable_list(wanting.size())
                        : torch::autograd::grad(outputs, wanting, arriving, /*retain_graph=*/{},
                                                /*create_graph=*/false, /*allow_unused=*/true);
    const variable_list spread = Spread(variables, found);
    result.insert(result.end(), spread.begin(), spread.end());
    return result;
  }

 private:
  static at::Tensor Again(const Call& call, const variable_list& inputs) {
    const ForwardAgain again(call.random, call.autocast, inputs[0].device());
    return call.call(inputs);
  }
};

}  // namespace

at::Tensor Recomputed(const LayerCall& call, std::vector<at::Tensor> inputs, at::Tensor* shared) {
  if (shared != nullptr) inputs.push_back(*shared);
  if (!at::GradMode::is_enabled()) return call(inputs);
  auto kept = c10::make_intrusive<Call>(call, shared != nullptr && shared->requires_grad(),
                                        RandomState(inputs[0].device()));
  const variable_list apart = Detached(inputs);
  const at::Tensor output = call(AsResults(apart));
  if (!output.requires_grad()) return output;
  kept->inputs = inputs.size();
  kept->output = output.detach();
  variable_list variables = std::move(inputs);
  for (at::Tensor& parameter : ParametersOf(output, apart)) variables.push_back(parameter);
  const variable_list outputs = RecomputedFunction::apply(kept, at::TensorList(variables));
  if (kept->shares) *shared = outputs[1];
  return outputs[0];
}

}  // namespace layers
}  // namespace unival
