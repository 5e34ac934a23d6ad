#include "runtime/torch_file/torch_file.h"

#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/torch_file/zip_directory.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/printable.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr char kZipStart[] = "PK\x03\x04";
constexpr char kPickleEntry[] = "data.pkl";
// The number 0x1950a86a20f9469cfc6c, pickled first in the older format.
constexpr absl::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr int64_t kLegacyProtocol = 1001;

absl::Status BadStorage(absl::string_view key, absl::string_view message) {
  return InvalidArgument("storage \"", ShownName(key), "\": ", message);
}

absl::Status CheckSize(const PickleStorage& storage, uint64_t bytes) {
  const int64_t expected = storage.root_elements * DtypeSize(storage.dtype);
  if (static_cast<uint64_t>(expected) == bytes) return absl::OkStatus();
  return BadStorage(storage.key,
                    absl::StrCat(storage.root_elements, " elements of ", DtypeName(storage.dtype),
                                 " need ", expected, " bytes, the file has ", bytes));
}

// The part of a whole storage's bytes that `storage` views.
absl::string_view ViewOf(const PickleStorage& storage, absl::string_view whole) {
  const int64_t size = DtypeSize(storage.dtype);
  return whole.substr(storage.begin * size, storage.elements * size);
}

// ---- zip

absl::StatusOr<std::string> FindPrefix(const ZipDirectory& entries) {
  std::vector<std::string> prefixes;
  for (const auto& [name, entry] : entries) {
    absl::string_view prefix = name;
    if (absl::ConsumeSuffix(&prefix, kPickleEntry) &&
        (prefix.empty() || absl::EndsWith(prefix, "/"))) {
      prefixes.emplace_back(prefix);
    }
  }
  if (prefixes.size() == 1) return prefixes[0];
  return InvalidArgument("the archive has ", prefixes.size(), " entries named ", kPickleEntry,
                         ", expected one; not a file of torch.save");
}

absl::Status CheckByteOrder(absl::string_view order) {
  if (order == "little") return absl::OkStatus();
  return absl::UnimplementedError("byte order other than little-endian");
}

absl::StatusOr<TorchFile> ParseZip(absl::string_view file) {
  UNIVAL_ASSIGN_OR_RETURN(const ZipDirectory entries, ParseZipDirectory(file));
  UNIVAL_ASSIGN_OR_RETURN(const std::string prefix, FindPrefix(entries));
  const auto bytes = [&](const ZipEntry& entry) { return file.substr(entry.offset, entry.size); };
  const auto order = entries.find(prefix + "byteorder");
  if (order != entries.end()) UNIVAL_RETURN_IF_ERROR(CheckByteOrder(bytes(order->second)));
  const absl::string_view pickled = bytes(entries.at(prefix + kPickleEntry));
  TorchFile result;
  size_t consumed = 0;
  UNIVAL_ASSIGN_OR_RETURN(result.pickle, ReadPickle(pickled, &consumed));
  if (consumed != pickled.size()) return InvalidArgument("bytes are left over behind the pickle");
  for (const PickleStorage& storage : result.pickle.storages()) {
    const auto found = entries.find(absl::StrCat(prefix, "data/", storage.key));
    if (found == entries.end()) return BadStorage(storage.key, "is not in the archive");
    UNIVAL_RETURN_IF_ERROR(CheckSize(storage, found->second.size));
    result.storages.push_back(ViewOf(storage, bytes(found->second)));
  }
  return result;
}

// ---- the older format: magic number, protocol, system, object, storage keys, storages

absl::StatusOr<Pickle> TakePickle(absl::string_view what, absl::string_view* rest) {
  size_t consumed = 0;
  UNIVAL_ASSIGN_OR_RETURN(Pickle pickle, Annotate(ReadPickle(*rest, &consumed), what));
  rest->remove_prefix(consumed);
  return pickle;
}

