#include "runtime/torch_file/pickle_calls.h"

#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/torch_file/pickle_view.h"
#include "sdk/base/printable.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

struct StorageType {
  absl::string_view name;
  SafetensorsDtype dtype;
};
constexpr std::array<StorageType, 10> kStorageTypes = {{
    {"torch.DoubleStorage", SafetensorsDtype::kF64},
    {"torch.FloatStorage", SafetensorsDtype::kF32},
    {"torch.HalfStorage", SafetensorsDtype::kF16},
    {"torch.BFloat16Storage", SafetensorsDtype::kBF16},
    {"torch.LongStorage", SafetensorsDtype::kI64},
    {"torch.IntStorage", SafetensorsDtype::kI32},
    {"torch.ShortStorage", SafetensorsDtype::kI16},
    {"torch.CharStorage", SafetensorsDtype::kI8},
    {"torch.ByteStorage", SafetensorsDtype::kU8},
    {"torch.BoolStorage", SafetensorsDtype::kBool},
}};

struct KnownCall {
  absl::string_view name;
  PickleCalls::Function function;
};
constexpr std::array<KnownCall, 18> kCalls = {{
    {"torch._utils._rebuild_tensor_v2", &PickleCalls::RebuildTensor},
    {"torch._utils._rebuild_tensor", &PickleCalls::RebuildTensor},
    {"torch._utils._rebuild_parameter", &PickleCalls::RebuildParameter},
    {"torch.Size", &PickleCalls::FirstArgument},
    {"collections.OrderedDict", &PickleCalls::MakeDict},
    {"builtins.dict", &PickleCalls::MakeDict},
    {"__builtin__.dict", &PickleCalls::MakeDict},
    {"collections.defaultdict", &PickleCalls::MakeEmptyDict},
    {"builtins.set", &PickleCalls::MakeSet},
    {"__builtin__.set", &PickleCalls::MakeSet},
    {"builtins.frozenset", &PickleCalls::MakeSet},
    {"__builtin__.frozenset", &PickleCalls::MakeSet},
    // Python 2's way to write bytes: a text and the name of an encoding.
    {"_codecs.encode", &PickleCalls::FirstArgument},
    // Lists of one type, and a value with the text of its type, in files of torch.jit.save.
    {"torch.jit._pickle.build_intlist", &PickleCalls::FirstArgument},
    {"torch.jit._pickle.build_doublelist", &PickleCalls::FirstArgument},
    {"torch.jit._pickle.build_boollist", &PickleCalls::FirstArgument},
    {"torch.jit._pickle.build_tensorlist", &PickleCalls::FirstArgument},
    {"torch.jit._pickle.restore_type_tag", &PickleCalls::TypeTag},
}};

// Values that training leaves in checkpoints and that weights do not need: kept as a name with
// arguments and state.
constexpr std::array<absl::string_view, 6> kRecords = {
    "torch.device", "numpy.dtype", "numpy.core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    // Types such as List[int] in the metadata of OmegaConf.
    "operator.getitem", "_operator.getitem"};
constexpr std::array<absl::string_view, 3> kRecordModules = {"argparse.", "omegaconf.", "fairseq."};

PickleNode MakeContainer(PickleKind kind, std::vector<PickleId> items = {}) {
  PickleNode node;
  node.kind = kind;
  node.items = std::move(items);
  return node;
}

absl::StatusOr<SafetensorsDtype> StorageDtype(absl::string_view name) {
  for (const StorageType& type : kStorageTypes) {
    if (type.name == name) return type.dtype;
  }
  return InvalidArgument("storage type \"", ShownName(name), "\" is not one of ",
                         absl::StrJoin(kStorageTypes, " ", [](std::string* out, const auto& type) {
                           absl::StrAppend(out, type.name);
                         }));
}

}  // namespace

bool IsCheckpointClass(absl::string_view name) {
  for (absl::string_view known : kRecords) {
    if (name == known) return true;
  }
  for (absl::string_view module : kRecordModules) {
    if (absl::StartsWith(name, module)) return true;
  }
  return false;
}

const PickleNode* PickleCalls::Argument(PickleId arguments, size_t index) const {
  const std::vector<PickleId>& items = node(arguments).items;
  return index < items.size() ? &node(items[index]) : nullptr;
}

