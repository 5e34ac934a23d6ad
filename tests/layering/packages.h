// unival: packages.h
//
// Rules about third_party/BUILD, tools/packages.txt and the documentation of folders: every package
// and library has a user, and every folder of sources says what it is for. An empty result means
// that the rule holds.
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

// Folders that contain sources, also in subfolders, and do not say what they are for: they have
// neither a comment at the head of BUILD nor a README.md. Folders of data are left out.
std::vector<std::string> FoldersWithoutReason(const std::vector<SourceFile>& files);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_PACKAGES_H_
