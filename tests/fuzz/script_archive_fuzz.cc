// Any bytes as a file of torch.jit.save: a status, in bounded memory and without recursion; nothing
// is run, and libtorch does not see it.
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
