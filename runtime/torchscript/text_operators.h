// unival: text_operators.h - the operators of TorchScript that make texts, bounded.
//
// libtorch computes what it can while it compiles a program: a file with 'a'.zfill(1 << 40) fills
// the memory before anything of it was called, and so does a text that is doubled in forty lines.
// No check of ours lies between; so the operators themselves refuse what would become too long.
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_TEXT_OPERATORS_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_TEXT_OPERATORS_H_

#include <cstdint>

namespace unival {

inline constexpr int64_t kMaxText = int64_t{1} << 16;  // bytes that one operation makes

// From here on, for the whole process: each throws where its result may be longer than kMaxText.
// Below that they do what they did. Before a program is read or written; more than once does
// nothing more.
void BoundTextOperators();

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_TEXT_OPERATORS_H_
