// unival: torchscript_plugin.h
//
// The data-only tier: a manifest in text and a TorchScript file are a modality.
//
//   UNIVAL_ASSIGN_OR_RETURN(PluginManifest manifest,
//                           ReadPluginManifest("thermal.plugin.textproto"));
//   UNIVAL_RETURN_IF_ERROR(RegisterTorchScriptPlugin(manifest, "thermal.plugin.textproto",
// registrar));
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_TORCHSCRIPT_PLUGIN_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_TORCHSCRIPT_PLUGIN_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/native/registry.h"
#include "sdk/proto/plugin_manifest.pb.h"

namespace unival {

// Parses and checks the manifest. NotFound: no such file; InvalidArgument names the line or the
// field.
absl::StatusOr<PluginManifest> ReadPluginManifest(const std::string& file);
// The same for text in memory; `file` is what messages call it.
absl::StatusOr<PluginManifest> ParsePluginManifest(const std::string& text,
                                                   const std::string& file);

// FailedPrecondition when the program's producer is later than this host. The program's file is
// compared with its sha256, and only then loaded, when the modality is created.
absl::Status RegisterTorchScriptPlugin(const PluginManifest& manifest, const std::string& file,
                                       Registrar& registrar);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_TORCHSCRIPT_PLUGIN_H_
