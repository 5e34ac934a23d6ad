// unival: descriptor.h
//
// Reads what the entry function of a tier-2 plugin returns, and registers its components; an error
// says why a plugin is refused. Nothing of the plugin is called but its entry function: components
// are created when a configuration asks for them.
#ifndef UNIVAL_RUNTIME_C_ABI_DESCRIPTOR_H_
#define UNIVAL_RUNTIME_C_ABI_DESCRIPTOR_H_

#include <string>

#include "absl/status/status.h"
#include "sdk/abi/unival_plugin.h"
#include "sdk/native/build_info.h"
#include "sdk/native/registry.h"

namespace unival {

using CEntry = const UnivalPlugin* (*)(const UnivalHost*);

// Calls `entry` with `host`, checks what it gives against `info` and registers it. Errors say what
// was expected and found: FailedPrecondition for versions, InvalidArgument for descriptors that do
// not hold together, AlreadyExists for a taken id.
absl::Status RegisterCPlugin(CEntry entry, const UnivalHost* host, const BuildInfo& info,
                             Registrar& registrar);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_C_ABI_DESCRIPTOR_H_
