// What a merge can be asked for.
#include "backbone/merging/options_check.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// The largest factor of a difference from the base. A factor above 10 is taken for a typing
// mistake, and very large ones overflow to infinity.
constexpr double kLargestFactor = 10;
constexpr char kFactors[] = "a number from -10 to 10";

bool IsFactor(double factor) { return std::abs(factor) <= kLargestFactor; }  // false for NaN

absl::Status CheckLambda(const MergeMethod& method, const std::string& field, double lambda) {
  if (!method.is_pair && !method.needs_base) {
    return FieldError(field, absl::StrCat("none, as method \"", method.name, "\" takes none"),
                      lambda, "say --weight for each model, or --method interpolate");
  }
  const bool fits = method.is_pair ? lambda >= 0 && lambda <= 1 : IsFactor(lambda);
  if (fits) return absl::OkStatus();
  return FieldError(field, method.is_pair ? "a number from 0 to 1" : kFactors, lambda,
                    "correct the value");
}

absl::Status CheckWeights(const MergeMethod& method, const MergeOptions& options) {
  if (options.weights.empty()) return absl::OkStatus();
  if (method.is_pair) {
    return FieldError("weight", absl::StrCat("none, as \"", method.name, "\" takes a lambda"),
                      absl::StrJoin(options.weights, ", "), "say --lambda");
  }
  if (options.weights.size() != options.models.size()) {
    return FieldError("weight", absl::StrCat(options.models.size(), ", one for each model"),
                      options.weights.size(), "give one for each, in order");
  }
  double sum = 0;
  for (double weight : options.weights) {
    // A task vector may be subtracted (weight below 0); a share of an average may not be negative.
    const bool fits = method.needs_base ? IsFactor(weight) : std::isfinite(weight) && weight >= 0;
    if (!fits) {
      return FieldError("weight", method.needs_base ? kFactors : "0 or more", weight,
                        "correct the value");
    }
    sum += weight;
  }
  if (!std::isfinite(sum)) {
    return FieldError("weight", "shares that have a sum", absl::StrJoin(options.weights, ", "),
                      "give smaller numbers in the same proportion");
  }
  if (method.needs_base || sum > 0) return absl::OkStatus();
  return FieldError("weight", "one above 0", "none", "give each model a share");
}

absl::Status CheckOneOf(absl::string_view field, const std::string& value,
                        const std::vector<std::string>& allowed) {
  if (absl::c_linear_search(allowed, value)) return absl::OkStatus();
  return FieldError(field, absl::StrCat("one of ", absl::StrJoin(allowed, ", ")),
                    absl::StrCat("\"", value, "\""), "choose one of these");
}

absl::Status CheckModels(const MergeMethod& method, const MergeOptions& options) {
  const size_t count = options.models.size();
  const size_t least = method.needs_base ? 1 : 2;
  if (method.is_pair ? count != 2 : count < least) {
    return FieldError("models",
                      method.is_pair ? absl::StrCat("two, as \"", method.name, "\" takes")
                                     : absl::StrCat(least, " or more"),
                      count, "name model directories");
  }
  if (method.needs_base == !options.base.empty()) return absl::OkStatus();
  return FieldError("base",
                    method.needs_base ? "the model directory that all come from"
                                      : absl::StrCat("none, as \"", method.name, "\" takes none"),
                    method.needs_base ? "nothing" : absl::StrCat("\"", options.base, "\""),
                    method.needs_base ? "name it by --base" : "leave it out");
}

absl::Status CheckOptions(const MergeMethod& method, const MergeOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckModels(method, options));
  if (options.lambda) UNIVAL_RETURN_IF_ERROR(CheckLambda(method, "lambda", *options.lambda));
  for (const PartLambda& part : options.parts) {
    UNIVAL_RETURN_IF_ERROR(
        CheckLambda(method, absl::StrCat("part \"", part.pattern, "\""), part.lambda));
  }
  UNIVAL_RETURN_IF_ERROR(CheckWeights(method, options));
  if (!(options.density > 0 && options.density <= 1)) {
    return FieldError("density", "a number above 0, at most 1", options.density,
                      "correct the value");
  }
  UNIVAL_RETURN_IF_ERROR(CheckOneOf("statistics", options.statistics, {"average", "first"}));
  return CheckOneOf("counters", options.counters, {"largest", "first"});
}

}  // namespace

absl::StatusOr<const MergeMethod*> CheckMergeOptions(const MergeOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckOneOf("method", options.method, MergeMethodNames()));
  const MergeMethod* method = FindMergeMethod(options.method);
  UNIVAL_RETURN_IF_ERROR(CheckOptions(*method, options));
  return method;
}

}  // namespace unival
