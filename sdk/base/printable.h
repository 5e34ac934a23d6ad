// unival: printable.h - text of others as it may be shown to a person.
//
//   std::cerr << PrintableMessage(status.message()) << "\n";
//
// Paths, names in files and messages of plugins may hold bytes that a terminal acts on, and may be
// of any length. They are made harmless once, where they are printed.
#ifndef UNIVAL_SDK_BASE_PRINTABLE_H_
#define UNIVAL_SDK_BASE_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace unival {

// UTF-8 with line ends and tabs as they are. Other control characters of ASCII and bytes that are
// no UTF-8 stand as \x1b. As \u009b, so that JSON stays JSON, stand U+007F, the control characters
// of Unicode (U+0080 to U+009F) and those that turn the direction of text around (U+200E, U+200F,
// U+202A to U+202E, U+2066 to U+2069).
std::string Printable(absl::string_view text);

constexpr size_t kMaxMessage = 8192;  // bytes

// The same, not longer than about kMaxMessage: of a longer one the middle is left out, with a note
// of how much; both ends say something.
std::string PrintableMessage(absl::string_view text);

// A name that stands in a file, for a message about that file: what is not printable ASCII escaped
// as in C, and no more than its first 200 bytes.
std::string ShownName(absl::string_view name);

// Bytes of the UTF-8 character that `text` begins with; 0 where it begins with none.
size_t Utf8Length(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_PRINTABLE_H_
