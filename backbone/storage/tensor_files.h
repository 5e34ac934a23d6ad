// unival: tensor_files.h - safetensors files a tensor at a time, where a model is larger than the
// memory that may be taken for it.
//
//   UNIVAL_ASSIGN_OR_RETURN(const auto file, TensorFile::Open("backbone.safetensors"));
//   UNIVAL_ASSIGN_OR_RETURN(const at::Tensor weight, file->Read("encoder.layers.0.fc1.weight"));
//
// ReadSafetensorsFile (safetensors.h) maps a file: quicker where all of it is used, but the pages
// that were touched count as the process's memory.
#ifndef UNIVAL_BACKBONE_STORAGE_TENSOR_FILES_H_
#define UNIVAL_BACKBONE_STORAGE_TENSOR_FILES_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backbone/storage/safetensors_header.h"
#include "sdk/base/descriptor.h"

namespace unival {

// Thread-safe.
class TensorFile {
 public:
  // Reads and checks the header alone. Errors as ReadSafetensorsFile.
  static absl::StatusOr<std::shared_ptr<const TensorFile>> Open(const std::string& path);

  const std::string& path() const { return path_; }
  const std::map<std::string, SafetensorsEntry>& tensors() const { return header_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }

  // A CPU tensor in memory of its own. NotFound for a name that is not there; DataLoss for a file
  // that was cut meanwhile.
  absl::StatusOr<at::Tensor> Read(const std::string& name) const;

 private:
  TensorFile(std::string path, SafetensorsHeader header, Descriptor file)
      : path_(std::move(path)), header_(std::move(header)), file_(std::move(file)) {}

  const std::string path_;
  const SafetensorsHeader header_;
  const Descriptor file_;
};

struct TensorShape {
  at::ScalarType dtype = at::kFloat;
  std::vector<int64_t> sizes;
};
using TensorShapes = std::map<std::string, TensorShape>;
using TensorMaker = std::function<absl::StatusOr<at::Tensor>(const std::string& name)>;

// The bytes that WriteSafetensors (safetensors.h) would write, with one tensor in memory: `make` is
// called once for every name of `shapes`, in the file's order, and must give what `shapes` says.
// The file appears when it is complete; on an error it is as it was. `sha256`, where given,
// receives the hash of its bytes (hex).
absl::Status WriteSafetensorsOneByOne(const std::string& path, const TensorShapes& shapes,
                                      const std::map<std::string, std::string>& metadata,
                                      const TensorMaker& make, std::string* sha256 = nullptr);

// Names in the order in which a file holds their bytes: wide elements first, so that every tensor
// is aligned without holes, then by name.
std::vector<std::string> FileOrder(const std::map<std::string, SafetensorsDtype>& dtypes);

// TensorsSha256AsLoaded (safetensors.h) of all tensors of a file.
absl::StatusOr<std::string> TensorsSha256AsLoaded(const TensorFile& file);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_TENSOR_FILES_H_
