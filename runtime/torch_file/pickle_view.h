// unival: pickle_view.h - whether a tensor of a pickle lies within its storage. For
// pickle_calls.cc.
#ifndef UNIVAL_RUNTIME_TORCH_FILE_PICKLE_VIEW_H_
#define UNIVAL_RUNTIME_TORCH_FILE_PICKLE_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "runtime/torch_file/pickle.h"

namespace unival {

// Dimensions of a tensor.
constexpr size_t kMaxRank = 32;

// InvalidArgument unless all that `view` touches lies in a storage of `elements`.
absl::Status CheckView(const PickleTensor& view, int64_t elements);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCH_FILE_PICKLE_VIEW_H_