absl::Status TakePreamble(absl::string_view* rest) {
  const auto magic = TakePickle("magic number", rest);
  if (!magic.ok() || magic->root().kind != PickleKind::kBig || magic->root().text != kMagic) {
    return InvalidArgument(
        "neither a zip archive nor a pickle of torch.save; write it again with torch 0.4 or newer");
  }
  UNIVAL_ASSIGN_OR_RETURN(const Pickle protocol, TakePickle("protocol version", rest));
  if (protocol.root().kind != PickleKind::kInteger || protocol.root().integer != kLegacyProtocol) {
    return InvalidArgument("torch.save's protocol version is not ", kLegacyProtocol);
  }
  UNIVAL_ASSIGN_OR_RETURN(const Pickle system, TakePickle("system description", rest));
  const PickleNode* little = system.Find(system.root(), "little_endian");
  return CheckByteOrder(little != nullptr && little->integer == 1 ? "little" : "big");
}

// Bytes of every whole storage by key.
using StorageBytes = std::map<absl::string_view, absl::string_view>;

absl::Status TakeStorage(const PickleStorage& storage, absl::string_view* file,
                         StorageBytes* bytes) {
  constexpr size_t kCount = 8;
  absl::string_view& rest = *file;
  if (rest.size() < kCount) return BadStorage(storage.key, "the file ends before it; truncated");
  const uint64_t elements = LittleEndian(rest, kCount);
  rest.remove_prefix(kCount);
  const uint64_t expected = storage.root_elements;
  const uint64_t size = expected * DtypeSize(storage.dtype);
  if (elements != expected || size > rest.size()) {
    return BadStorage(storage.key, absl::StrCat("expected ", expected, " elements (", size,
                                                " bytes), the file has ", elements, " and ",
                                                rest.size(), " bytes; truncated or damaged"));
  }
  if (!bytes->emplace(storage.key, rest.substr(0, size)).second) {
    return BadStorage(storage.key, "is there twice");
  }
  rest.remove_prefix(size);
  return absl::OkStatus();
}

absl::StatusOr<TorchFile> ParseLegacy(absl::string_view file) {
  absl::string_view rest = file;
  UNIVAL_RETURN_IF_ERROR(TakePreamble(&rest));
  TorchFile result;
  UNIVAL_ASSIGN_OR_RETURN(result.pickle, TakePickle("object", &rest));
  UNIVAL_ASSIGN_OR_RETURN(const Pickle keys, TakePickle("storage keys", &rest));
  if (keys.root().kind != PickleKind::kList) return InvalidArgument("the storage keys are no list");
  std::map<absl::string_view, const PickleStorage*> known;
  for (const PickleStorage& storage : result.pickle.storages()) known[storage.key] = &storage;
  StorageBytes bytes;
  for (PickleId id : keys.root().items) {
    const auto found = known.find(keys.node(id).text);
    if (found == known.end()) return BadStorage(keys.node(id).text, "belongs to no tensor");
    UNIVAL_RETURN_IF_ERROR(TakeStorage(*found->second, &rest, &bytes));
  }
  if (!rest.empty()) return InvalidArgument(rest.size(), " bytes are left over at the end");
  for (const PickleStorage& storage : result.pickle.storages()) {
    const auto found = bytes.find(storage.key);
    if (found == bytes.end()) return BadStorage(storage.key, "is not in the file");
    UNIVAL_RETURN_IF_ERROR(CheckSize(storage, found->second.size()));
    result.storages.push_back(ViewOf(storage, found->second));
  }
  return result;
}

}  // namespace

int64_t TensorView::elements() const {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  return count;
}

std::string Describe(const TensorView& view) {
  return absl::StrCat(DtypeName(view.dtype), " ", ShapeText(view.shape));
}

absl::StatusOr<TensorView> TorchFile::View(const PickleNode& node) const {
  if (node.kind != PickleKind::kTensor) return InvalidArgument("not a tensor");
  const PickleTensor& tensor = pickle.tensors()[node.integer];
  return TensorView{pickle.storages()[tensor.storage].dtype, tensor.shape, tensor.strides,
                    tensor.offset, storages[tensor.storage]};
}

absl::StatusOr<TorchFile> ParseTorchFile(absl::string_view file) {
  return absl::StartsWith(file, kZipStart) ? ParseZip(file) : ParseLegacy(file);
}

}  // namespace unival