absl::StatusOr<std::vector<int64_t>> PickleCalls::Integers(PickleId arguments, size_t index) const {
  const PickleNode* tuple = Argument(arguments, index);
  if (tuple == nullptr || (tuple->kind != PickleKind::kTuple && tuple->kind != PickleKind::kList) ||
      tuple->items.size() > kMaxRank) {
    return InvalidArgument("argument ", index, " of a tensor is not a tuple of at most ", kMaxRank,
                           " integers");
  }
  std::vector<int64_t> integers;
  for (PickleId item : tuple->items) {
    if (node(item).kind != PickleKind::kInteger) {
      return InvalidArgument("argument ", index, " of a tensor holds something but integers");
    }
    integers.push_back(node(item).integer);
  }
  return integers;
}

// (storage, offset, shape, strides, …): gradients and hooks are of no interest.
absl::StatusOr<PickleNode> PickleCalls::RebuildTensor(PickleId arguments) {
  const PickleNode* storage = Argument(arguments, 0);
  const PickleNode* offset = Argument(arguments, 1);
  if (storage == nullptr || storage->kind != PickleKind::kStorage || offset == nullptr ||
      offset->kind != PickleKind::kInteger) {
    return InvalidArgument("a tensor is not made of a storage and an integer offset");
  }
  PickleTensor tensor;
  tensor.storage = static_cast<size_t>(storage->integer);
  tensor.offset = offset->integer;
  UNIVAL_ASSIGN_OR_RETURN(tensor.shape, Integers(arguments, 2));
  UNIVAL_ASSIGN_OR_RETURN(tensor.strides, Integers(arguments, 3));
  UNIVAL_RETURN_IF_ERROR(CheckView(tensor, pickle_.storages_[tensor.storage].elements));
  PickleNode result = MakeContainer(PickleKind::kTensor);
  result.integer = static_cast<int64_t>(pickle_.tensors_.size());
  pickle_.tensors_.push_back(std::move(tensor));
  return result;
}

absl::StatusOr<PickleNode> PickleCalls::RebuildParameter(PickleId arguments) {
  const PickleNode* tensor = Argument(arguments, 0);
  if (tensor == nullptr || tensor->kind != PickleKind::kTensor) {
    return InvalidArgument("a parameter is made of something but a tensor");
  }
  return *tensor;
}

// () or ([(key, value), …]).
absl::StatusOr<PickleNode> PickleCalls::MakeDict(PickleId arguments) {
  PickleNode dict = MakeContainer(PickleKind::kDict);
  const PickleNode* pairs = Argument(arguments, 0);
  if (pairs == nullptr) return dict;
  for (PickleId pair : pairs->items) {
    if (node(pair).items.size() != 2)
      return InvalidArgument("a dict is made of something but pairs");
    for (PickleId item : node(pair).items) dict.items.push_back(item);
  }
  return dict;
}

// The argument is the factory of a defaultdict, which is never needed when the pickle is only read.
absl::StatusOr<PickleNode> PickleCalls::MakeEmptyDict(PickleId) {
  return MakeContainer(PickleKind::kDict);
}

absl::StatusOr<PickleNode> PickleCalls::MakeSet(PickleId arguments) {
  const PickleNode* items = Argument(arguments, 0);
  return MakeContainer(PickleKind::kSet, items == nullptr ? std::vector<PickleId>{} : items->items);
}

absl::StatusOr<PickleNode> PickleCalls::FirstArgument(PickleId arguments) {
  const PickleNode* first = Argument(arguments, 0);
  if (first == nullptr) return InvalidArgument("a call without its argument");
  same_ = node(arguments).items[0];
  return *first;
}

// (value, text of its type).
absl::StatusOr<PickleNode> PickleCalls::TypeTag(PickleId arguments) {
  const PickleNode* value = Argument(arguments, 0);
  const PickleNode* type = Argument(arguments, 1);
  if (type == nullptr || type->kind != PickleKind::kText ||
      (value->kind != PickleKind::kList && value->kind != PickleKind::kDict)) {
    return InvalidArgument("a type tag is not of a list or dict and the text of its type");
  }
  pickle_.type_tags_.push_back({node(arguments).items[0], type->text});
  same_ = node(arguments).items[0];
  return *value;
}

