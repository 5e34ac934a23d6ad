// unival: public_headers.h - what the installed headers say, to readers who have no others.
#ifndef UNIVAL_TESTS_LAYERING_PUBLIC_HEADERS_H_
#define UNIVAL_TESTS_LAYERING_PUBLIC_HEADERS_H_

#include <set>
#include <string>
#include <vector>

#include "tests/layering/source_tree.h"

namespace unival {

// The headers that are installed: the roots in packaging/BUILD with what they include, and those of
// the C ABI and its wrapper.
std::set<std::string> PublicHeaders(const std::vector<SourceFile>& files);

// Lines of their comments that name a source file which is not installed.
std::vector<std::string> NamesOfInnerFiles(const std::vector<SourceFile>& files);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_PUBLIC_HEADERS_H_
