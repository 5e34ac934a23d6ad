// Any text as a manifest of the data-only tier: gives an error with a message, or a manifest whose
// registration succeeds or gives an error. Never a crash, and a program is never loaded.
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/torchscript/torchscript_plugin.h"
#include "tests/fuzz/require.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto manifest = unival::ParsePluginManifest(text, "fuzz.plugin.textproto");
  if (!manifest.ok()) {
    Require(!manifest.status().message().empty());
    return 0;
  }
  Require(manifest->modality().features().dim() > 0);
  unival::Registry registry;
  const absl::Status status =
      unival::RegisterTorchScriptPlugin(*manifest, "fuzz.plugin.textproto", registry);
  Require(status.ok() == (registry.List().size() == 1));
  return 0;
}
