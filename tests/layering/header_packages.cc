#include "tests/layering/header_packages.h"

#include <algorithm>
#include <regex>
#include <set>

namespace unival {
namespace {

// "a, b (>= 2) | c:any" -> {{"a"}, {"b", "c"}}.
std::vector<std::vector<std::string>> ReadRelations(const std::string& text) {
  std::vector<std::vector<std::string>> all;
  const std::regex one("[^,]+"), name("(?:^|\\|)\\s*([a-z0-9][a-z0-9+.-]*)");
  for (std::sregex_iterator it(text.begin(), text.end(), one), end; it != end; ++it) {
    const std::string alternatives = it->str();
    std::vector<std::string> names;
    for (std::sregex_iterator at(alternatives.begin(), alternatives.end(), name); at != end; ++at)
      names.push_back((*at)[1]);
    if (!names.empty()) all.push_back(names);
  }
  return all;
}

std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields(1);
  for (char character : line) {
    if (character == '\t') {
      fields.emplace_back();
    } else {
      fields.back() += character;
    }
  }
  return fields;
}

// The installed packages that stand for `name`: itself, else those that provide it.
std::vector<std::string> Standing(const std::string& name, const InstalledPackages& installed) {
  if (installed.depends.count(name) > 0) return {name};
  const auto found = installed.providers.find(name);
  return found == installed.providers.end() ? std::vector<std::string>() : found->second;
}

// `listed` and all that comes with them. Of alternatives the first that is there: what apt would
// install.
std::set<std::string> Needed(std::vector<std::string> open, const InstalledPackages& installed) {
  std::set<std::string> needed;
  while (!open.empty()) {
    const std::string package = open.back();
    open.pop_back();
    const auto found = installed.depends.find(package);
    if (!needed.insert(package).second || found == installed.depends.end()) continue;
    for (const std::vector<std::string>& alternatives : found->second) {
      for (const std::string& name : alternatives) {
        const std::vector<std::string> standing = Standing(name, installed);
        open.insert(open.end(), standing.begin(), standing.end());
        if (!standing.empty()) break;
      }
    }
  }
  return needed;
}

}  // namespace

std::string ThirdPartyUnit(const std::vector<SourceFile>& files) {
  std::set<std::string> folders, headers;
  for (const SourceFile& file : files) folders.insert(file.path.substr(0, file.path.find('/')));
  const std::regex include("^\\s*#\\s*include\\s*([<\"])([^>\"]+)[>\"]");
  for (const SourceFile& file : files) {
    if (!IsCode(file.path) || EndsWith(file.path, ".proto")) continue;
    if (StartsWith(file.path, "sdk/abi/") || StartsWith(file.path, "tests/compat/v")) continue;
    for (const std::string& line : SplitLines(file.text)) {
      std::smatch match;
      if (line.find("include") == std::string::npos || !std::regex_search(line, match, include))
        continue;
      const std::string path = match[2];
      if (match[1] == "\"" && folders.count(path.substr(0, path.find('/'))) > 0) continue;
      headers.insert("<" + path + ">");
    }
  }
  std::string unit;
  for (const std::string& header : headers) unit += "#include " + header + "\n";
  return unit;
}

HeaderOwners ReadOwners(const std::string& text) {
  HeaderOwners owners;
  for (const std::string& line : SplitLines(text)) {
    const size_t colon = line.find(": /");
    if (colon == std::string::npos || StartsWith(line, "diversion by ")) continue;
    std::vector<std::string>& packages = owners[line.substr(colon + 2)];
    for (const std::vector<std::string>& one : ReadRelations(line.substr(0, colon)))
      packages.push_back(one.front());
  }
  return owners;
}

InstalledPackages ReadInstalled(const std::string& text) {
  InstalledPackages installed;
  for (const std::string& line : SplitLines(text)) {
    const std::vector<std::string> fields = Fields(line);
    if (fields.size() != 4) continue;
    installed.depends[fields[0]] = ReadRelations(fields[2] + "," + fields[3]);
    for (const std::vector<std::string>& one : ReadRelations(fields[1]))
      installed.providers[one.front()].push_back(fields[0]);
  }
  return installed;
}

std::vector<std::string> ListedPackages(const std::vector<SourceFile>& files) {
  std::vector<std::string> listed;
  for (const SourceFile& file : files) {
    if (file.path != "tools/packages.txt") continue;
    for (const std::string& line : SplitLines(file.text)) {
      const std::string name = line.substr(0, line.find_first_of(" #"));
      if (!name.empty()) listed.push_back(name);
    }
  }
  return listed;
}

std::vector<std::string> HeadersOfUnlistedPackages(const std::vector<std::string>& listed,
                                                   const HeaderOwners& owners,
                                                   const InstalledPackages& installed) {
  const std::set<std::string> needed = Needed(listed, installed);
  std::map<std::string, std::string> unlisted;  // package -> a header
  for (const auto& [header, packages] : owners) {
    const auto is_needed = [&](const std::string& package) { return needed.count(package) > 0; };
    if (packages.empty() || std::any_of(packages.begin(), packages.end(), is_needed)) continue;
    unlisted.emplace(packages.front(), header);
  }
  std::vector<std::string> findings;
  for (const auto& [package, header] : unlisted) {
    findings.push_back(package + ": holds " + header +
                       ", is not in tools/packages.txt, and nothing there depends on it");
  }
  return findings;
}

}  // namespace unival
