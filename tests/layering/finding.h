// unival: finding.h - the form of a finding: "path:line: what".
#ifndef UNIVAL_TESTS_LAYERING_FINDING_H_
#define UNIVAL_TESTS_LAYERING_FINDING_H_

#include <string>

#include "tests/layering/source_tree.h"

namespace unival {

// Whether `path` is inside `folder`.
inline bool IsIn(const std::string& path, const std::string& folder) {
  return StartsWith(path, folder + "/");
}

inline std::string At(const SourceFile& file, int line, const std::string& text) {
  return file.path + ":" + std::to_string(line) + ": " + text;
}

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_FINDING_H_
