#include "tasks/templates/template_columns.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "tasks/slots/fields.h"

namespace unival {
namespace {

absl::StatusOr<double> NumberOfColumn(const TaskSample& sample, const std::string& column) {
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, column));
  if (const auto* number = std::get_if<double>(value)) return *number;
  // A table of the reference holds texts alone.
  const auto* text = std::get_if<std::string>(value);
  double number = 0;
  if (text != nullptr && absl::SimpleAtod(*text, &number)) return number;
  return WrongKind(sample, column, "a number", *value);
}

}  // namespace

std::vector<std::string> TrainingColumns(const TaskTemplate& task) {
  const Negatives& negatives = task.negatives();
  std::vector<std::string> columns;
  const auto add = [&columns](const std::string& column) {
    const bool is_there = std::find(columns.begin(), columns.end(), column) != columns.end();
    if (!column.empty() && !is_there) columns.push_back(column);
  };
  add(task.loss_weight());
  for (const std::string& column : {negatives.column(), negatives.words_of_record(),
                                    negatives.same(), negatives.confidence()}) {
    add(column);
  }
  for (const FurtherExample& further : task.also()) {
    // A map's own order differs from run to run.
    std::vector<std::string> taken;
    for (const auto& entry : further.columns()) taken.push_back(entry.second);
    std::sort(taken.begin(), taken.end());
    for (const std::string& column : taken) add(column);
  }
  return columns;
}

std::string YesOf(const Negatives& negatives) {
  return negatives.yes().empty() ? "yes" : negatives.yes();
}

std::string NoOf(const Negatives& negatives) {
  return negatives.no().empty() ? "no" : negatives.no();
}

absl::StatusOr<double> WeightOfColumn(const TaskSample& sample, const std::string& column) {
  UNIVAL_ASSIGN_OR_RETURN(const double weight, NumberOfColumn(sample, column));
  if (weight > 0 && std::isfinite(weight)) return weight;
  return AtColumn(InvalidArgument("expected a weight above 0, got ", NumberText(weight)), sample,
                  column);
}

absl::StatusOr<double> ConfidenceOf(const Negatives& negatives, const TaskSample& sample) {
  const std::string& column = negatives.confidence();
  if (column.empty()) return 1.0;
  UNIVAL_ASSIGN_OR_RETURN(const double confidence, NumberOfColumn(sample, column));
  if (confidence >= 0 && confidence <= 1) return confidence;
  return AtColumn(
      InvalidArgument("expected a confidence from 0 to 1, got ", NumberText(confidence)), sample,
      column);
}

absl::StatusOr<std::vector<std::string>> WordsOfRecord(const Negatives& negatives,
                                                       const TaskSample& sample) {
  const std::string& column = negatives.words_of_record();
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, column));
  if (const auto* list = std::get_if<std::vector<std::string>>(value)) return *list;
  const auto* text = std::get_if<std::string>(value);
  if (text == nullptr) return WrongKind(sample, column, "a list of texts", *value);
  return std::vector<std::string>(absl::StrSplit(*text, "&&", absl::SkipWhitespace()));
}

}  // namespace unival
