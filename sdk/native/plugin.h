// unival: plugin.h
//
// The macro that makes a native plugin. It names the plugin, records how it was built, and passes
// the host's registrar to your function. Write it once, in one .cc file, at namespace scope:
//
//   absl::Status Register(unival::Registrar& registrar) {
//     return registrar.AddModality({"depth", "16-bit depth maps in millimetres", &CreateDepth});
//   }
//   UNIVAL_NATIVE_PLUGIN("depth", "0.1.0", Register)
//
// The record is in the ELF section ".unival_plugin", so the host can compare it without running any
// code of the plugin. A plugin that was built for another runtime is refused, with a table of the
// fields that differ. A plugin links no code of the host: the functions that it calls are found in
// the host that opens it. A plugin is never unloaded.
#ifndef UNIVAL_SDK_NATIVE_PLUGIN_H_
#define UNIVAL_SDK_NATIVE_PLUGIN_H_

#include "sdk/native/build_info.h"
#include "sdk/native/registry.h"

#define UNIVAL_NATIVE_PLUGIN(id, version, register_function)                             \
  extern "C" __attribute__((used, visibility("default"), section(".unival_plugin")))     \
  const unival::BuildInfo unival_plugin_build_info = unival::MakeBuildInfo(id, version); \
  extern "C" __attribute__((visibility("default"))) void unival_native_plugin_v0(        \
      unival::Registrar* registrar, absl::Status* status) {                              \
    *status = register_function(*registrar);                                             \
  }

#endif  // UNIVAL_SDK_NATIVE_PLUGIN_H_
