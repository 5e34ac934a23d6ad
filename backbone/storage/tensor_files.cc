#include "backbone/storage/tensor_files.h"

#include <ATen/ops/empty.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "backbone/storage/tensor_dtypes.h"
#include "backbone/storage/tensors_hash.h"
#include "sdk/base/files.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/sha256.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/tensor_text.h"

namespace unival {
namespace {

// A file that grows under a name of its own; it is gone unless it was published.
class PartialFile {
 public:
  explicit PartialFile(const std::string& path)
      : path_(path), partial_(path + ".partial"), stream_(partial_, std::ios::binary) {}
  ~PartialFile() {
    if (!published_) std::remove(partial_.c_str());
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  absl::Status Write(absl::string_view bytes) {
    errno = 0;
    hash_.Update(bytes);
    if (stream_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
      return absl::OkStatus();
    }
    return SystemError(path_, "cannot be written", errno == 0 ? EIO : errno);
  }

  absl::Status Publish(std::string* sha256) {
    errno = 0;
    stream_.close();
    if (!stream_) return SystemError(path_, "cannot be written", errno == 0 ? EIO : errno);
    UNIVAL_RETURN_IF_ERROR(PublishFile(partial_, path_));
    published_ = true;
    if (sha256 != nullptr) *sha256 = hash_.HexDigest();
    return absl::OkStatus();
  }

 private:
  const std::string path_, partial_;
  std::ofstream stream_;
  Sha256 hash_;
  bool published_ = false;
};

absl::StatusOr<SafetensorsHeader> HeaderFor(const TensorShapes& shapes,
                                            const std::vector<std::string>& order,
                                            const std::map<std::string, SafetensorsDtype>& dtypes,
                                            const std::map<std::string, std::string>& metadata) {
  SafetensorsHeader header;
  header.metadata = metadata;
  int64_t offset = 0;
  for (const std::string& name : order) {
    const TensorShape& shape = shapes.at(name);
    int64_t bytes = DtypeSize(dtypes.at(name));
    for (int64_t size : shape.sizes) bytes *= size;
    header.tensors[name] = {dtypes.at(name), shape.sizes, offset, offset + bytes};
    offset += bytes;
  }
  return header;
}

absl::StatusOr<std::map<std::string, SafetensorsDtype>> DtypesOf(const TensorShapes& shapes) {
  std::map<std::string, SafetensorsDtype> dtypes;
  for (const auto& [name, shape] : shapes) {
    const auto dtype = FileDtype(shape.dtype);
    if (!dtype) {
      return InvalidArgument("tensor \"", name, "\": safetensors cannot hold ",
                             c10::toString(shape.dtype));
    }
    dtypes[name] = *dtype;
  }
  return dtypes;
}

absl::Status WriteOne(const std::string& name, const TensorShape& shape, const TensorMaker& make,
                      PartialFile* file) {
  UNIVAL_ASSIGN_OR_RETURN(at::Tensor made, make(name));
  return CatchTorch(absl::StrCat("tensor \"", name, "\""), [&]() -> absl::Status {
    const at::Tensor tensor = made.detach().to(at::kCPU).contiguous();
    if (tensor.scalar_type() != shape.dtype || tensor.sizes() != shape.sizes) {
      return absl::InternalError(
          absl::StrCat("tensor \"", name, "\": expected ", c10::toString(shape.dtype), " ",
                       ShapeText(shape.sizes), ", got ", TensorText(tensor)));
    }
    return file->Write({static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()});
  });
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TensorFile>> TensorFile::Open(const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(Descriptor descriptor, OpenRegularFile(path));
  UNIVAL_ASSIGN_OR_RETURN(const auto mapped, MappedFile::Open(path));
  UNIVAL_ASSIGN_OR_RETURN(SafetensorsHeader header,
                          Annotate(ParseSafetensorsHeader(mapped->bytes()), path));
  UNIVAL_RETURN_IF_ERROR(mapped->Check());
  return std::shared_ptr<const TensorFile>(
      new TensorFile(path, std::move(header), std::move(descriptor)));
}

absl::StatusOr<at::Tensor> TensorFile::Read(const std::string& name) const {
  const auto found = header_.tensors.find(name);
  if (found == header_.tensors.end()) {
    return absl::NotFoundError(absl::StrCat(path_, ": there is no tensor \"", name, "\""));
  }
  const SafetensorsEntry& entry = found->second;
  return CatchTorch(path_, [&]() -> absl::StatusOr<at::Tensor> {
    const auto options = at::TensorOptions().dtype(TorchDtype(entry.dtype));
    const at::Tensor tensor = at::empty(entry.shape, options);
    char* bytes = static_cast<char*>(tensor.data_ptr());
    const int64_t size = entry.end - entry.begin;
    UNIVAL_RETURN_IF_ERROR(ReadBytesAt(file_.get(), entry.begin, bytes, size, path_));
    UNIVAL_RETURN_IF_ERROR(
        Annotate(CheckBools(name, entry.dtype, {bytes, static_cast<size_t>(size)}), path_));
    return tensor;
  });
}

std::vector<std::string> FileOrder(const std::map<std::string, SafetensorsDtype>& dtypes) {
  std::vector<std::string> order;
  for (const auto& entry : dtypes) order.push_back(entry.first);
  std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return DtypeSize(dtypes.at(a)) > DtypeSize(dtypes.at(b));
  });
  return order;
}

absl::Status WriteSafetensorsOneByOne(const std::string& path, const TensorShapes& shapes,
                                      const std::map<std::string, std::string>& metadata,
                                      const TensorMaker& make, std::string* sha256) {
  UNIVAL_ASSIGN_OR_RETURN(const auto dtypes, Annotate(DtypesOf(shapes), path));
  const std::vector<std::string> order = FileOrder(dtypes);
  UNIVAL_ASSIGN_OR_RETURN(const SafetensorsHeader header,
                          HeaderFor(shapes, order, dtypes, metadata));
  PartialFile file(path);
  UNIVAL_RETURN_IF_ERROR(file.Write(SerializeSafetensorsHeader(header)));
  for (const std::string& name : order) {
    UNIVAL_RETURN_IF_ERROR(Annotate(WriteOne(name, shapes.at(name), make, &file), path));
  }
  return file.Publish(sha256);
}

absl::StatusOr<std::string> TensorsSha256AsLoaded(const TensorFile& file) {
  TensorsHash hash;
  for (const auto& entry : file.tensors()) {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor tensor, file.Read(entry.first));
    UNIVAL_RETURN_IF_ERROR(Annotate(hash.AddAsLoaded(entry.first, tensor), file.path()));
  }
  return hash.HexDigest();
}

}  // namespace unival
