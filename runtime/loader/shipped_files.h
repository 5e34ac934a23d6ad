// unival: shipped_files.h
//
// What lies around this copy of the code (sdk/base/own_object.h): files that are shipped with it
// are found from there, so a tree may be moved as a whole.
//
//   InstallationFolders(OwnObject().file)                  // ..., "/opt/unival"
//   FindShippedFile("plugins/depth/libdepth.so", "lib/unival")
#ifndef UNIVAL_RUNTIME_LOADER_SHIPPED_FILES_H_
#define UNIVAL_RUNTIME_LOADER_SHIPPED_FILES_H_

#include <string>
#include <vector>

namespace unival {

// Lets plugins find the symbols of this object, also where a program opened it with RTLD_LOCAL (an
// extension module of an interpreter does). The object and what it links then serve the whole
// process. Does nothing in a program, which exports its symbols by how it was linked.
void ShareOwnSymbols();

// Folders in which files shipped with `object` may lie, in the order to look: its runfiles (Bazel),
// its own folder, and the folder above; for a program in PREFIX/libexec/unival also PREFIX. Never
// the root, and none further up: that may belong to others.
std::vector<std::string> InstallationFolders(const std::string& object);

// `path` ("plugins/depth/libdepth.so") under `below` ("lib/unival") of each of these folders, and
// under the folder itself.
std::vector<std::string> ShippedFileCandidates(const std::string& path, const std::string& below,
                                               const std::string& object);

// The first candidate that exists around OwnObject(); empty when there is none.
std::string FindShippedFile(const std::string& path, const std::string& below);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_LOADER_SHIPPED_FILES_H_
