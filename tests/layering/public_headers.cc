#include "tests/layering/public_headers.h"

#include <algorithm>
#include <regex>

namespace unival {
namespace {

const SourceFile* Find(const std::vector<SourceFile>& files, const std::string& path) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&path](const SourceFile& file) { return file.path == path; });
  return found == files.end() ? nullptr : &*found;
}

// The headers listed in the call of public_headers.
std::vector<std::string> Roots(const std::string& build) {
  std::vector<std::string> roots;
  const size_t begin = build.find("public_headers(\n");
  if (begin == std::string::npos) return roots;
  const std::string call = build.substr(begin, build.find("\n)", begin) - begin);
  const std::regex header("\"([^\":]+\\.h)\"");
  for (std::sregex_iterator it(call.begin(), call.end(), header), end; it != end; ++it) {
    roots.push_back((*it)[1]);
  }
  return roots;
}

// The comment in `line`. A line that continues a block comment begins with a star.
std::string CommentOf(const std::string& line) {
  const size_t start = line.find_first_not_of(' ');
  if (start == std::string::npos) return "";
  if (line[start] == '*' || line.compare(start, 2, "/*") == 0) return line.substr(start);
  const size_t slashes = line.find("//");
  return slashes == std::string::npos ? "" : line.substr(slashes);
}

// "files.h" also matches "sdk/base/files.h".
bool IsNamed(const std::set<std::string>& headers, const std::string& name) {
  return std::any_of(headers.begin(), headers.end(), [&name](const std::string& header) {
    return header == name || EndsWith(header, "/" + name);
  });
}

}  // namespace

std::set<std::string> PublicHeaders(const std::vector<SourceFile>& files) {
  const SourceFile* build = Find(files, "packaging/BUILD");
  std::vector<std::string> wanted =
      build == nullptr ? std::vector<std::string>() : Roots(build->text);
  for (const char* header : {"sdk/abi/unival_plugin.h", "sdk/cpp/unival_plugin.hpp"}) {
    wanted.push_back(header);
  }
  std::set<std::string> headers;
  while (!wanted.empty()) {
    const SourceFile* header = Find(files, wanted.back());
    wanted.pop_back();
    if (header == nullptr || !headers.insert(header->path).second) continue;
    for (const Dependency& included : Dependencies(*header)) wanted.push_back(included.path);
  }
  return headers;
}

std::vector<std::string> NamesOfInnerFiles(const std::vector<SourceFile>& files) {
  const std::set<std::string> headers = PublicHeaders(files);
  const std::regex source("[A-Za-z0-9_./]+\\.(h|hpp|cc)\\b");
  std::vector<std::string> findings;
  for (const std::string& path : headers) {
    int number = 0;
    for (const std::string& line : SplitLines(Find(files, path)->text)) {
      ++number;
      const std::string comment = CommentOf(line);
      for (std::sregex_iterator it(comment.begin(), comment.end(), source), end; it != end; ++it) {
        if (IsNamed(headers, it->str())) continue;
        findings.push_back(path + ":" + std::to_string(number) + ": " + it->str());
      }
    }
  }
  return findings;
}

}  // namespace unival
