#include "runtime/torchscript/loop_limit.h"

#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <stdexcept>
#include <string>

namespace unival {

namespace {

constexpr char kTick[] = "unival::look_at_the_time";

thread_local LoopLimit* current_limit = nullptr;

std::chrono::steady_clock::time_point After(double seconds) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(
             std::chrono::duration<double>(seconds));
}

}  // namespace

void LookAtTheTime() {
  if (current_limit == nullptr || std::chrono::steady_clock::now() < current_limit->end_) return;
  current_limit->was_reached_ = true;
  throw std::runtime_error("a loop has not ended in time");
}

namespace {

// Taken for an operator with effects, so that no optimisation of libtorch's drops it. A program
// from a file cannot hold it: operators.h does not list it.
void RegisterTick() {
  static const bool kRegistered = [] {
    torch::jit::registerOperator(torch::jit::Operator(
        std::string(kTick) + "() -> ()", [](torch::jit::Stack&) { LookAtTheTime(); },
        c10::AliasAnalysisKind::CONSERVATIVE));
    return true;
  }();
  (void)kRegistered;
}

void LimitBlock(torch::jit::Block& block) {
  for (torch::jit::Node* node : block.nodes()) {
    for (torch::jit::Block* inner : node->blocks()) LimitBlock(*inner);
    if (node->kind() != c10::prim::Loop) continue;
    torch::jit::Node* tick =
        block.owningGraph()->create(c10::Symbol::fromQualString(kTick), /*num_outputs=*/0);
    tick->setSourceRange(node->sourceRange());
    node->blocks().at(0)->prependNode(tick);
  }
}

}  // namespace

void LimitLoops(const torch::jit::Module& module) {
  RegisterTick();
  for (torch::jit::Function* function : module._ivalue()->compilation_unit()->get_functions()) {
    torch::jit::GraphFunction* with_graph = torch::jit::tryToGraphFunction(*function);
    if (with_graph != nullptr) LimitBlock(*with_graph->graph()->block());
  }
}

LoopLimit::LoopLimit(double seconds) : end_(After(seconds)) { current_limit = this; }

LoopLimit::~LoopLimit() { current_limit = nullptr; }

}  // namespace unival
