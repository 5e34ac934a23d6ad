#include "training/evaluation/score_json.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/beginning.h"
#include "sdk/base/json_depth.h"

namespace unival::score_json {

absl::Status Bad(const std::string& file, const std::string& where, const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat(file, where.empty() ? "" : ": ", where, ": ", what));
}

absl::StatusOr<Json> ParseJson(const std::string& file, const std::string& text,
                               const std::string& where) {
  const absl::Status shallow = CheckJsonDepth(text);
  if (!shallow.ok()) return Bad(file, where, std::string(shallow.message()));
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    return Bad(file, where, absl::StrCat("expected JSON, got an error: ", error.what()));
  }
}

absl::Status WrongType(const std::string& file, const std::string& where,
                       const std::string& expected, const Json& got) {
  return Bad(file, where,
             absl::StrCat("expected ", expected, ", got ", BeginningOf(got.dump(), 40)));
}

absl::StatusOr<Json> ById(const std::string& file, const Json& json, const std::string& name) {
  if (!json.contains(name)) return Json::object();
  if (json[name].is_object()) return json[name];
  return WrongType(file, absl::StrCat("\"", name, "\""), "an object by id", json[name]);
}

absl::StatusOr<std::string> NameOf(const std::string& file, const std::string& where,
                                   const Json& value) {
  if (value.is_number()) return value.dump();
  return TextOf(file, where, value);
}

std::string IdText(const Json& id) { return id.is_string() ? id.get<std::string>() : id.dump(); }

absl::StatusOr<std::string> TextOf(const std::string& file, const std::string& where,
                                   const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array() && value.size() == 1 && value[0].is_string())
    return value[0].get<std::string>();
  return Bad(file, where, absl::StrCat("expected a text, got ", value.dump().substr(0, 40)));
}

absl::StatusOr<std::vector<std::string>> TextsOf(const std::string& file, const std::string& where,
                                                 const Json& value) {
  if (value.is_string()) return std::vector<std::string>{value.get<std::string>()};
  std::vector<std::string> texts;
  const bool all = value.is_array() && std::all_of(value.begin(), value.end(),
                                                   [](const Json& one) { return one.is_string(); });
  if (!all)
    return Bad(file, where,
               absl::StrCat("expected a list of texts, got ", value.dump().substr(0, 40)));
  for (const Json& one : value) texts.push_back(one.get<std::string>());
  return texts;
}

absl::StatusOr<Json> Field(const std::string& file, const std::string& where, const Json& entry,
                           const std::string& name) {
  if (entry.is_object() && entry.contains(name)) return entry[name];
  return Bad(
      file, where,
      absl::StrCat("expected field \"", name, "\", got ", entry.dump().substr(0, 60), "; add it"));
}

void AddSample(ScoreInput* input, const std::string& id, const std::string& text,
               std::vector<std::string> right) {
  TaskSample sample;
  sample.key = id;
  sample.fields["answer"] = std::move(right);
  input->samples.push_back(std::move(sample));
  input->predictions.emplace_back();
  input->predictions.back().text = text;
  input->failed.push_back(false);
}

absl::Status NoReferences(const std::string& file, const std::string& id) {
  return Bad(file, absl::StrCat("entry \"", id, "\""),
             "expected at least one reference, got none; add one, or leave the entry out");
}

}  // namespace unival::score_json
