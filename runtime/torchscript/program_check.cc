#include "runtime/torchscript/program_check.h"

#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/torchscript/operators.h"
#include "runtime/torchscript/value_check.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using torch::jit::Block;
using torch::jit::Function;
using torch::jit::Node;

class ProgramCheck {
 public:
  // `function` with all that it leads to; `depth`: calls on the way to it.
  absl::Status Check(Function& function, size_t depth) {
    const auto [found, is_new] = functions_.emplace(&function, Seen{});
    Seen& seen = found->second;
    if (!is_new) {
      if (!seen.is_done)
        return InvalidArgument("function ", function.qualname().qualifiedName(), " calls itself");
      return absl::OkStatus();
    }
    if (depth > kMaxCallDepth)
      return InvalidArgument("functions call each other more than ", kMaxCallDepth, " deep");
    torch::jit::GraphFunction* with_graph = torch::jit::tryToGraphFunction(function);
    if (with_graph == nullptr)
      return InvalidArgument("function ", function.qualname().qualifiedName(),
                             " is code that is not in the file");
    UNIVAL_RETURN_IF_ERROR(CheckBlock(*with_graph->graph()->block(), function, depth));
    seen.is_done = true;
    if (seen.nodes <= kMaxInlinedNodes) return absl::OkStatus();
    return InvalidArgument("function ", function.qualname().qualifiedName(), " has more than ",
                           kMaxInlinedNodes, " operations with all that it calls");
  }

 private:
  struct Seen {
    bool is_done = false;
    size_t nodes = 0;  // with those of the functions that it calls
  };

  // std::map: references to `Seen` stay where they are.
  absl::Status CheckBlock(const Block& block, const Function& function, size_t depth) {
    for (const Node* node : block.nodes()) {
      ++functions_[&function].nodes;
      UNIVAL_RETURN_IF_ERROR(Place(*node, function, CheckNode(*node, function, depth)));
      for (const Block* inner : node->blocks())
        UNIVAL_RETURN_IF_ERROR(CheckBlock(*inner, function, depth));
    }
    return absl::OkStatus();
  }

  // Says where `status`, which has no place yet, arose.
  static absl::Status Place(const Node& node, const Function& function,
                            const absl::Status& status) {
    if (status.ok() || absl::StrContains(status.message(), " in function ")) return status;
    std::string line = "code";
    if (const auto place = node.sourceRange().file_line_col())
      line = absl::StrCat(std::get<0>(*place), ":", std::get<1>(*place));
    return WithMessage(status, absl::StrCat(status.message(), " (", line, " in function ",
                                            function.qualname().qualifiedName(), ")"));
  }

  absl::Status CheckNode(const Node& node, const Function& function, size_t depth) {
    const std::string name = node.kind().toQualString();
    if (!IsPureOperator(name)) {
      return InvalidArgument("operator \"", name,
                             "\" is refused: a data-only program may only compute");
    }
    // Graphs that hang on a node, as forks and closures have them, are made by what is refused.
    for (const c10::Symbol attribute : node.attributeNames()) {
      const auto kind = node.kindOf(attribute);
      if (kind == torch::jit::AttributeKind::g || kind == torch::jit::AttributeKind::gs)
        return InvalidArgument("operator \"", name, "\" has a program of its own");
    }
    if (node.kind() == c10::prim::Constant) return CheckConstant(node, function, depth);
    if (node.kind() == c10::prim::CallFunction) return CheckCallOfFunction(node, function, depth);
    if (node.kind() == c10::prim::CallMethod) return CheckCallOfMethod(node, function, depth);
    if (node.kind() == c10::prim::CreateObject) return CheckType(*node.output()->type());
    if (node.kind() == c10::prim::unchecked_cast) return CheckCast(node);
    return absl::OkStatus();
  }

  absl::Status Call(Function& called, const Function& caller, size_t depth) {
    UNIVAL_RETURN_IF_ERROR(Check(called, depth + 1));
    size_t& nodes = functions_[&caller].nodes;
    nodes = std::min(nodes + functions_[&called].nodes, kMaxInlinedNodes + 1);
    return absl::OkStatus();
  }

  absl::Status CheckConstant(const Node& node, const Function& function, size_t depth) {
    if (const auto type = node.output()->type()->cast<c10::FunctionType>())
      return Check(*type->function(), depth + 1);
    (void)function;
    const c10::optional<c10::IValue> value = torch::jit::toIValue(node.output());
    return value.has_value() ? CheckScriptValue(*value, node.output()->type()) : absl::OkStatus();
  }

  absl::Status CheckCallOfFunction(const Node& node, const Function& function, size_t depth) {
    const auto type = node.inputs().at(0)->type()->cast<c10::FunctionType>();
    if (type == nullptr) return InvalidArgument("a call of a function that only the run decides");
    return Call(*type->function(), function, depth);
  }

  absl::Status CheckCallOfMethod(const Node& node, const Function& function, size_t depth) {
    const auto type = node.inputs().at(0)->type()->cast<c10::ClassType>();
    const std::string method = node.s(c10::attr::name);
    if (type == nullptr) {
      return InvalidArgument("a call of \"", method, "\" through an interface, which only the run ",
                             "decides");
    }
    UNIVAL_RETURN_IF_ERROR(CheckType(*type));
    return Call(type->getMethod(method), function, depth);
  }

  static absl::Status CheckType(const c10::Type& type) {
    const std::string name = type.annotation_str();
    if (!absl::StrContains(name, "torch.classes")) return absl::OkStatus();
    return InvalidArgument("class ", name, " is code that is not in the file");
  }

  // A cast is allowed only from Optional[T] to T: a wrong one gives None, which the next operator
  // finds.
  static absl::Status CheckCast(const Node& node) {
    const auto optional = node.input()->type()->cast<c10::OptionalType>();
    const c10::TypePtr to = node.output()->type();
    if (node.input()->type()->isSubtypeOf(*to)) return absl::OkStatus();
    if (optional != nullptr && optional->getElementType()->isSubtypeOf(*to))
      return absl::OkStatus();
    return InvalidArgument("operator \"prim::unchecked_cast\" from ",
                           node.input()->type()->annotation_str(), " to ", to->annotation_str(),
                           " is refused; nothing proves it");
  }

  std::map<const Function*, Seen> functions_;
};

}  // namespace

absl::Status CheckScriptProgram(const torch::jit::Module& module) {
  UNIVAL_RETURN_IF_ERROR(CheckScriptValue(c10::IValue(module._ivalue()), module.type()));
  ProgramCheck check;
  UNIVAL_RETURN_IF_ERROR(check.Check(module.get_method("forward").function(), 0));
  for (Function* function : module._ivalue()->compilation_unit()->get_functions())
    UNIVAL_RETURN_IF_ERROR(check.Check(*function, 0));
  return absl::OkStatus();
}

}  // namespace unival
