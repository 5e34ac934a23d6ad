// unival: fields.h - what a replay needs of a fixture, and its name where it is not there.
//
//   const at::Tensor& tokens = TensorOf(golden, "src_tokens");
//
// Like Json::at they throw: replays run under ReplayContext::Case, which makes the text the error
// of their case.
#ifndef UNIVAL_UPSTREAM_PARITY_FIELDS_H_
#define UNIVAL_UPSTREAM_PARITY_FIELDS_H_

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace unival {
namespace parity {

// What stands under `field`, of a map by name; `what` as in "tensor". Throws std::out_of_range
// naming the field, and what there is.
template <typename Value>
const Value& FieldOf(const std::map<std::string, Value>& map, const std::string& field,
                     const char* what) {
  const auto found = map.find(field);
  if (found != map.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& entry : map) {
    constexpr size_t kShown = 8;
    names.push_back(names.size() < kShown ? entry.first : "...");
    if (names.size() > kShown) break;
  }
  throw std::out_of_range(absl::StrCat("expected the ", what, " \"", field,
                                       "\", which is not there (", absl::StrJoin(names, ", "),
                                       ")"));
}

template <typename Tensors>
const auto& TensorOf(const Tensors& tensors, const std::string& field) {
  return FieldOf(tensors, field, "tensor");
}

// Part `index` of the text `field`. Throws std::invalid_argument with the whole text and the form
// that is expected.
inline const std::string& PartOf(const std::vector<std::string>& parts, size_t index,
                                 const std::string& field, const std::string& form) {
  if (index < parts.size()) return parts[index];
  throw std::invalid_argument(absl::StrCat("\"", field, "\": expected ", form, ", got \"",
                                           absl::StrJoin(parts, " "), "\""));
}

// `text` as a number. Throws std::invalid_argument naming the field.
inline double NumberOf(const std::string& text, const std::string& field) {
  double number = 0;
  if (absl::SimpleAtod(text, &number)) return number;
  throw std::invalid_argument(
      absl::StrCat("\"", field, "\": expected a number, got \"", text, "\""));
}

// The same for whole numbers.
inline int64_t IntegerOf(const std::string& text, const std::string& field) {
  int64_t number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  throw std::invalid_argument(
      absl::StrCat("\"", field, "\": expected a whole number, got \"", text, "\""));
}

}  // namespace parity
}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_FIELDS_H_
