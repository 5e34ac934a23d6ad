// unival: sizes.h - measures the length of files and functions from their text, by counting braces.
#ifndef UNIVAL_TESTS_LAYERING_SIZES_H_
#define UNIVAL_TESTS_LAYERING_SIZES_H_

#include <string>
#include <vector>

#include "tests/layering/source_tree.h"

namespace unival {

struct Length {
  std::string place;  // "path", or "path:line NAME"
  int lines;
  // Whether a comment gives the reason for the length, with the words "in one piece". It must be
  // before the first line of code of the file, or directly above the function.
  bool has_reason;
};

// C and C++ files, longest first. Without the old copies of headers (sdk/abi/frozen).
std::vector<Length> FileSizes(const std::vector<SourceFile>& files);

// Functions and member functions with a body, longest first, measured from the first line of the
// head to the closing brace. Code inside a function, such as a lambda, counts for that function.
// Tests are left out, because their head is a macro.
std::vector<Length> FunctionSizes(const std::vector<SourceFile>& files);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_SIZES_H_
