// unival: program_check.h - a TorchScript program as libtorch has read it, looked at before it is
// run.
//
//   UNIVAL_RETURN_IF_ERROR(Annotate(CheckScriptProgram(module), path));
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_PROGRAM_CHECK_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_PROGRAM_CHECK_H_

#include <cstddef>

#include "absl/status/status.h"

namespace torch {
namespace jit {
struct Module;
}  // namespace jit
}  // namespace torch

namespace unival {

inline constexpr size_t kMaxCallDepth = 256;         // functions in functions
inline constexpr size_t kMaxInlinedNodes = 1 << 20;  // operations of a function with all it calls

// Every function and method in the file, with the blocks, functions and classes that they lead to,
// whether `forward` reaches them or not. InvalidArgument names the operator that is refused, with
// function and line of the file's source: one that IsPureOperator does not know, a call that only
// the run decides, a cast that nothing proves, functions that call themselves or grow beyond the
// bounds when they are put into each other. Values that are not of the type that the program takes
// them for are named as well.
absl::Status CheckScriptProgram(const torch::jit::Module& module);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_PROGRAM_CHECK_H_
