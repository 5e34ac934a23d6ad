// Any bytes as a file of torch.jit.save: gives a status, in bounded memory and without recursion.
// Nothing is executed, and libtorch does not read the file.
#include <cstddef>
#include <cstdint>

#include "runtime/torchscript/archive_check.h"
#include "runtime/torchscript/source_check.h"
#include "tests/fuzz/require.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view file(reinterpret_cast<const char*>(data), size);
  const absl::Status archive = unival::CheckScriptArchive(file);
  const absl::Status source = unival::CheckScriptSource(file);
  Require(archive.ok() || !archive.message().empty());
  Require(source.ok() || !source.message().empty());
  return 0;
}
