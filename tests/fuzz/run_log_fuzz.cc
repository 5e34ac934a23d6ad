// Any bytes as the log of an earlier run: it is opened, and only complete lines of it are kept.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "sdk/base/files.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/scratch.h"
#include "training/run/progress.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string path = unival::WriteScratch("log.jsonl", text);
  {
    unival::RunLog log;
    unival::Require(log.Open(path, 4).ok());
  }
  const std::string kept = unival::ReadWholeFile(path).value();
  unival::Require(kept.size() <= size && (kept.empty() || kept.back() == '\n'));
  return 0;
}
