// unival: json_text.h
//
// JSON as text, for files and standard output alike. Names of files and what others wrote may hold
// bytes that are no UTF-8; they are replaced, so that finished work is never lost to a byte.
//
//   std::cout << JsonText(report, 2) << "\n";
#ifndef UNIVAL_SDK_BASE_JSON_TEXT_H_
#define UNIVAL_SDK_BASE_JSON_TEXT_H_

#include <string>

namespace unival {

// `json`: nlohmann::json or nlohmann::ordered_json. `indent`: blanks per level; -1: one line.
template <typename Json>
std::string JsonText(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_JSON_TEXT_H_
