// unival: score_json.h - JSON of answers, read with messages that name file, entry and field.
#ifndef UNIVAL_TRAINING_EVALUATION_SCORE_JSON_H_
#define UNIVAL_TRAINING_EVALUATION_SCORE_JSON_H_

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "training/evaluation/score_input.h"

namespace unival::score_json {

// Sorted: an ordered object looks at all its members for each one, which takes too long for many.
using Json = nlohmann::json;

// InvalidArgument "FILE: WHERE: WHAT"; `where` may be empty.
absl::Status Bad(const std::string& file, const std::string& where, const std::string& what);

// One line of a file, at `where`. InvalidArgument for what is no JSON.
absl::StatusOr<Json> ParseLine(const std::string& file, absl::string_view text,
                               const std::string& where);

// The value of a whole file, with what order its ids have there.
struct ParsedFile {
  Json json;
  // Names of members in the file's order: of the file's object itself, "", and of those of its
  // members that are objects, "references".
  std::map<std::string, std::vector<std::string>> ids;
};
// Returns the names of the members of `object`. There are none where the file has no such object.
const std::vector<std::string>& IdsOf(const ParsedFile& file, const std::string& object);
// Errors as ParseLine; InvalidArgument for a name that one of these objects has twice.
absl::StatusOr<ParsedFile> ParseFile(const std::string& file, const std::string& text);

// Bad "expected EXPECTED, got ...".
absl::Status WrongType(const std::string& file, const std::string& where,
                       const std::string& expected, const Json& got);

// The object under `name` of `json`, by id; an empty one where there is none. Lives as long as
// `json`.
absl::StatusOr<const Json*> ById(const std::string& file, const Json& json,
                                 const std::string& name);

// The id of an entry, a number or a text, as text.
std::string IdText(const Json& id);

// A text, or a list of one.
absl::StatusOr<std::string> TextOf(const std::string& file, const std::string& where,
                                   const Json& value);
// A list of texts, or one text.
absl::StatusOr<std::vector<std::string>> TextsOf(const std::string& file, const std::string& where,
                                                 const Json& value);

// A group or a kind: a text, or a number, whose digits are taken.
absl::StatusOr<std::string> NameOf(const std::string& file, const std::string& where,
                                   const Json& value);

// Field `name` of `entry`, which must be there. Lives as long as `entry`.
absl::StatusOr<const Json*> Field(const std::string& file, const std::string& where,
                                  const Json& entry, const std::string& name);

void AddSample(ScoreInput* input, const std::string& id, const std::string& text,
               std::vector<std::string> right);

// The error of an entry that has nothing to be compared with.
absl::Status NoReferences(const std::string& file, const std::string& id);

}  // namespace unival::score_json

#endif  // UNIVAL_TRAINING_EVALUATION_SCORE_JSON_H_
