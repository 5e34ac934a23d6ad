// Any bytes as a file of torch.save, in both formats: gives an error, or tensors inside the file.
// Never a crash, and never a call of a function that the file names.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "runtime/torch_file/torch_file.h"
#include "tests/fuzz/require.h"

using unival::Require;

namespace {

void CheckView(const unival::TensorView& view, absl::string_view file) {
  Require(view.shape.size() == view.strides.size());
  Require(view.storage.empty() ||
          (view.storage.data() >= file.data() &&
           view.storage.data() + view.storage.size() <= file.data() + file.size()));
  if (view.elements() == 0) return;
  int64_t last = view.offset;
  for (size_t i = 0; i < view.shape.size(); ++i) last += (view.shape[i] - 1) * view.strides[i];
  const auto bytes = static_cast<uint64_t>((last + 1) * unival::DtypeSize(view.dtype));
  Require(view.offset >= 0 && bytes <= view.storage.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view file(reinterpret_cast<const char*>(data), size);
  const auto parsed = unival::ParseTorchFile(file);
  if (!parsed.ok()) {
    Require(!parsed.status().message().empty());
    return 0;
  }
  for (size_t i = 0; i < parsed->pickle.tensors().size(); ++i) {
    unival::PickleNode node;
    node.kind = unival::PickleKind::kTensor;
    node.integer = static_cast<int64_t>(i);
    CheckView(*parsed->View(node), file);
  }
  return 0;
}
