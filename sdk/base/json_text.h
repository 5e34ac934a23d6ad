// unival: json_text.h
//
// Prints JSON as text, for files and for standard output. File names and texts of others may
// contain bytes that are not UTF-8. Such bytes are replaced, so that one bad byte never loses a
// result.
//
//   std::cout << JsonText(report, 2) << "\n";
#ifndef UNIVAL_SDK_BASE_JSON_TEXT_H_
#define UNIVAL_SDK_BASE_JSON_TEXT_H_

#include <string>

namespace unival {

// `json`: nlohmann::json or nlohmann::ordered_json. `indent`: spaces per level; -1: one line.
template <typename Json>
std::string JsonText(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_JSON_TEXT_H_
