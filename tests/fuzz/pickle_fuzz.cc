// Any bytes as a pickle: gives an error, or plain values that refer only to each other and to the
// input; never a crash.
#include <cstddef>
#include <cstdint>

#include "runtime/torch_file/pickle.h"
#include "tests/fuzz/require.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  unival::PickleLimits limits;
  limits.max_nodes = 1 << 16;
  size_t consumed = 0;
  const auto pickle =
      unival::ReadPickle({reinterpret_cast<const char*>(data), size}, &consumed, limits);
  if (!pickle.ok()) {
    Require(!pickle.status().message().empty());
    return 0;
  }
  Require(consumed <= size);
  const unival::PickleNode* root = &pickle->root();
  size_t seen = root->text.size();
  for (unival::PickleId id : root->items) seen += pickle->node(id).text.size();
  if (const unival::PickleNode* model = pickle->Find(*root, "model")) seen += model->items.size();
  for (const unival::PickleTensor& tensor : pickle->tensors()) {
    Require(tensor.storage < pickle->storages().size());
    Require(tensor.shape.size() == tensor.strides.size());
  }
  return seen == SIZE_MAX;
}
