// unival: torch_file.h
//
// A file that torch.save wrote, in the zip format or the older one: its pickle as inert data, and
// its tensors as views over the file's bytes. Nothing is executed, nothing is copied.
//
//   UNIVAL_ASSIGN_OR_RETURN(TorchFile torch_file, ParseTorchFile(file->bytes()));
//   const PickleNode* weight = torch_file.pickle.Find(torch_file.pickle.root(), "weight");
//   UNIVAL_ASSIGN_OR_RETURN(TensorView view, torch_file.View(*weight));
#ifndef UNIVAL_RUNTIME_TORCH_FILE_TORCH_FILE_H_
#define UNIVAL_RUNTIME_TORCH_FILE_TORCH_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/torch_file/pickle.h"

namespace unival {

// Elements at storage[(offset + sum of index * stride) * element size]; all lie inside. Tensors
// may share a storage. Data need not be aligned.
struct TensorView {
  SafetensorsDtype dtype = SafetensorsDtype::kF32;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // elements
  int64_t offset = 0;            // elements
  absl::string_view storage;

  const char* data() const { return storage.data() + offset * DtypeSize(dtype); }
  int64_t elements() const;
};

// "F16 [2, 3]".
std::string Describe(const TensorView& view);

struct TorchFile {
  Pickle pickle;
  std::vector<absl::string_view> storages;  // bytes of pickle.storages(), sizes checked

  // InvalidArgument when `node` is no tensor.
  absl::StatusOr<TensorView> View(const PickleNode& node) const;
};

// `file` is the whole file and must outlive the result. InvalidArgument names the storage, what was
// expected and what is there; PermissionDenied a refused call; Unimplemented a format that is not
// read, with the remedy.
absl::StatusOr<TorchFile> ParseTorchFile(absl::string_view file);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCH_FILE_TORCH_FILE_H_
