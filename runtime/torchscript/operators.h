// unival: operators.h - the operators that a program of the data-only tier may use.
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_OPERATORS_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_OPERATORS_H_

#include "absl/strings/string_view.h"

namespace unival {

// `name`: "aten::conv2d". True for those whose result follows from what they are given and that do
// nothing else: no file, no network, no process, no thread, no device but the CPU, no draw from the
// host's random numbers (dropout is allowed: it does nothing in evaluation), no memory but the
// tensors' own. In-place forms change what the program itself holds.
bool IsPureOperator(absl::string_view name);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_OPERATORS_H_
