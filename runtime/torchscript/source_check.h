// unival: source_check.h
//
// The text of a TorchScript program, looked at before libtorch's compiler follows it by recursion.
//
//   UNIVAL_RETURN_IF_ERROR(Annotate(CheckScriptSource(text), "code/__torch__.py"));
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_SOURCE_CHECK_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_SOURCE_CHECK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace unival {

// What stands in what: brackets, operators and the links of a chain a.b(c)[d] on the way to one
// place of a statement. Exporters write one operation a line, and stay below 30.
inline constexpr int kMaxExpressionDepth = 256;
inline constexpr int kMaxBlockDepth = 64;            // blocks in blocks
inline constexpr int64_t kMaxDefinitions = 1 << 12;  // classes and functions of one file

// InvalidArgument names the line: deeper than the bounds, more definitions, a text or bracket that
// does not end; `__setstate__`, which would run while the file is loaded; a class of
// `torch.classes`, whose code is not in the file.
absl::Status CheckScriptSource(absl::string_view text);

// The most brackets in brackets of a text of any kind, such as a type's.
int BracketDepth(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_SOURCE_CHECK_H_
