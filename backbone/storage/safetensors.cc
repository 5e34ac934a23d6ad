#include "backbone/storage/safetensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "backbone/storage/safetensors_header.h"
#include "backbone/storage/tensor_dtypes.h"
#include "backbone/storage/tensor_files.h"
#include "backbone/storage/tensors_hash.h"
#include "sdk/base/files.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/tensor_text.h"

namespace unival {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data is little endian");

absl::string_view BytesOf(const SafetensorsEntry& entry, const MappedFile& file) {
  return file.bytes().substr(entry.begin, entry.end - entry.begin);
}

at::Tensor OverMapping(const SafetensorsEntry& entry,
                       const std::shared_ptr<const MappedFile>& file) {
  const auto options = at::TensorOptions().dtype(TorchDtype(entry.dtype));
  if (entry.begin == entry.end) return at::empty(entry.shape, options);
  const char* data = file->bytes().data() + entry.begin;
  if (reinterpret_cast<uintptr_t>(data) % DtypeSize(entry.dtype) != 0) {
    at::Tensor copy = at::empty(entry.shape, options);
    std::memcpy(copy.data_ptr(), data, static_cast<size_t>(entry.end - entry.begin));
    return copy;
  }
  // Copy on write, so that a tensor may be changed in place.
  return at::from_blob(
      const_cast<char*>(data), entry.shape, [file](void*) {}, options);
}

struct NamedBytes {
  std::string name;
  SafetensorsDtype dtype = SafetensorsDtype::kF32;
  at::Tensor tensor;  // contiguous, on the CPU

  absl::string_view bytes() const {
    return {static_cast<const char*>(tensor.data_ptr()), static_cast<size_t>(tensor.nbytes())};
  }
};

absl::StatusOr<NamedBytes> ToBytes(const std::string& name, const at::Tensor& tensor) {
  const std::string where = absl::StrCat("tensor \"", name, "\"");
  if (!tensor.defined()) return absl::InvalidArgumentError(absl::StrCat(where, " is undefined"));
  const auto dtype = FileDtype(tensor.scalar_type());
  if (!dtype || tensor.layout() != at::kStrided) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": safetensors cannot hold ", TensorText(tensor)));
  }
  return NamedBytes{name, *dtype, tensor.detach().to(at::kCPU).contiguous()};
}

absl::StatusOr<std::vector<NamedBytes>> InFileOrder(const TensorMap& tensors) {
  std::map<std::string, NamedBytes> named;
  std::map<std::string, SafetensorsDtype> dtypes;
  for (const auto& [name, tensor] : tensors) {
    UNIVAL_ASSIGN_OR_RETURN(NamedBytes bytes, CatchTorch(absl::StrCat("tensor \"", name, "\""),
                                                         [&, &name = name, &tensor = tensor] {
                                                           return ToBytes(name, tensor);
                                                         }));
    dtypes[name] = bytes.dtype;
    named[name] = std::move(bytes);
  }
  std::vector<NamedBytes> ordered;
  for (const std::string& name : FileOrder(dtypes)) ordered.push_back(std::move(named[name]));
  return ordered;
}

absl::Status CheckWritable(const TensorMap& tensors) {
  if (tensors.count("__metadata__") == 0) return absl::OkStatus();
  return absl::InvalidArgumentError("a tensor must not be called \"__metadata__\"");
}

bool Widens(at::ScalarType from, at::ScalarType to) {
  if (from == to) return true;
  const bool half = from == at::kHalf || from == at::kBFloat16;
  return (half && (to == at::kFloat || to == at::kDouble)) ||
         (from == at::kFloat && to == at::kDouble);
}

