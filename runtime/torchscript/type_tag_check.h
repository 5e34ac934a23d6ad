// unival: type_tag_check.h - whether values of a pickle have the form of the type that stands
// beside them. libtorch goes through both at once and does not look whether they end together.
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_TYPE_TAG_CHECK_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_TYPE_TAG_CHECK_H_

#include "absl/status/status.h"
#include "runtime/torch_file/pickle.h"

namespace unival {

// InvalidArgument for a tag whose type is not made of List, Dict, Tuple, Optional and plain types,
// or whose value has another form. Nesting is bounded before (BracketDepth).
absl::Status CheckTypeTags(const Pickle& pickle);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_TYPE_TAG_CHECK_H_
