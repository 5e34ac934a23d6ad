// Any bytes as a line of a JSONL file: gives an error or fields, never a crash.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/require.h"
#include "training/data/read/record.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view line(reinterpret_cast<const char*>(data), size);
  auto fields = unival::ParseRecord(line);
  if (!fields.ok()) {
    Require(!fields.status().message().empty());
    return 0;
  }
  const auto renamed = unival::RenameColumns(*fields, {{"caption", "text"}});
  Require(renamed.ok() == (fields->count("text") != 0));
  return 0;
}
