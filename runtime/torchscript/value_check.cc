#include "runtime/torchscript/value_check.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/class_type.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>

#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using c10::IValue;
using c10::TypeKind;
using c10::TypePtr;

bool IsPlainTensor(const at::Tensor& tensor) {
  return !tensor.defined() ||
         (tensor.layout() == c10::kStrided && tensor.device().is_cpu() && !tensor.is_quantized());
}

class ValueCheck {
 public:
  absl::Status Check(const IValue& value, const TypePtr& type) {
    switch (type->kind()) {
      case TypeKind::TensorType:
        return Expect(value.isTensor() && IsPlainTensor(value.toTensor()), value, *type);
      case TypeKind::IntType:
        return Expect(value.isInt(), value, *type);
      case TypeKind::FloatType:
        return Expect(value.isDouble(), value, *type);
      case TypeKind::BoolType:
        return Expect(value.isBool(), value, *type);
      case TypeKind::StringType:
        return Expect(value.isString(), value, *type);
      case TypeKind::NoneType:
        return Expect(value.isNone(), value, *type);
      case TypeKind::DeviceObjType:
        return Expect(value.isDevice() && value.toDevice().is_cpu(), value, *type);
      case TypeKind::NumberType:
        return Expect(value.isInt() || value.isDouble() || value.isBool(), value, *type);
      case TypeKind::OptionalType:
        if (value.isNone()) return absl::OkStatus();
        return Check(value, type->expectRef<c10::OptionalType>().getElementType());
      case TypeKind::ListType:
        return CheckList(value, type);
      case TypeKind::TupleType:
        return CheckTuple(value, type);
      case TypeKind::DictType:
        return CheckDict(value, type);
      case TypeKind::ClassType:
        return CheckObject(value, type);
      default:
        return InvalidArgument("a value of type ", type->annotation_str(), " is refused");
    }
  }

 private:
  static absl::Status Expect(bool holds, const IValue& value, const c10::Type& type) {
    if (holds) return absl::OkStatus();
    return InvalidArgument("a value of the kind ", value.tagKind(), " stands for ",
                           type.annotation_str(), ", expected one on the CPU, dense, of that type");
  }

  absl::Status CheckList(const IValue& value, const TypePtr& type) {
    UNIVAL_RETURN_IF_ERROR(Expect(value.isList(), value, *type));
    const TypePtr item_type = type->expectRef<c10::ListType>().getElementType();
    const c10::List<IValue> list = value.toList();
    UNIVAL_RETURN_IF_ERROR(Expect(list.elementType()->isSubtypeOf(*item_type), value, *type));
    for (size_t i = 0; i < list.size(); ++i) UNIVAL_RETURN_IF_ERROR(Check(list.get(i), item_type));
    return absl::OkStatus();
  }

  absl::Status CheckTuple(const IValue& value, const TypePtr& type) {
    const auto& types = type->expectRef<c10::TupleType>().elements();
    UNIVAL_RETURN_IF_ERROR(Expect(
        value.isTuple() && value.toTuple()->elements().size() == types.size(), value, *type));
    for (size_t i = 0; i < types.size(); ++i)
      UNIVAL_RETURN_IF_ERROR(Check(value.toTuple()->elements()[i], types[i]));
    return absl::OkStatus();
  }

  absl::Status CheckDict(const IValue& value, const TypePtr& type) {
    UNIVAL_RETURN_IF_ERROR(Expect(value.isGenericDict(), value, *type));
    const auto& dict_type = type->expectRef<c10::DictType>();
    for (const auto& entry : value.toGenericDict()) {
      UNIVAL_RETURN_IF_ERROR(Check(entry.key(), dict_type.getKeyType()));
      UNIVAL_RETURN_IF_ERROR(Check(entry.value(), dict_type.getValueType()));
    }
    return absl::OkStatus();
  }

  absl::Status CheckObject(const IValue& value, const TypePtr& type) {
    const std::string name = type->annotation_str();
    if (absl::StrContains(name, "torch.classes"))
      return InvalidArgument("an object of ", name, ", whose code is not in the file");
    UNIVAL_RETURN_IF_ERROR(Expect(value.isObject(), value, *type));
    const c10::ivalue::Object& object = value.toObjectRef();
    const c10::ClassType& own = *object.type();
    UNIVAL_RETURN_IF_ERROR(Expect(own.isSubtypeOf(*type), value, *type));
    if (!objects_.insert(&object).second) return absl::OkStatus();
    UNIVAL_RETURN_IF_ERROR(Expect(object.slots().size() >= own.numAttributes(), value, *type));
    for (size_t i = 0; i < own.numAttributes(); ++i) {
      UNIVAL_RETURN_IF_ERROR(Annotate(Check(object.getSlot(i), own.getAttribute(i)), "attribute \"",
                                      own.getAttributeName(i), "\""));
    }
    return absl::OkStatus();
  }

  std::set<const c10::ivalue::Object*> objects_;  // each is looked at once
};

}  // namespace

absl::Status CheckScriptValue(const c10::IValue& value, const c10::TypePtr& type) {
  return ValueCheck().Check(value, type);
}

}  // namespace unival
