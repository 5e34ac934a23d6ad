// unival: json_error.h - what a person needs of an error of the JSON library.
//
//   } catch (const nlohmann::json::exception& error) {
//     return InvalidArgument(file, ": not a receipt: ", JsonReason(error.what()));
#ifndef UNIVAL_SDK_BASE_JSON_ERROR_H_
#define UNIVAL_SDK_BASE_JSON_ERROR_H_

#include <string>

#include "absl/strings/string_view.h"

namespace unival {

// "[json.exception.parse_error.101] parse error at line 1" without the library's own name for it.
inline std::string JsonReason(absl::string_view text) {
  const size_t bracket = text.find("] ");
  return std::string(bracket == absl::string_view::npos ? text : text.substr(bracket + 2));
}

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_JSON_ERROR_H_
