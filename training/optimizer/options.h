// unival: options.h - numbers that an optimizer or a schedule takes beside the plan's own fields.
#ifndef UNIVAL_TRAINING_OPTIMIZER_OPTIONS_H_
#define UNIVAL_TRAINING_OPTIMIZER_OPTIONS_H_

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace unival {

// InvalidArgument "FIELD: expected ..., got ..." for a name in `given` that is not in `known`, or a
// value that is no finite number.
inline absl::Status CheckOptions(absl::string_view field,
                                 const std::map<std::string, double>& given,
                                 const std::vector<std::string>& known) {
  for (const auto& [name, value] : given) {
    const bool is_known = std::find(known.begin(), known.end(), name) != known.end();
    if (is_known && std::isfinite(value)) continue;
    if (is_known) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, "[\"", name, "\"]: expected a finite number, got ", value));
    }
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": expected ", known.empty() ? "none" : absl::StrJoin(known, ", "),
                     ", got \"", name, "\""));
  }
  return absl::OkStatus();
}

// What `given` has under `name`, or else `fallback`.
inline double OptionOr(const std::map<std::string, double>& given, const std::string& name,
                       double fallback) {
  const auto found = given.find(name);
  return found == given.end() ? fallback : found->second;
}

}  // namespace unival

#endif  // UNIVAL_TRAINING_OPTIMIZER_OPTIONS_H_
