#include "tests/layering/packages.h"

#include <algorithm>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

namespace unival {
namespace {

constexpr char kThirdParty[] = "third_party/BUILD", kPackages[] = "tools/packages.txt",
               kLabel[] = "//third_party:";

// Data of tests: old files in their original form, and inputs.
bool IsData(const std::string& path) {
  return StartsWith(path, "tests/compat/v") || path.find("/fixtures/") != std::string::npos ||
         path.find("/testdata/") != std::string::npos;
}

std::string TextOf(const std::vector<SourceFile>& files, const std::string& path) {
  for (const SourceFile& file : files) {
    if (file.path == path) return file.text;
  }
  return "";
}

std::vector<std::string> Libraries(const std::vector<SourceFile>& files) {
  const std::string text = TextOf(files, kThirdParty);
  const std::regex name("\n(?:cc_library|alias)\\(\\s*name = \"(\\w+)\"");
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it)
    found.push_back((*it)[1]);
  return found;
}

bool IsUsed(const std::vector<SourceFile>& files, const std::string& library) {
  const std::string label = "\"" + (kLabel + library) + "\"";
  return std::any_of(files.begin(), files.end(), [&](const SourceFile& file) {
    return IsBuildFile(file.path) && file.path != kThirdParty &&
           file.text.find(label) != std::string::npos;
  });
}

bool HasUser(const std::vector<SourceFile>& files, const std::string& user) {
  if (StartsWith(user, kLabel)) {
    const std::vector<std::string> libraries = Libraries(files);
    const std::string library = user.substr(std::string(kLabel).size());
    return std::count(libraries.begin(), libraries.end(), library) > 0 && IsUsed(files, library);
  }
  const size_t colon = user.find(':');
  return colon != std::string::npos &&
         TextOf(files, user.substr(0, colon)).find(user.substr(colon + 1)) != std::string::npos;
}

}  // namespace

std::vector<std::string> UnusedLibraries(const std::vector<SourceFile>& files) {
  std::vector<std::string> unused;
  for (const std::string& library : Libraries(files)) {
    if (!IsUsed(files, library)) unused.push_back(kLabel + library);
  }
  return unused;
}

std::vector<std::string> PackagesWithoutUser(const std::vector<SourceFile>& files) {
  std::vector<std::string> findings;
  for (const std::string& line : SplitLines(TextOf(files, kPackages))) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string package, user, reason;
    if (!(words >> package)) continue;
    words >> user >> reason;
    if (reason.empty() || !HasUser(files, user)) findings.push_back(package + ": " + user);
  }
  return findings;
}

std::vector<std::string> FoldersWithoutReason(const std::vector<SourceFile>& files) {
  std::set<std::string> folders, reasons;
  for (const SourceFile& file : files) {
    const size_t end = file.path.rfind('/');
    if (end == std::string::npos || IsData(file.path)) continue;
    const std::string folder = file.path.substr(0, end), name = file.path.substr(end + 1);
    const bool is_head = name == "BUILD" && StartsWith(file.text, "#");
    if (is_head || name == "README.md") reasons.insert(folder);
    if (!IsCode(file.path) && !IsBuildFile(file.path)) continue;
    for (size_t at = end; at != std::string::npos; at = file.path.rfind('/', at - 1))
      folders.insert(file.path.substr(0, at));
  }
  std::vector<std::string> found;
  std::set_difference(folders.begin(), folders.end(), reasons.begin(), reasons.end(),
                      std::back_inserter(found));
  return found;
}

}  // namespace unival
