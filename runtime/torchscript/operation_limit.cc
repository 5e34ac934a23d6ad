#include "runtime/torchscript/operation_limit.h"

#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

constexpr char kBegin[] = "unival::begin_operation", kLook[] = "unival::look_at_results",
               kGrow[] = "unival::look_at_growth", kRound[] = "unival::begin_round";

thread_local OperationLimit* current_operations = nullptr;

// Lists of numbers are as long as they say; what lists and dictionaries hold was looked at when it
// was made.
void LookAt(OperationLimit& limit, const c10::IValue& value) {
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    if (tensor.defined()) limit.LookAtSize("values", tensor.numel(), kMaxTensorValues);
  } else if (value.isString()) {
    limit.LookAtSize("bytes of a text", static_cast<int64_t>(value.toStringRef().size()),
                     kMaxListEntries);
  } else if (value.isGenericDict()) {
    limit.LookAtSize("entries of a dictionary", static_cast<int64_t>(value.toGenericDict().size()),
                     kMaxListEntries);
  } else if (value.isList()) {
    const c10::ArrayRef<c10::IValue> list = value.toListRef();
    limit.LookAtSize("entries of a list", static_cast<int64_t>(list.size()), kMaxListEntries);
    if (!value.isTensorList()) return;
    for (const c10::IValue& entry : list) LookAt(limit, entry);
  }
}

void LookAtResults(torch::jit::Stack& stack) {
  const int64_t count = torch::jit::pop(stack).toInt();
  const std::vector<c10::IValue> values(stack.end() - count, stack.end());
  torch::jit::drop(stack, static_cast<size_t>(count));
  if (current_operations == nullptr) return;
  for (const c10::IValue& value : values) LookAt(*current_operations, value);
}

int64_t Times(int64_t left, int64_t right) {
  int64_t product = 0;
  return __builtin_mul_overflow(left, right, &product) ? INT64_MAX : product;
}

// How many tensors come of `values`: a tensor, sizes or counts, and the dimension that is cut.
int64_t Pieces(const std::string& operation, const std::vector<c10::IValue>& values) {
  if (!values.front().isTensor() || !values.back().isInt()) return 0;
  const at::Tensor& tensor = values.front().toTensor();
  const int64_t dim = values.back().toInt();
  if (dim < -tensor.dim() || dim >= tensor.dim()) return 0;
  const int64_t size = tensor.size(dim);
  if (values.size() < 3) return size;
  if (!values[1].isInt()) return 0;
  const int64_t number = std::max<int64_t>(values[1].toInt(), 1);
  const bool says_size = operation == "aten::split" || operation == "aten::unsafe_split";
  return says_size ? size / number : std::min(number, size);
}

// The most entries that an operation can make of `values`: it repeats a list as often as a number
// says, so the bound is the product of the numbers, the lengths and the sizes.
int64_t Entries(const std::vector<c10::IValue>& values) {
  int64_t entries = 1;
  for (const c10::IValue& value : values) {
    int64_t factor = 1;
    if (value.isInt()) factor = value.toInt();
    if (value.isString()) factor = static_cast<int64_t>(value.toStringRef().size());
    if (value.isList()) factor = static_cast<int64_t>(value.toListRef().size());
    if (value.isTensor()) factor = value.toTensor().numel();
    entries = Times(entries, std::max<int64_t>(factor, 1));
  }
  return entries;
}

// Of texts that are put into one another, each once.
int64_t TotalText(const std::vector<c10::IValue>& values) {
  int64_t bytes = 0;
  for (const c10::IValue& value : values) {
    if (value.isString()) bytes += static_cast<int64_t>(value.toStringRef().size());
  }
  return bytes;
}

// Looks at what an operation is given, since it would take the memory before its result is seen.
void LookAtGrowth(torch::jit::Stack& stack) {
  const int64_t count = torch::jit::pop(stack).toInt();
  const std::vector<c10::IValue> values(stack.end() - count, stack.end());
  torch::jit::drop(stack, static_cast<size_t>(count));
  if (current_operations == nullptr) return;
  const std::string& operation = current_operations->operation();
  int64_t size = 0;
  if (operation == "aten::format") {
    size = TotalText(values);
  } else if (values.front().isTensor() && values.back().isInt()) {
    size = Pieces(operation, values);
  } else {
    size = Entries(values);
  }
  current_operations->LookAtSize("entries", size, kMaxListEntries);
}

void BeginOperation(torch::jit::Stack& stack) {
  const c10::IValue name = torch::jit::pop(stack);
  if (current_operations != nullptr) current_operations->Begin(name.toStringRef());
}

void BeginRound(torch::jit::Stack&) {
  if (current_operations != nullptr) current_operations->BeginRound();
}

// Taken for operators with effects, so that no optimisation of libtorch's drops them or moves an
// operation past them. A program from a file cannot hold them: operators.h does not list them.
void RegisterLooks() {
  static const bool kRegistered = [] {
    const auto add = [](const std::string& schema, void (*run)(torch::jit::Stack&)) {
      torch::jit::registerOperator(
          torch::jit::Operator(schema, run, c10::AliasAnalysisKind::CONSERVATIVE));
    };
    add(absl::StrCat(kBegin, "(str name) -> ()"), &BeginOperation);
    add(absl::StrCat(kRound, "() -> ()"), &BeginRound);
    add(absl::StrCat(kGrow, "(...) -> ()"), &LookAtGrowth);
    add(absl::StrCat(kLook, "(...) -> ()"), &LookAtResults);
    return true;
  }();
  (void)kRegistered;
}

