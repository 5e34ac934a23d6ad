// Any bytes as a line of a table with tabs: gives an error, or fields inside the line; never a
// crash.
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "tests/fuzz/require.h"
#include "training/data/read/line_parser.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view line(reinterpret_cast<const char*>(data), size);
  const auto fields = unival::TsvFormat().parse(line, nullptr);
  if (!fields.ok()) {
    Require(!fields.status().message().empty());
    return 0;
  }
  for (size_t column = 0; column < fields->size(); ++column) {
    const auto field = fields->find(std::to_string(column));
    Require(field != fields->end());
    const auto* text = std::get_if<std::string>(&field->second);
    Require(text == nullptr || text->size() <= size);
  }
  return 0;
}
