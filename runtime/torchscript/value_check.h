// unival: value_check.h - whether a value of a TorchScript file is of the type that the program
// takes it for. libtorch does not look: a tuple that is shorter than its type would shift its
// stack.
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_VALUE_CHECK_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_VALUE_CHECK_H_

#include <ATen/core/jit_type_base.h>

#include "absl/status/status.h"

namespace c10 {
struct IValue;
}

namespace unival {

// InvalidArgument names the attribute, the type that it has and what was found: another kind of
// value, a tuple of another length, a tensor that is sparse, quantized or not on the CPU, an object
// of another class, a value that no file should hold. Values are nested as CheckScriptArchive lets
// them be.
absl::Status CheckScriptValue(const c10::IValue& value, const c10::TypePtr& type);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_VALUE_CHECK_H_
