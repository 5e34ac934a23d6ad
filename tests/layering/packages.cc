#include "tests/layering/packages.h"

#include <algorithm>
#include <regex>
#include <sstream>

namespace unival {
namespace {

constexpr char kThirdParty[] = "third_party/BUILD", kPackages[] = "tools/packages.txt",
               kLabel[] = "//third_party:";

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

}  // namespace unival
