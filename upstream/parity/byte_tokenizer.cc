#include "upstream/parity/byte_tokenizer.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace parity {

absl::Status WriteByteTokenizer(const std::string& folder, int64_t words) {
  nlohmann::json symbols;
  int next = 256;
  const auto utf8 = [](int character) {
    if (character < 128) return std::string(1, static_cast<char>(character));
    return std::string{static_cast<char>(0xC0 | character >> 6),
                       static_cast<char>(0x80 | (character & 63))};
  };
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
    symbols[utf8(printable ? byte : next++)] = byte;
  }
  std::string dictionary;
  for (int64_t word = 0; word < words; ++word) {
    absl::StrAppend(&dictionary, word < 256 ? absl::StrCat(word) : absl::StrCat("unused", word),
                    " 1\n");
  }
  UNIVAL_RETURN_IF_ERROR(MakeFolders(folder));
  const std::pair<const char*, std::string> files[] = {
      {"encoder.json", symbols.dump()}, {"vocab.bpe", "#version: 0.2\n"}, {"dict.txt", dictionary}};
  for (const auto& [name, text] : files) {
    UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(folder, "/", name), {text}));
  }
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
