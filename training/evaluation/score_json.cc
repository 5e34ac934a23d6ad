#include "training/evaluation/score_json.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/beginning.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival::score_json {
namespace {

// Listens to the parser for the names of members, down to those of the file's members.
class NameOrder {
 public:
  explicit NameOrder(std::map<std::string, std::vector<std::string>>* names) : names_(*names) {}

  bool See(int depth, Json::parse_event_t event, const Json& parsed) {
    if (depth == 0 && event == Json::parse_event_t::object_start) is_object_ = true;
    if (!is_object_ || event != Json::parse_event_t::key || depth > 2) return true;
    const auto& name = parsed.get_ref<const std::string&>();
    if (depth == 1) member_ = name;
    const std::string object = depth == 1 ? "" : member_;
    if (!seen_[object].insert(name).second && twice_.empty()) {
      twice_ = absl::StrCat(object.empty() ? "" : absl::StrCat("\"", object, "\": "),
                            "expected every name once, got a second \"", name, "\"; keep one");
    }
    names_[object].push_back(name);
    return true;
  }

  const std::string& twice() const { return twice_; }

 private:
  std::map<std::string, std::vector<std::string>>& names_;
  std::map<std::string, absl::flat_hash_set<std::string>> seen_;
  bool is_object_ = false;  // the file's value
  std::string member_, twice_;
};

absl::StatusOr<Json> ParseAt(const std::string& file, const std::string& where,
                             absl::string_view text, const Json::parser_callback_t& see = nullptr) {
  return Annotate(ParseJson<Json>(text, see), file, where.empty() ? "" : ": ", where,
                  ": expected JSON, got an error");
}

}  // namespace

absl::Status Bad(const std::string& file, const std::string& where, const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat(file, where.empty() ? "" : ": ", where, ": ", what));
}

absl::StatusOr<Json> ParseLine(const std::string& file, absl::string_view text,
                               const std::string& where) {
  return ParseAt(file, where, text);
}

const std::vector<std::string>& IdsOf(const ParsedFile& file, const std::string& object) {
  static const auto* const kNone = new std::vector<std::string>;
  const auto found = file.ids.find(object);
  return found == file.ids.end() ? *kNone : found->second;
}

absl::StatusOr<ParsedFile> ParseFile(const std::string& file, const std::string& text) {
  ParsedFile parsed;
  NameOrder order(&parsed.ids);
  const auto see = [&order](int depth, Json::parse_event_t event, Json& value) {
    return order.See(depth, event, value);
  };
  UNIVAL_ASSIGN_OR_RETURN(parsed.json, ParseAt(file, "", text, see));
  if (!order.twice().empty()) return Bad(file, "", order.twice());
  return parsed;
}

absl::Status WrongType(const std::string& file, const std::string& where,
                       const std::string& expected, const Json& got) {
  return Bad(file, where,
             absl::StrCat("expected ", expected, ", got ", BeginningOf(got.dump(), 40)));
}

absl::StatusOr<const Json*> ById(const std::string& file, const Json& json,
                                 const std::string& name) {
  static const auto* const kNone = new Json(Json::object());
  const auto found = json.find(name);
  if (found == json.end()) return kNone;
  if (found->is_object()) return &*found;
  return WrongType(file, absl::StrCat("\"", name, "\""), "an object by id", *found);
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
  return Bad(file, where, absl::StrCat("expected a text, got ", BeginningOf(value.dump(), 40)));
}

absl::StatusOr<std::vector<std::string>> TextsOf(const std::string& file, const std::string& where,
                                                 const Json& value) {
  if (value.is_string()) return std::vector<std::string>{value.get<std::string>()};
  std::vector<std::string> texts;
  const bool all = value.is_array() && std::all_of(value.begin(), value.end(),
                                                   [](const Json& one) { return one.is_string(); });
  if (!all)
    return Bad(file, where,
               absl::StrCat("expected a list of texts, got ", BeginningOf(value.dump(), 40)));
  for (const Json& one : value) texts.push_back(one.get<std::string>());
  return texts;
}

absl::StatusOr<const Json*> Field(const std::string& file, const std::string& where,
                                  const Json& entry, const std::string& name) {
  if (entry.is_object()) {
    const auto found = entry.find(name);
    if (found != entry.end()) return &*found;
  }
  return Bad(file, where,
             absl::StrCat("expected field \"", name, "\", got ", BeginningOf(entry.dump(), 60),
                          "; add it"));
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
