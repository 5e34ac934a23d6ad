// unival: json_parse.h - JSON from files, other programs and users, read in one place.
//
//   UNIVAL_ASSIGN_OR_RETURN(const Json json, Annotate(ParseJson<Json>(text), file));
//   return CatchJson([&]() -> absl::StatusOr<Run> { return Run{json.at("plan")}; },
//                    [&](absl::string_view why) { return InvalidArgument(file, ": ", why); });
//
// `Json` is nlohmann::json or nlohmann::ordered_json. Its exceptions stay in here: what a person
// reads of them never begins with the library's own name for an error.
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

// No file that this program or another writes comes near it. The library parses without recursion,
// but copies and prints values by it (ordered objects are copied while they grow, so while they are
// parsed): a list in a list four hundred thousand times would end the process.
inline constexpr int kMaxJsonDepth = 64;

// InvalidArgument when lists and objects stand in each other deeper than kMaxJsonDepth. Of what is
// no JSON it says nothing.
absl::Status CheckJsonDepth(absl::string_view text);

// "[json.exception.parse_error.101] parse error at line 1" without the library's name for it.
std::string JsonReason(absl::string_view what);

// Why the first `byte` bytes of `text` are not the beginning of a JSON value, where the library
// said `what`: InvalidArgument of kind kNotUtf8 where they are no UTF-8, else of kind kNotJson.
absl::Status JsonFault(absl::string_view text, size_t byte, absl::string_view what);

// `text` as one JSON value. InvalidArgument without a place, which the caller knows: as
// CheckJsonDepth and JsonFault. `see`, where given, is told of what is read as it is read, so of
// keys that stand twice too; a value for which it returns false is left out. A whole text that is
// left out is a discarded value.
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

// Tells `listener` of all parts of `text`, which may be of any length and depth; its parse_error
// gets an exception for JsonReason.
template <typename Json>
void FollowJson(absl::string_view text, nlohmann::json_sax<Json>* listener) {
  Json::sax_parse(text.begin(), text.end(), listener);
}

// Returns what `body` returns, which takes values out of JSON; where one is missing or of another
// type than is asked for, what `fault` makes of the reason.
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
