// unival: pickle_lines.h - values that Python's oldest pickles write as lines of text.
#ifndef UNIVAL_RUNTIME_TORCH_FILE_PICKLE_LINES_H_
#define UNIVAL_RUNTIME_TORCH_FILE_PICKLE_LINES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// 'it\'s\n' in single or double quotes, with Python's escapes, as the bytes that it means.
// InvalidArgument where a quote is missing or an escape is none.
absl::StatusOr<std::string> TextOfQuoted(absl::string_view line);

// Text in Latin-1 with \uXXXX and \UXXXXXXXX, as UTF-8.
absl::StatusOr<std::string> TextOfRawUnicode(absl::string_view line);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCH_FILE_PICKLE_LINES_H_
