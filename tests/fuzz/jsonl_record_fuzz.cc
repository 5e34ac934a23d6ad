// Any bytes as a line of a JSONL file: a status or fields, never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "training/data/record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view line(reinterpret_cast<const char*>(data), size);
  auto fields = unival::ParseRecord(line);
  if (!fields.ok()) {
    if (fields.status().message().empty()) std::abort();
    return 0;
  }
  const auto renamed = unival::RenameColumns(*fields, {{"caption", "text"}});
  if (renamed.ok() != (fields->count("text") != 0)) std::abort();
  return 0;
}
