// unival: plugin_loader.h
//
// Reads what a plugin file says about itself without running it, refuses it in words, or opens it.
//
//   UNIVAL_ASSIGN_OR_RETURN(BuildInfo info, ReadBuildInfo("libdepth.so"));
//   UNIVAL_RETURN_IF_ERROR(CheckCompatible(info, "libdepth.so"));
//   UNIVAL_RETURN_IF_ERROR(LoadNativePlugin("libdepth.so", registry));
//
// Plugins are trusted code and are never unloaded. Not thread-safe: load on one thread before
// anything else runs.
#ifndef UNIVAL_RUNTIME_PLUGIN_LOADER_H_
#define UNIVAL_RUNTIME_PLUGIN_LOADER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/native/build_info.h"
#include "sdk/native/registry.h"

namespace unival {

// The record in the ELF section ".unival_plugin" of `file`. NotFound: no such file.
// InvalidArgument: not an ELF shared object of this machine, no such section, a record that is cut
// short or not ours. Unimplemented: a later layout version.
absl::StatusOr<BuildInfo> ReadBuildInfo(const std::string& file);

// The same for a file's bytes in memory; `file` is what messages call it.
absl::StatusOr<BuildInfo> ParseBuildInfo(const std::string& content, const std::string& file);

// FailedPrecondition with a table of field, plugin, host when anything differs from this build.
absl::Status CheckCompatible(const BuildInfo& info, const std::string& file);

// ReadBuildInfo, CheckCompatible, dlopen(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE), and the plugin's
// registration. `registry` stays as it was unless all of it succeeds.
absl::Status LoadNativePlugin(const std::string& file, Registry& registry);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_PLUGIN_LOADER_H_
