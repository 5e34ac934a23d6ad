// unival: printable.h - makes text from other sources safe to show on a terminal.
//
//   std::cerr << PrintableMessage(status.message()) << "\n";
//
// Paths, names in files and messages of plugins may contain bytes that control a terminal, and may
// be very long. They are escaped once, where they are printed.
#ifndef UNIVAL_SDK_BASE_PRINTABLE_H_
#define UNIVAL_SDK_BASE_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace unival {

// `text` with dangerous characters escaped; line ends and tabs stay. Written in the form \x1b:
// other ASCII control characters and bytes that are not UTF-8. Written in the form \u009b, so that
// JSON stays valid: U+007F, the Unicode control characters (U+0080 to U+009F), and those that
// change the direction of text (U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069).
std::string Printable(absl::string_view text);

// The same for a name or a message of a plugin that stands in one line: line ends and tabs are
// written \n and \t, so that it cannot look like further lines of the program's own.
std::string PrintableLine(absl::string_view text);

constexpr size_t kMaxMessage = 8192;  // bytes

// The same, shortened to about kMaxMessage bytes. The middle of a longer text is replaced by a note
// that says how much is missing, because both ends carry information.
std::string PrintableMessage(absl::string_view text);

// A name from a file, for a message about that file. Characters that are not printable ASCII are
// escaped as in C. Only the first 200 bytes are shown.
std::string ShownName(absl::string_view name);

// Number of bytes of the UTF-8 character at the beginning of `text`; 0 when there is no valid one.
size_t Utf8Length(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_PRINTABLE_H_
