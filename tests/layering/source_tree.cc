#include "tests/layering/source_tree.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <set>
#include <sstream>

#include "sdk/base/files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestSource = 1 << 20;

bool IsIgnored(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  return name == ".git" || StartsWith(name, "bazel-") || entry.is_symlink();
}

// The folders and files at the root that .gitignore names ("/runs/"): results and settings of one
// machine.
std::set<std::string> IgnoredOf(const std::string& root) {
  std::set<std::string> ignored;
  for (std::string line : SplitLines(ReadWholeFile(root + "/.gitignore").value_or(""))) {
    if (!StartsWith(line, "/")) continue;
    if (EndsWith(line, "/")) line.pop_back();
    ignored.insert(root + line);
  }
  return ignored;
}

// The text between the first pair of quotes at or after `start`; empty when there is none.
std::string Quoted(const std::string& line, size_t start) {
  const size_t open = line.find('"', start);
  if (open == std::string::npos) return "";
  const size_t close = line.find('"', open + 1);
  return close == std::string::npos ? "" : line.substr(open + 1, close - open - 1);
}

std::string IncludedPath(const std::string& line) {
  const size_t start = line.find_first_not_of(" \t");
  if (start == std::string::npos) return "";
  const std::string rest = line.substr(start);
  const bool includes = rest[0] == '#' && rest.find("include") != std::string::npos;
  return includes || StartsWith(rest, "import ") ? Quoted(rest, 0) : "";
}

std::vector<Dependency> IncludeDependencies(const SourceFile& file) {
  std::vector<Dependency> found;
  int number = 0;
  for (const std::string& line : SplitLines(file.text)) {
    ++number;
    const std::string path = IncludedPath(line);
    if (!path.empty()) found.push_back({path, number});
  }
  return found;
}

void AppendLabels(const std::string& line, int number, std::vector<Dependency>* found) {
  for (size_t at = line.find("\"//"); at != std::string::npos; at = line.find("\"//", at + 1)) {
    std::string label = Quoted(line, at).substr(2);
    // A plugin is opened at run time, so a target that lists it as data does not depend on its
    // code.
    if (EndsWith(label, ".so")) continue;
    std::replace(label.begin(), label.end(), ':', '/');
    found->push_back({label, number});
  }
}

// Skips lines until the bracket of a visibility list closes.
std::vector<Dependency> LabelDependencies(const SourceFile& file) {
  std::vector<Dependency> found;
  int number = 0;
  bool in_visibility = false;
  for (const std::string& line : SplitLines(file.text)) {
    ++number;
    in_visibility = in_visibility || line.find("visibility") != std::string::npos;
    if (!in_visibility) AppendLabels(line.substr(0, line.find('#')), number, &found);
    if (line.find(']') != std::string::npos) in_visibility = false;
  }
  return found;
}

}  // namespace

std::string SourceRoot() {
  const char* runfiles = std::getenv("TEST_SRCDIR");
  const fs::path marker = fs::path(runfiles == nullptr ? "." : runfiles) / "unival" / "LICENSE";
  return fs::canonical(marker).parent_path().string();
}

std::vector<SourceFile> ReadSourceTree(const std::string& root) {
  std::vector<SourceFile> files;
  const std::set<std::string> ignored = IgnoredOf(root);
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator();
       ++it) {
    if (IsIgnored(*it) || ignored.count(it->path().string()) > 0) {
      it.disable_recursion_pending();
    } else if (it->is_regular_file() && it->file_size() <= kLargestSource) {
      std::string text = ReadWholeFile(it->path()).value_or("");
      if (text.find('\0') != std::string::npos) continue;
      files.push_back({fs::relative(it->path(), root).string(), std::move(text)});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::vector<Dependency> Dependencies(const SourceFile& file) {
  if (IsBuildFile(file.path)) return LabelDependencies(file);
  return IsCode(file.path) ? IncludeDependencies(file) : std::vector<Dependency>();
}

bool IsBuildFile(const std::string& path) {
  const std::string name = fs::path(path).filename().string();
  return name == "BUILD" || name == "BUILD.bazel" || EndsWith(name, ".bzl");
}

bool IsCode(const std::string& path) {
  static const char* const kEndings[] = {".h", ".hpp", ".c", ".cc", ".proto"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](const char* ending) { return EndsWith(path, ending); });
}

bool IsTest(const std::string& path) {
  return EndsWith(path, "_test.cc") || EndsWith(path, "_test.c") || StartsWith(path, "tests/");
}

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

bool EndsWith(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace unival
