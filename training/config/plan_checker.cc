#include "training/config/plan_checker.h"

#include <cmath>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "training/data/files/data_files.h"

namespace unival {

absl::Status PlanChecker::Error(absl::string_view field, absl::string_view expected,
                                absl::string_view actual, absl::string_view remedy) const {
  return PlanError(plan_, field, expected, actual, remedy);
}

absl::Status PlanChecker::Between(absl::string_view field, double value, double low,
                                  double high) const {
  if (std::isfinite(value) && value >= low && value <= high) return absl::OkStatus();
  return Error(field, absl::StrCat("a number from ", low, " to ", high), absl::StrCat(value),
               "correct the value");
}

absl::Status PlanChecker::Below1(absl::string_view field, double value) const {
  if (value >= 0 && value < 1) return absl::OkStatus();
  return Error(field, "a number from 0 to below 1", absl::StrCat(value), "correct the value");
}

absl::Status PlanChecker::Positive(absl::string_view field, double value,
                                   absl::string_view remedy) const {
  if (std::isfinite(value) && value > 0) return absl::OkStatus();
  return Error(field, "a positive number", absl::StrCat(value), remedy);
}

absl::Status PlanChecker::NotNegative(absl::string_view field, double value) const {
  if (std::isfinite(value) && value >= 0) return absl::OkStatus();
  return Error(field, "0 or more", absl::StrCat(value), "correct the value");
}

absl::Status PlanChecker::Whole(absl::string_view field, int64_t value, int64_t low,
                                int64_t high) const {
  if (value >= low && value <= high) return absl::OkStatus();
  return Error(field, absl::StrCat("a whole number from ", low, " to ", high), absl::StrCat(value),
               "correct the value");
}

absl::Status PlanChecker::OneOf(absl::string_view field, const std::string& value,
                                const std::vector<std::string>& allowed) const {
  if (absl::c_linear_search(allowed, value)) return absl::OkStatus();
  return Error(field, absl::StrCat("one of ", absl::StrJoin(allowed, ", ")),
               absl::StrCat("\"", value, "\""), "choose one of these");
}

absl::Status PlanChecker::Present(absl::string_view field, const std::string& path,
                                  const std::string& directory, absl::string_view remedy) const {
  if (path.empty()) return Error(field, "a path", "nothing", remedy);
  const std::string full = JoinPath(directory, path);
  if (IsThere(full)) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(plan_.file, ": ", field,
                                          ": expected an existing path, got \"", path,
                                          "\" (looked at ", full, "); ", remedy));
}

absl::Status PlanChecker::DataPresent(absl::string_view field, const std::string& path) const {
  constexpr char kRemedy[] =
      "paths are relative to the data root: create the data or set --data_root";
  if (path.empty()) return Error(field, "a path", "nothing", kRemedy);
  const auto files = ExpandDataPath(JoinPath(plan_.data_root, path));
  if (!absl::IsNotFound(files.status())) return Annotate(files.status(), plan_.file, ": ", field);
  return absl::NotFoundError(
      absl::StrCat(plan_.file, ": ", field, ": expected an existing path, got \"", path,
                   "\" (looked at ", files.status().message(), "); ", kRemedy));
}

absl::Status PlanChecker::Accepted(absl::string_view field, const absl::Status& status) const {
  if (status.ok()) return status;
  return WithMessage(
      status, absl::StrCat(plan_.file, ": ", field, ": ", status.message(), "; correct the plan"));
}

}  // namespace unival
