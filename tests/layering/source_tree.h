// unival: source_tree.h
//
// The project's own text files and their dependencies, for the layering and lint tests.
//
//   for (const SourceFile& file : ReadSourceTree(root)) {
//     for (const Dependency& dependency : Dependencies(file)) {
//       if (dependency.path == "sdk/native/modality.h") ...
//     }
//   }
#ifndef UNIVAL_TESTS_LAYERING_SOURCE_TREE_H_
#define UNIVAL_TESTS_LAYERING_SOURCE_TREE_H_

#include <string>
#include <vector>

namespace unival {

struct SourceFile {
  std::string path;  // relative to the root, "backbone/model/backbone.cc"
  std::string text;
};

// A dependency of one line: an included header, or the package of a label; both relative to the
// root.
struct Dependency {
  std::string path;
  int line;  // from 1
};

// The folder of the checkout, found by a file that every test has as data.
std::string SourceRoot();

// All text files under `root`, sorted by path. Left out: .git, Bazel's links, everything in the
// root's .gitignore, files with NUL bytes, and files over 1 MB.
std::vector<SourceFile> ReadSourceTree(const std::string& root);

// Lines `#include "a/b.h"` and `import "a/b.proto"` of sources, labels "//a/b:c" of BUILD files.
// Visibility lists in BUILD files are left out, because they name the allowed users, not
// dependencies.
std::vector<Dependency> Dependencies(const SourceFile& file);

bool IsBuildFile(const std::string& path);
// .h .hpp .c .cc .proto
bool IsCode(const std::string& path);
// foo_test.cc, and files in folders for tests
bool IsTest(const std::string& path);

bool StartsWith(const std::string& text, const std::string& prefix);
bool EndsWith(const std::string& text, const std::string& suffix);
std::vector<std::string> SplitLines(const std::string& text);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_SOURCE_TREE_H_
