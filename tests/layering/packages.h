// unival: packages.h
//
// Nothing is installed or linked without a user, and no folder of sources is there without a
// reason: rules over third_party/BUILD, tools/packages.txt and the heads of folders. An empty
// answer means the rule holds.
#ifndef UNIVAL_TESTS_LAYERING_PACKAGES_H_
#define UNIVAL_TESTS_LAYERING_PACKAGES_H_

#include <string>
#include <vector>

#include "tests/layering/source_tree.h"

namespace unival {

// Targets of third_party/BUILD that no BUILD or .bzl file elsewhere depends on.
std::vector<std::string> UnusedLibraries(const std::vector<SourceFile>& files);

// Lines of tools/packages.txt ("package  user  what for") whose user is not there. A user is a
// library, "//third_party:re2", which must be declared and itself be used, or "FILE:TEXT", where
// FILE must hold TEXT.
std::vector<std::string> PackagesWithoutUser(const std::vector<SourceFile>& files);

// Folders with sources in them or below, data aside, that do not say what they are for: neither a
// comment at the head of BUILD nor a README.md.
std::vector<std::string> FoldersWithoutReason(const std::vector<SourceFile>& files);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_PACKAGES_H_
