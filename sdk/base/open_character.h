// unival: open_character.h - for text that arrives in pieces: finds an incomplete character at the
// end.
//
//   const size_t whole = text.size() - OpenCharacter(text);
//   Show(text.substr(0, whole));  // the rest waits for the next piece
#ifndef UNIVAL_SDK_BASE_OPEN_CHARACTER_H_
#define UNIVAL_SDK_BASE_OPEN_CHARACTER_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace unival {

// Number of bytes at the end of `text` that begin a UTF-8 character whose other bytes have not
// arrived yet: 0 to 3.
inline size_t OpenCharacter(absl::string_view text) {
  constexpr size_t kMostBytes = 4;
  for (size_t back = 1; back < kMostBytes && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;  // inside a character
    const size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_OPEN_CHARACTER_H_
