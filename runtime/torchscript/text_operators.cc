#include "runtime/torchscript/text_operators.h"

#include <torch/csrc/jit/runtime/operator.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

// How long a result may become: as all inputs together, or as their product (a width, a text in
// the place of each of another's bytes).
enum class Growth { kSum, kProduct };

int64_t SizeOf(const c10::IValue& value) {
  if (value.isString()) return static_cast<int64_t>(value.toStringRef().size());
  if (!value.isList()) return 0;
  int64_t size = 0;
  for (const c10::IValue& entry : value.toListRef()) size += SizeOf(entry) + 1;
  return size;
}

bool IsTooLong(const std::vector<c10::IValue>& values, Growth growth) {
  int64_t sum = 0, product = 1;
  for (const c10::IValue& value : values) {
    const int64_t size =
        value.isInt() && growth == Growth::kProduct ? value.toInt() : SizeOf(value);
    sum += std::min(size, kMaxText + 1);
    if (__builtin_mul_overflow(product, std::max<int64_t>(size, 1), &product)) return true;
  }
  return (growth == Growth::kSum ? sum : product) > kMaxText;
}

void Bound(const std::shared_ptr<torch::jit::Operator>& original, Growth growth) {
  const c10::FunctionSchema schema = original->schema();
  torch::jit::Operation run = original->getOperation();
  const std::string name = schema.name();
  const auto bounded = [run, name, growth, schema](torch::jit::Stack& stack) mutable {
    // Where there may be any number of inputs, the number of them lies on top.
    const size_t on_top = schema.is_vararg() ? 1 : 0;
    const size_t count = schema.is_vararg() ? stack.back().toInt() : schema.arguments().size();
    const std::vector<c10::IValue> values(stack.end() - on_top - count, stack.end() - on_top);
    if (IsTooLong(values, growth)) {
      throw std::runtime_error(
          absl::StrCat(name, " would give a text of more than ", kMaxText, " bytes"));
    }
    run(stack);
  };
  torch::jit::deregisterOperator(schema);
  torch::jit::registerOperator(torch::jit::Operator(
      c10::toString(schema), torch::jit::Operation(bounded), original->aliasAnalysisKind()));
}

bool MakesText(const c10::FunctionSchema& schema) {
  return schema.returns().size() == 1 &&
         schema.returns()[0].type()->kind() == c10::TypeKind::StringType;
}

void BoundAll() {
  const std::pair<const char*, Growth> operators[] = {
      {"aten::add", Growth::kSum},           {"aten::format", Growth::kSum},
      {"aten::percentFormat", Growth::kSum}, {"aten::join", Growth::kProduct},
      {"aten::replace", Growth::kProduct},   {"aten::zfill", Growth::kProduct},
      {"aten::ljust", Growth::kProduct},     {"aten::rjust", Growth::kProduct},
      {"aten::center", Growth::kProduct},    {"aten::expandtabs", Growth::kProduct}};
  for (const auto& [name, growth] : operators) {
    const auto overloads = torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(name));
    for (const auto& overload : overloads) {
      if (MakesText(overload->schema())) Bound(overload, growth);
    }
  }
}

}  // namespace

void BoundTextOperators() {
  static const bool kDone = [] {
    BoundAll();
    return true;
  }();
  (void)kDone;
}

}  // namespace unival
