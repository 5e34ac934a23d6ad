// unival: header_packages.h
//
// Whoever builds the tree on a fresh machine has the packages of tools/packages.txt, and what those
// depend on. So each header of a library that a file of the tree includes, and each header that
// such a header includes, must come from one of them. An answer without findings means the rule
// holds.
//
//   const std::string unit = ThirdPartyUnit(files);              // g++ -M gives the headers
//   HeadersOfUnlistedPackages(listed, ReadOwners(owners), ReadInstalled(packages));
#ifndef UNIVAL_TESTS_LAYERING_HEADER_PACKAGES_H_
#define UNIVAL_TESTS_LAYERING_HEADER_PACKAGES_H_

#include <map>
#include <string>
#include <vector>

#include "tests/layering/source_tree.h"

namespace unival {

// The lines `#include` of all sources that are not about files of the tree, each once: a source
// file, as the preprocessor takes it. Headers of past versions are left out.
std::string ThirdPartyUnit(const std::vector<SourceFile>& files);

// Header -> the packages that hold it, from what `dpkg-query -S` prints.
using HeaderOwners = std::map<std::string, std::vector<std::string>>;
HeaderOwners ReadOwners(const std::string& text);

// What is installed: package -> what it depends on, each as alternatives in the order of choice.
struct InstalledPackages {
  std::map<std::string, std::vector<std::vector<std::string>>> depends;
  std::map<std::string, std::vector<std::string>> providers;  // of a name that is no package's own
};

// From `dpkg-query -W -f '${Package}\t${Provides}\t${Pre-Depends}\t${Depends}\n'`.
InstalledPackages ReadInstalled(const std::string& text);

// The names at the beginnings of the lines of tools/packages.txt.
std::vector<std::string> ListedPackages(const std::vector<SourceFile>& files);

// Packages that hold a header and are neither among `listed` nor needed by one of those; each with
// one of its headers.
std::vector<std::string> HeadersOfUnlistedPackages(const std::vector<std::string>& listed,
                                                   const HeaderOwners& owners,
                                                   const InstalledPackages& installed);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_HEADER_PACKAGES_H_
