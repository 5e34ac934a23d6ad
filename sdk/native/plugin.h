// unival: plugin.h
//
// The one macro of a native plugin: it names the plugin, records what it was built against, and
// hands the host's registrar to a function of yours. Write it once, in one .cc, at namespace scope:
//
//   absl::Status Register(unival::Registrar& registrar) {
//     return registrar.AddModality({"depth", "16-bit depth maps in millimetres", &CreateDepth});
//   }
//   UNIVAL_NATIVE_PLUGIN("depth", "0.1.0", Register)
//
// The record stands in the ELF section ".unival_plugin", so the host compares it without running
// any code of the plugin; one that was built for another runtime is refused with a table of the
// fields that differ. A plugin links no host code: what it calls is found in the host that opens
// it, and it is never unloaded.
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
