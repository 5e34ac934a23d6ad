#include "training/data/read/record.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/types/optional.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/metric_columns.h"
#include "training/data/read/record_kinds.h"

namespace unival {
namespace {

using Json = nlohmann::json;

// One line of a file, which the caller names.
absl::StatusOr<Json> ParseOneLine(absl::string_view text, const Json::parser_callback_t& see) {
  absl::StatusOr<Json> line = ParseJson<Json>(text, see);
  if (line.ok()) return line;
  return WithMessage(line.status(), absl::StrReplaceAll(line.status().message(),
                                                        {{"at line 1, column", "at column"}}));
}

absl::StatusOr<FieldValue> ListField(const Json& list) {
  std::vector<double> numbers;
  std::vector<std::string> texts;
  for (const Json& item : list) {
    if (item.is_number()) numbers.push_back(item.get<double>());
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  if (!list.empty() && numbers.size() == list.size()) return FieldValue(std::move(numbers));
  if (texts.size() == list.size()) return FieldValue(std::move(texts));
  return kWrongColumnType.Mark(
      absl::InvalidArgumentError("a list must hold numbers only or strings only"));
}

// Nothing for null.
absl::StatusOr<absl::optional<FieldValue>> Field(const Json& value) {
  if (value.is_null()) return absl::optional<FieldValue>();
  if (value.is_string()) return absl::optional<FieldValue>(value.get<std::string>());
  if (value.is_number()) return absl::optional<FieldValue>(value.get<double>());
  if (value.is_boolean()) {
    return absl::optional<FieldValue>(std::string(value.get<bool>() ? "yes" : "no"));
  }
  if (value.is_object()) {
    return kWrongColumnType.Mark(absl::InvalidArgumentError("nested objects are not understood"));
  }
  UNIVAL_ASSIGN_OR_RETURN(FieldValue list, ListField(value));
  return absl::optional<FieldValue>(std::move(list));
}

}  // namespace

absl::StatusOr<std::map<std::string, FieldValue>> ParseRecord(absl::string_view json,
                                                              const std::set<std::string>* needed) {
  std::set<std::string> keys;
  std::string repeated;  // the library would take the last of several values
  const auto see = [&](int depth, Json::parse_event_t event, const Json& value) {
    if (depth == 1 && event == Json::parse_event_t::key) {
      if (keys.size() > kMaxColumns) return false;
      const auto& key = value.get_ref<const std::string&>();
      if (!keys.insert(key).second && repeated.empty()) repeated = absl::StrCat("\"", key, "\"");
    }
    return true;
  };
  UNIVAL_ASSIGN_OR_RETURN(const Json object, ParseOneLine(json, see));
  if (keys.size() > kMaxColumns) {
    return InvalidArgument("more than ", kMaxColumns, " columns; expected one record a line");
  }
  if (!repeated.empty()) {
    return kColumnTwice.Mark(InvalidArgument("column ", repeated, " is given twice; keep one"));
  }
  if (!object.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a JSON object, got ", object.type_name()));
  }
  std::map<std::string, FieldValue> fields;
  for (const auto& item : object.items()) {
    auto read = Annotate(Field(item.value()), "column \"", item.key(), "\"");
    if (!read.ok() && needed != nullptr && needed->count(item.key()) == 0) continue;
    UNIVAL_ASSIGN_OR_RETURN(absl::optional<FieldValue> field, std::move(read));
    if (field.has_value()) fields.emplace(item.key(), *std::move(field));
  }
  return fields;
}

absl::StatusOr<std::map<std::string, FieldValue>> RenameColumns(
    std::map<std::string, FieldValue> fields, const std::map<std::string, std::string>& columns) {
  std::map<std::string, FieldValue> renamed;
  for (const auto& [task, record] : columns) {
    const auto found = fields.find(record);
    if (found == fields.end()) {
      const std::string have = absl::StrJoin(
          fields, ", ", [](std::string* out, const auto& field) { out->append(field.first); });
      return kColumnAbsent.Mark(absl::NotFoundError(absl::StrCat(
          "column \"", record, "\" (mapped to \"", task, "\") is absent; the record has: ", have)));
    }
    renamed.emplace(task, found->second);
  }
  for (const auto& [task, record] : columns) {
    if (!IsMetricColumn(task)) fields.erase(record);
  }
  renamed.merge(fields);
  return renamed;
}

}  // namespace unival
