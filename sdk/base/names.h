// unival: names.h - the form of names that become parts of file names, tensor names and commands.
//
//   if (!IsId(id)) return FieldError("id", kIdForm, absl::StrCat("\"", id, "\""));
#ifndef UNIVAL_SDK_BASE_NAMES_H_
#define UNIVAL_SDK_BASE_NAMES_H_

#include "absl/strings/string_view.h"

namespace unival {

// a-z, 0-9 and '_'.
bool IsLowerSnakeCharacter(char c);

// A lower-case letter, then letters, digits and '_': [a-z][a-z0-9_]*
bool IsLowerSnake(absl::string_view word);

// The form of the ids that plugins register: a lower_snake word of 2 to 48 bytes.
bool IsId(absl::string_view word);
inline constexpr char kIdForm[] = "[a-z][a-z0-9_]{1,47}";

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_NAMES_H_
