// unival: pickle_nesting.h - how deep values stand in values, before a reader follows them by
// recursion.
//
//   UNIVAL_RETURN_IF_ERROR(CheckNesting(pickle, 64, 1 << 20));
#ifndef UNIVAL_RUNTIME_TORCH_FILE_PICKLE_NESTING_H_
#define UNIVAL_RUNTIME_TORCH_FILE_PICKLE_NESTING_H_

#include <cstddef>

#include "absl/status/status.h"
#include "runtime/torch_file/pickle.h"

namespace unival {

// InvalidArgument where a value holds itself, where values stand more than `max_depth` deep, or
// where following every reference from the root, shared ones each time, meets more than `max_size`
// values. Takes no recursion.
absl::Status CheckNesting(const Pickle& pickle, size_t max_depth, size_t max_size);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCH_FILE_PICKLE_NESTING_H_
