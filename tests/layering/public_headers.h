// unival: public_headers.h - checks the comments of the installed headers, whose readers do not
// have the other files.
#ifndef UNIVAL_TESTS_LAYERING_PUBLIC_HEADERS_H_
#define UNIVAL_TESTS_LAYERING_PUBLIC_HEADERS_H_

#include <set>
#include <string>
#include <vector>

#include "tests/layering/source_tree.h"

namespace unival {

// The installed headers: the roots in packaging/BUILD and everything that they include, and the
// headers of the C ABI and its wrapper.
std::set<std::string> PublicHeaders(const std::vector<SourceFile>& files);

// Comment lines of these headers that name a source file that is not installed.
std::vector<std::string> NamesOfInnerFiles(const std::vector<SourceFile>& files);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_PUBLIC_HEADERS_H_
