// unival: plan_checker.h - what the checks of a plan's fields are made of.
#ifndef UNIVAL_TRAINING_CONFIG_PLAN_CHECKER_H_
#define UNIVAL_TRAINING_CONFIG_PLAN_CHECKER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "training/config/plan.h"

namespace unival {

// Checks one plan, which must outlive it. Every error names a field by its path,
// "stage[0].source[1].task", what was expected there, what was found, and what to do.
class PlanChecker {
 public:
  explicit PlanChecker(const LoadedPlan& plan) : plan_(plan) {}

  absl::Status Error(absl::string_view field, absl::string_view expected, absl::string_view actual,
                     absl::string_view remedy) const;
  absl::Status Between(absl::string_view field, double value, double low, double high) const;
  absl::Status Below1(absl::string_view field, double value) const;
  absl::Status Positive(absl::string_view field, double value, absl::string_view remedy) const;
  absl::Status NotNegative(absl::string_view field, double value) const;
  absl::Status Whole(absl::string_view field, int64_t value, int64_t low, int64_t high) const;
  absl::Status OneOf(absl::string_view field, const std::string& value,
                     const std::vector<std::string>& allowed) const;
  absl::Status Present(absl::string_view field, const std::string& path,
                       const std::string& directory, absl::string_view remedy) const;
  // Does the same for a path that may mean many files.
  absl::Status DataPresent(absl::string_view field, const std::string& path) const;
  // `status` of what the field says, with the field before its message.
  absl::Status Accepted(absl::string_view field, const absl::Status& status) const;

 private:
  const LoadedPlan& plan_;
};

// All that a stage can get wrong.
absl::Status CheckStage(const LoadedPlan& loaded, int index, const PlanChecker& check);

}  // namespace unival

#endif  // UNIVAL_TRAINING_CONFIG_PLAN_CHECKER_H_