std::vector<std::string> Differences(const TensorMap& targets, const TensorMap& tensors) {
  std::vector<std::string> lines;
  for (const auto& [name, target] : targets) {
    auto found = tensors.find(name);
    if (found == tensors.end()) {
      lines.push_back(absl::StrCat("missing: ", name, " ", TensorText(target)));
    } else if (target.sizes() != found->second.sizes() ||
               !Widens(found->second.scalar_type(), target.scalar_type())) {
      lines.push_back(absl::StrCat("does not fit: ", name, ": expected ", TensorText(target),
                                   ", got ", TensorText(found->second)));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (targets.count(name) == 0) {
      lines.push_back(absl::StrCat("extra: ", name, " ", TensorText(tensor)));
    }
  }
  return lines;
}

absl::Status CheckFit(const TensorMap& targets, const TensorMap& tensors,
                      absl::string_view component, absl::string_view file) {
  const std::vector<std::string> lines = Differences(targets, tensors);
  if (lines.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(file, ": the tensors of ", component, " are not those of the model (",
                   lines.size(), " differences):\n  ", absl::StrJoin(lines, "\n  ")));
}

// Smaller tensors are copied: that costs nothing, and aligns them.
constexpr size_t kWorthSharing = 1 << 16;

bool MayMove(const at::Tensor& tensor, const at::Tensor& target) {
  return tensor.scalar_type() == target.scalar_type() && tensor.nbytes() >= kWorthSharing &&
         tensor.is_cpu() && target.is_cpu() && tensor.is_contiguous() && target.is_contiguous() &&
         !tensor.requires_grad() && tensor.use_count() == 1 && tensor.storage().use_count() == 1 &&
         target.storage().use_count() == 1;
}

absl::Status CheckOneFinite(const std::string& name, const at::Tensor& tensor,
                            absl::string_view component, absl::string_view file) {
  if (IsFinite(tensor)) return absl::OkStatus();
  return InvalidArgument(file, ": ", component, ": tensor \"", name,
                         "\": holds values that are no numbers (NaN or infinity); the weights are "
                         "damaged, or come from a training run that failed");
}

// `fill` gives the target the tensor's elements.
template <typename Fill>
absl::Status FillTargets(const TensorMap& targets, const TensorMap& tensors,
                         absl::string_view component, absl::string_view file, WeightValues values,
                         Fill fill) {
  UNIVAL_RETURN_IF_ERROR(CheckFit(targets, tensors, component, file));
  return CatchTorch(absl::StrCat(file, ": ", component), [&]() -> absl::Status {
    at::NoGradGuard no_grad;
    for (const auto& [name, target] : targets) {
      const at::Tensor& tensor = tensors.at(name);
      fill(at::Tensor(target), tensor);
      const absl::Status finite = values == WeightValues::kFinite
                                      ? absl::OkStatus()
                                      : CheckOneFinite(name, target, component, file);
      UNIVAL_RETURN_IF_ERROR(MappedFile::CheckAt(tensor.data_ptr()));
      UNIVAL_RETURN_IF_ERROR(finite);
    }
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<SafetensorsContents> ReadSafetensorsFile(const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file,
                          MappedFile::Open(path, MappedFile::Mode::kCopyOnWrite));
  UNIVAL_ASSIGN_OR_RETURN(SafetensorsHeader header,
                          Annotate(ParseSafetensorsHeader(file->bytes()), path));
  UNIVAL_RETURN_IF_ERROR(file->Check());
  return CatchTorch(path, [&]() -> absl::StatusOr<SafetensorsContents> {
    SafetensorsContents contents;
    for (const auto& [name, entry] : header.tensors) {
      UNIVAL_RETURN_IF_ERROR(Annotate(CheckBools(name, entry.dtype, BytesOf(entry, *file)), path));
      contents.tensors.emplace(name, OverMapping(entry, file));
    }
    contents.metadata = std::move(header.metadata);
    return contents;
  });
}

absl::StatusOr<TensorMap> ReadSafetensors(const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(SafetensorsContents contents, ReadSafetensorsFile(path));
  return std::move(contents.tensors);
}

absl::Status WriteSafetensors(const std::string& path, const TensorMap& tensors,
                              const std::map<std::string, std::string>& metadata,
                              std::string* sha256) {
  UNIVAL_ASSIGN_OR_RETURN(const auto ordered, Annotate(InFileOrder(tensors), path));
  UNIVAL_RETURN_IF_ERROR(Annotate(CheckWritable(tensors), path));
  SafetensorsHeader header;
  header.metadata = metadata;
  std::vector<absl::string_view> pieces(1);
  int64_t offset = 0;
  for (const NamedBytes& item : ordered) {
    const int64_t end = offset + static_cast<int64_t>(item.bytes().size());
    header.tensors[item.name] = {item.dtype, item.tensor.sizes().vec(), offset, end};
    pieces.push_back(item.bytes());
    offset = end;
  }
  const std::string serialized = SerializeSafetensorsHeader(header);
  pieces[0] = serialized;
  if (sha256 != nullptr) {
    Sha256 hash;
    for (absl::string_view piece : pieces) hash.Update(piece);
    *sha256 = hash.HexDigest();
  }
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(path, pieces));
  for (const NamedBytes& item : ordered) {
    UNIVAL_RETURN_IF_ERROR(MappedFile::CheckAt(item.tensor.data_ptr()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> TensorsSha256(const TensorMap& tensors) {
  TensorsHash hash;
  for (const auto& [name, tensor] : tensors) UNIVAL_RETURN_IF_ERROR(hash.Add(name, tensor));
  return hash.HexDigest();
}

absl::StatusOr<std::string> TensorsSha256AsLoaded(const TensorMap& tensors) {
  TensorsHash hash;
  for (const auto& [name, tensor] : tensors) UNIVAL_RETURN_IF_ERROR(hash.AddAsLoaded(name, tensor));
  return hash.HexDigest();
}

absl::Status LoadTensorsInto(const TensorMap& targets, const TensorMap& tensors,
                             absl::string_view component, absl::string_view file) {
  return FillTargets(targets, tensors, component, file, WeightValues::kUnchecked,
                     [](at::Tensor target, const at::Tensor& tensor) { target.copy_(tensor); });
}

absl::Status CheckFiniteWeights(const TensorMap& tensors, absl::string_view component,
                                absl::string_view file) {
  return CatchTorch(absl::StrCat(file, ": ", component), [&]() -> absl::Status {
    for (const auto& [name, tensor] : tensors) {
      const absl::Status finite = CheckOneFinite(name, tensor, component, file);
      UNIVAL_RETURN_IF_ERROR(MappedFile::CheckAt(tensor.data_ptr()));
      UNIVAL_RETURN_IF_ERROR(finite);
    }
    return absl::OkStatus();
  });
}

absl::Status MoveTensorsInto(const TensorMap& targets, TensorMap tensors,
                             absl::string_view component, absl::string_view file,
                             WeightValues values) {
  return FillTargets(
      targets, tensors, component, file, values, [](at::Tensor target, const at::Tensor& tensor) {
        MayMove(tensor, target) ? target.set_data(tensor) : static_cast<void>(target.copy_(tensor));
      });
}

TensorMap TensorsWithPrefix(const TensorMap& tensors, absl::string_view prefix) {
  TensorMap selected;
  for (const auto& [name, tensor] : tensors) {
    if (absl::StartsWith(name, prefix)) selected.emplace(name.substr(prefix.size()), tensor);
  }
  return selected;
}

}  // namespace unival
