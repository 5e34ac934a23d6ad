// unival: sizes.h - how long files and functions are, read from their text: braces, no compiler.
#ifndef UNIVAL_TESTS_LAYERING_SIZES_H_
#define UNIVAL_TESTS_LAYERING_SIZES_H_

#include <string>
#include <vector>

#include "tests/layering/source_tree.h"

namespace unival {

struct Length {
  std::string place;  // "path", or "path:line NAME"
  int lines;
  // A comment says why it is not shorter, with the words "in one piece": before the first line of
  // code of a file, right above a function.
  bool has_reason;
};

// Files of C and C++ but old copies of headers (sdk/abi/frozen), longest first.
std::vector<Length> FileSizes(const std::vector<SourceFile>& files);

// Functions with a body in these files, members among them, from the first line of the head to the
// closing brace, longest first. What stands inside a function counts for that one. Left out: tests,
// whose heads are a macro.
std::vector<Length> FunctionSizes(const std::vector<SourceFile>& files);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_SIZES_H_