bool CanBeLarge(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
    case c10::TypeKind::ListType:
    case c10::TypeKind::DictType:
    case c10::TypeKind::StringType:
    case c10::TypeKind::OptionalType:
      return true;
    default:
      return false;
  }
}

// Of the language itself, these alone make a value larger than what they are given.
bool IsOperation(const torch::jit::Node& node) {
  const c10::Symbol kind = node.kind();
  return kind.is_aten() || std::string(kind.toQualString()) == "prim::rangelist" ||
         std::string(kind.toQualString()) == "prim::tolist";
}

// What makes many of one, as often as a number says.
bool MultipliesEntries(const torch::jit::Node& node) {
  static const auto* const kNames = new std::unordered_set<std::string>{
      "aten::format",       "prim::rangelist",   "prim::tolist", "aten::_tensor_to_list",
      "aten::unbind",       "aten::split",       "aten::chunk",  "aten::unsafe_split",
      "aten::unsafe_chunk", "aten::tensor_split"};
  const std::string name = node.kind().toQualString();
  if (name == "aten::mul") return node.inputs().at(0)->type()->kind() == c10::TypeKind::ListType;
  return kNames->count(name) > 0;
}

torch::jit::Node* NewLook(torch::jit::Node& of, const char* name) {
  torch::jit::Node* look =
      of.owningGraph()->create(c10::Symbol::fromQualString(name), /*num_outputs=*/0);
  look->setSourceRange(of.sourceRange());
  return look;
}

void LimitNode(torch::jit::Node& node) {
  torch::jit::WithInsertPoint at(&node);
  torch::jit::Node* begin = NewLook(node, kBegin);
  begin->addInput(node.owningGraph()->insertConstant(std::string(node.kind().toQualString()),
                                                     node.sourceRange()));
  begin->insertBefore(&node);
  if (MultipliesEntries(node)) {
    torch::jit::Node* grow = NewLook(node, kGrow);
    for (torch::jit::Value* input : node.inputs()) grow->addInput(input);
    grow->insertBefore(&node);
  }
  torch::jit::Node* look = NewLook(node, kLook);
  // An operation in place changes an input, and returns it.
  for (torch::jit::Value* output : node.outputs()) {
    if (CanBeLarge(output->type())) look->addInput(output);
  }
  // "append", "extend" and the like return nothing.
  if (node.outputs().empty()) {
    for (torch::jit::Value* input : node.inputs()) {
      if (CanBeLarge(input->type())) look->addInput(input);
    }
  }
  if (look->inputs().empty()) {
    look->destroy();
  } else {
    look->insertAfter(&node);
  }
}

void LimitOperationsOf(torch::jit::Block& block) {
  std::vector<torch::jit::Node*> nodes(block.nodes().begin(), block.nodes().end());
  for (torch::jit::Node* node : nodes) {
    for (torch::jit::Block* inner : node->blocks()) LimitOperationsOf(*inner);
    if (node->kind() == c10::prim::Loop) node->blocks().at(0)->prependNode(NewLook(*node, kRound));
    if (IsOperation(*node)) LimitNode(*node);
  }
}

}  // namespace

void LimitOperations(const torch::jit::Module& module) {
  RegisterLooks();
  for (torch::jit::Function* function : module._ivalue()->compilation_unit()->get_functions()) {
    torch::jit::GraphFunction* with_graph = torch::jit::tryToGraphFunction(*function);
    if (with_graph != nullptr) LimitOperationsOf(*with_graph->graph()->block());
  }
}

OperationLimit::OperationLimit(double loop_seconds)
    : begin_(std::chrono::steady_clock::now()), loop_seconds_(loop_seconds) {
  current_operations = this;
}

OperationLimit::~OperationLimit() { current_operations = nullptr; }

bool OperationLimit::IsAfter(double seconds) const {
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin_;
  return took.count() >= seconds;
}

void OperationLimit::EndLate(std::string failure) {
  is_late_ = true;
  failure_ = std::move(failure);
  throw std::runtime_error(failure_);
}

void OperationLimit::BeginRound() {
  if (!IsAfter(loop_seconds_)) return;
  EndLate(absl::StrCat("its loops have not ended after ", loop_seconds_, " s"));
}

void OperationLimit::Begin(const std::string& operation) {
  const double seconds = 2 * loop_seconds_;
  if (IsAfter(seconds)) {
    EndLate(absl::StrCat("has not ended after ", seconds, " s, behind ",
                         operation_.empty() ? "its beginning" : operation_));
  }
  operation_ = operation;
}

void OperationLimit::LookAtSize(const char* of, int64_t size, int64_t most) {
  if (size <= most) return;
  failure_ = absl::StrCat(operation_, " gives ", size, " ", of, ", at most ", most);
  throw std::runtime_error(failure_);
}

}  // namespace unival
