// unival: json_parse.h - parses JSON from files, other programs and users; the only place that
// does.
//
//   UNIVAL_ASSIGN_OR_RETURN(const Json json, Annotate(ParseJson<Json>(text), file));
//   return CatchJson([&]() -> absl::StatusOr<Run> { return Run{json.at("plan")}; },
//                    [&](absl::string_view why) { return InvalidArgument(file, ": ", why); });
//
// `Json` is nlohmann::json or nlohmann::ordered_json. The library's exceptions do not leave these
// functions. Messages do not contain the library's own error names.
#ifndef UNIVAL_SDK_BASE_JSON_PARSE_H_
#define UNIVAL_SDK_BASE_JSON_PARSE_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/base/status_kind.h"
#include "sdk/base/status_macros.h"

namespace unival {

constexpr StatusKind kNotJson("unival/not_json");

// The deepest nesting that is accepted. Real files are far less deep. The limit protects the stack:
// the library parses without recursion, but it copies and prints values by recursion, and it copies
// ordered objects while it parses them. Lists nested 400,000 deep would end the process.
inline constexpr int kMaxJsonDepth = 64;

// InvalidArgument when lists and objects are nested deeper than kMaxJsonDepth. Does not check
// whether `text` is valid JSON.
absl::Status CheckJsonDepth(absl::string_view text);

// The text of a library exception without the library's error name:
// "[json.exception.parse_error.101] parse error at line 1" becomes "parse error at line 1".
std::string JsonReason(absl::string_view what);

// The error for a text that is not JSON. `byte` is the place where the library stopped, `what` is
// its message. InvalidArgument of kind kNotUtf8 when the first `byte` bytes are not UTF-8,
// otherwise of kind kNotJson.
absl::Status JsonFault(absl::string_view text, size_t byte, absl::string_view what);

// Parses `text` as one JSON value. Errors are those of CheckJsonDepth and JsonFault; they do not
// name the file, because only the caller knows it. `see`, when given, is called for each part while
// it is parsed, also for duplicate keys. A value for which it returns false is left out; if that is
// the whole text, the result is a discarded value.
template <typename Json = nlohmann::json>
absl::StatusOr<Json> ParseJson(absl::string_view text,
                               const typename Json::parser_callback_t& see = nullptr) {
  UNIVAL_RETURN_IF_ERROR(CheckJsonDepth(text));
  try {
    return Json::parse(text.begin(), text.end(), see);
  } catch (const typename Json::parse_error& error) {
    return JsonFault(text, error.byte, error.what());
  } catch (const typename Json::exception& error) {  // a number that no type holds
    return JsonFault(text, 0, error.what());
  }
}

// Parses `text` and calls `listener` for each part. The text may be of any length and depth. The
// exception that `listener->parse_error` receives is meant for JsonReason.
template <typename Json>
void FollowJson(absl::string_view text, nlohmann::json_sax<Json>* listener) {
  Json::sax_parse(text.begin(), text.end(), listener);
}

// Runs `body`, which reads values from JSON, and returns its result. When a value is missing or has
// the wrong type, returns `fault(reason)` instead.
template <typename Body, typename Fault>
auto CatchJson(const Body& body, const Fault& fault) -> decltype(body()) {
  try {
    return body();
  } catch (const nlohmann::json::exception& error) {
    return fault(JsonReason(error.what()));
  }
}

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_JSON_PARSE_H_