absl::StatusOr<PickleNode> PickleCalls::Call(const PickleNode& callable, PickleId arguments) {
  if (callable.kind != PickleKind::kGlobal)
    return InvalidArgument("a call of something that has no name");
  if (node(arguments).kind != PickleKind::kTuple)
    return InvalidArgument("a call without a tuple of arguments");
  for (const KnownCall& call : kCalls) {
    if (call.name == callable.text) return (this->*call.function)(arguments);
  }
  if (is_record_(callable.text)) {
    PickleNode record = MakeContainer(PickleKind::kRecord, {arguments});
    record.text = callable.text;
    return record;
  }
  return absl::PermissionDeniedError(
      absl::StrCat("call of \"", ShownName(callable.text),
                   "\" refused: a checkpoint may only rebuild tensors. Do not trust this file"));
}

// (key, begin, elements) of checkpoints before torch 0.4.
absl::Status PickleCalls::AddView(const PickleNode& view, PickleStorage* storage) const {
  if (view.kind == PickleKind::kNone) return absl::OkStatus();
  if (view.kind != PickleKind::kTuple || view.items.size() != 3) {
    return InvalidArgument("the view of a storage is not a tuple of three");
  }
  const PickleNode &begin = node(view.items[1]), &elements = node(view.items[2]);
  storage->begin = begin.integer;
  storage->elements = elements.integer;
  if (begin.kind == PickleKind::kInteger && elements.kind == PickleKind::kInteger &&
      storage->begin >= 0 && storage->begin <= storage->root_elements && storage->elements >= 0 &&
      storage->elements <= storage->root_elements - storage->begin) {
    return absl::OkStatus();
  }
  return InvalidArgument("storage \"", ShownName(storage->key), "\": a view of ", storage->elements,
                         " elements at ", storage->begin, " of ", storage->root_elements);
}

absl::StatusOr<PickleNode> PickleCalls::Storage(const PickleNode& id) {
  constexpr std::array<PickleKind, 5> kKinds = {PickleKind::kText, PickleKind::kGlobal,
                                                PickleKind::kText, PickleKind::kText,
                                                PickleKind::kInteger};
  bool valid = id.kind == PickleKind::kTuple && (id.items.size() == 5 || id.items.size() == 6);
  for (size_t i = 0; valid && i < kKinds.size(); ++i) valid = node(id.items[i]).kind == kKinds[i];
  if (!valid || node(id.items[0]).text != "storage") {
    return InvalidArgument(
        "a persistent id is not (\"storage\", type, key, location, elements), as torch.save "
        "writes it");
  }
  PickleStorage storage;
  storage.key = node(id.items[2]).text;
  UNIVAL_ASSIGN_OR_RETURN(storage.dtype, StorageDtype(node(id.items[1]).text));
  storage.root_elements = storage.elements = node(id.items[4]).integer;
  int64_t bytes = 0;
  if (storage.elements < 0 ||
      __builtin_mul_overflow(storage.elements, DtypeSize(storage.dtype), &bytes)) {
    return InvalidArgument("storage \"", ShownName(storage.key), "\" of ", storage.elements,
                           " elements");
  }
  if (id.items.size() == 6) UNIVAL_RETURN_IF_ERROR(AddView(node(id.items[5]), &storage));
  PickleNode result = MakeContainer(PickleKind::kStorage);
  result.integer = static_cast<int64_t>(pickle_.storages_.size());
  pickle_.storages_.push_back(storage);
  return result;
}

absl::Status PickleCalls::Build(PickleId state, PickleNode* object) {
  if (object->kind == PickleKind::kRecord) {
    object->items.resize(1);
    object->items.push_back(state);
    return absl::OkStatus();
  }
  // Attributes of an OrderedDict: versions of a state_dict's modules.
  if (object->kind == PickleKind::kDict) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("state for ", object->kind == PickleKind::kGlobal ? "\"" : "a value",
                   object->kind == PickleKind::kGlobal ? ShownName(object->text) + "\"" : "",
                   " refused: a checkpoint may only rebuild tensors"));
}

}  // namespace unival
