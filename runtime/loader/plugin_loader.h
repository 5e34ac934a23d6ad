// unival: plugin_loader.h
//
// Reads what a plugin file says about itself without running it, refuses it in words, or opens it.
//
//   // Tier 2, "imu", "1.0.0":
//   UNIVAL_ASSIGN_OR_RETURN(PluginIdentity identity, IdentifyPlugin("libimu.so"));
//   UNIVAL_RETURN_IF_ERROR(LoadPlugin("libimu.so", registry));
//
// A file ending in .textproto is a manifest of the data-only tier; anything else must be a shared
// object with a record in the ELF section ".unival_plugin".
//
// Plugins are trusted code and are never unloaded. Not thread-safe: load on one thread before
// anything else runs.
#ifndef UNIVAL_RUNTIME_LOADER_PLUGIN_LOADER_H_
#define UNIVAL_RUNTIME_LOADER_PLUGIN_LOADER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sdk/native/build_info.h"
#include "sdk/native/registry.h"

namespace unival {

// The record in the ELF section ".unival_plugin" of `file`. NotFound: no such file.
// InvalidArgument: not an ELF shared object of this machine, no such section, a record that is cut
// short or not ours. Unimplemented: a later layout version.
absl::StatusOr<BuildInfo> ReadBuildInfo(const std::string& file);

// The same for a file's bytes in memory; `file` is what messages call it.
absl::StatusOr<BuildInfo> ParseBuildInfo(const std::string& content, const std::string& file);

// FailedPrecondition with a table of field, plugin, host when this build cannot run the plugin.
// Tier 1: any field of the fingerprint differs; tier 2: another ABI major or processor.
absl::Status CheckCompatible(const BuildInfo& info, const std::string& file);

// What a plugin file says about itself.
struct PluginIdentity {
  std::string id, version;
  int tier = 0;  // 1 native, 2 C ABI, 3 data only
  // "0.2": the ABI of tiers 1 and 2; "libtorch 1.13.1": the producer of tier 3's program.
  std::string abi;
};
// Errors of ReadBuildInfo, or of the manifest.
absl::StatusOr<PluginIdentity> IdentifyPlugin(const std::string& file);

// The sha256 that a plugin file must have, where there is one.
using PluginPin = absl::optional<std::string>;

// DataLoss with both hashes unless the file's sha256 is the pin.
absl::Status CheckPin(const std::string& file, const PluginPin& pin);

// Checks and opens a shared object as LoadPlugin does, and registers nothing: its constructors run,
// its entry function does not. OK for a manifest, which has no code to open.
absl::Status OpenPlugin(const std::string& file, const PluginPin& pin = absl::nullopt);

// Checks, opens with dlopen(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) where it is a shared object, and
// registers. `registry` stays as it was unless all of it succeeds. Errors name the file; DataLoss
// where it is not what the pin says, or was replaced while it was opened.
absl::Status LoadPlugin(const std::string& file, Registry& registry,
                        const PluginPin& pin = absl::nullopt);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_LOADER_PLUGIN_LOADER_H_
