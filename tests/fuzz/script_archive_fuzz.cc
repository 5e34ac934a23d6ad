// Any bytes as a file of torch.jit.save: a status, in bounded memory and without recursion; nothing
// is run, and libtorch does not see it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "runtime/torchscript/archive_check.h"
#include "runtime/torchscript/source_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view file(reinterpret_cast<const char*>(data), size);
  const absl::Status archive = unival::CheckScriptArchive(file);
  const absl::Status source = unival::CheckScriptSource(file);
  if (!archive.ok() && archive.message().empty()) std::abort();
  if (!source.ok() && source.message().empty()) std::abort();
  return 0;
}
