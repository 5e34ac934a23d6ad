// Layouts of files with answers, in one piece: each is told from the others by what it holds.
#include "training/evaluation/score_input.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/beginning.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/metric_columns.h"
#include "tasks/metrics/metrics.h"
#include "training/evaluation/score_annotations.h"
#include "training/evaluation/score_json.h"
#include "training/evaluation/score_lines.h"

namespace unival {
namespace {

using score_json::AddSample;
using score_json::Bad;
using score_json::ById;
using score_json::IdsOf;
using score_json::Json;
using score_json::NameOf;
using score_json::NoReferences;
using score_json::ParsedFile;
using score_json::ParseFile;
using score_json::ReadPredictionLines;
using score_json::TextOf;
using score_json::TextsOf;
using score_json::WrongType;

constexpr char kLayouts[] =
    "the layouts are: {\"references\": {id: [text, ...]}, \"candidates\": {id: text}}; "
    "[{\"image_id\", \"caption\"}, ...] and [{\"question_id\", \"answer\"}, ...], both with "
    "--references ANNOTATIONS.json; the lines of `unival eval --predictions`";

bool IsNumberOrNumbers(const Json& value) {
  return value.is_number() || (value.is_array() && absl::c_all_of(value, [](const Json& one) {
                                 return one.is_number();
                               }));
}

// Numbers of the file's own: "bleu": [4 numbers], "bleu4", or a name of ours in any case. What is
// called otherwise may be anything.
absl::Status ReadExpected(const std::string& file, const std::string& where, const Json& scores,
                          std::map<std::string, double>* expected) {
  if (!scores.is_object()) return WrongType(file, where, "an object of scores", scores);
  for (const auto& item : scores.items()) {
    std::string name = absl::AsciiStrToLower(item.key());
    if (!IsNumberOrNumbers(item.value())) {
      if (!IsScoreName(name)) continue;
      return WrongType(file, absl::StrCat(where, ", \"", item.key(), "\""),
                       "a number or a list of numbers", item.value());
    }
    if (name.size() == 5 && absl::StartsWith(name, "bleu")) name.insert(4, "_");
    if (item.value().is_number()) (*expected)[name] = item.value().get<double>();
    if (!item.value().is_array()) continue;
    for (size_t i = 0; i < item.value().size(); ++i)
      (*expected)[absl::StrCat(name, "_", i + 1)] = item.value()[i].get<double>();
  }
  return absl::OkStatus();
}

absl::Status ReadAllExpected(const std::string& file, const Json& json, ScoreInput* input) {
  if (json.contains("expected")) {
    UNIVAL_RETURN_IF_ERROR(ReadExpected(file, "\"expected\"", json["expected"], &input->expected));
  }
  UNIVAL_ASSIGN_OR_RETURN(const Json* own, ById(file, json, "per_image"));
  for (const auto& item : own->items()) {
    UNIVAL_RETURN_IF_ERROR(ReadExpected(file, absl::StrCat("\"per_image\", \"", item.key(), "\""),
                                        item.value(), &input->expected_per_sample[item.key()]));
  }
  return absl::OkStatus();
}

// Optional columns by id: "objects" lists, "kinds" and "groups" texts.
absl::Status ReadColumns(const std::string& file, const Json& json, ScoreInput* input) {
  for (const auto& [name, field] :
       {std::pair("objects", kObjectsColumn), std::pair("kinds", kKindColumn),
        std::pair("groups", kGroupColumn)}) {
    UNIVAL_ASSIGN_OR_RETURN(const Json* values, ById(file, json, name));
    for (TaskSample& sample : input->samples) {
      const auto found = values->find(sample.key);
      if (found == values->end()) continue;
      const std::string where = absl::StrCat(name, " \"", sample.key, "\"");
      if (absl::string_view(field) == kObjectsColumn) {
        UNIVAL_ASSIGN_OR_RETURN(sample.fields[field], TextsOf(file, where, *found));
      } else {
        UNIVAL_ASSIGN_OR_RETURN(sample.fields[field], NameOf(file, where, *found));
      }
    }
  }
  return absl::OkStatus();
}

// What is right, by id, and the ids in the order of their file.
struct RightAnswers {
  const std::string& file;
  const Json& by_id;
  const std::vector<std::string>& ids;
};

absl::StatusOr<ScoreInput> ReadCaptions(const std::string& file, const Json& json,
                                        const RightAnswers& references) {
  ScoreInput input;
  input.layout = "captions";
  input.metrics = {"bleu", "rouge_l", "cider", "cider_d", "cider_plain", "meteor"};
  const Json& said = json.contains("candidates") ? json["candidates"] : json;
  if (!said.is_object() || !references.by_id.is_object())
    return Bad(file, "", absl::StrCat("expected candidates and references by id; ", kLayouts));
  for (const std::string& id : references.ids) {
    const auto candidate = said.find(id);
    if (candidate == said.end()) continue;
    UNIVAL_ASSIGN_OR_RETURN(
        auto right,
        TextsOf(references.file, absl::StrCat("references \"", id, "\""), references.by_id.at(id)));
    if (right.empty()) return NoReferences(references.file, id);
    UNIVAL_ASSIGN_OR_RETURN(const std::string text,
                            TextOf(file, absl::StrCat("candidates \"", id, "\""), *candidate));
    AddSample(&input, id, text, std::move(right));
  }
  for (const auto& item : said.items()) {
    if (!references.by_id.contains(item.key())) return NoReferences(references.file, item.key());
  }
  const size_t left = references.ids.size() - input.samples.size();
  if (left > 0)
    input.note = absl::StrCat(left, " of ", references.ids.size(),
                              " entries have no candidate and are "
                              "left out");
  UNIVAL_RETURN_IF_ERROR(ReadAllExpected(file, json, &input));
  UNIVAL_RETURN_IF_ERROR(ReadColumns(file, json, &input));
  return input;
}

// Whether `text` holds lines of JSON objects with a key rather than one value.
bool LooksLikePredictions(const std::string& text) {
  if (!absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "{")) return false;
  const std::string first = text.substr(0, text.find('\n'));
  const absl::StatusOr<Json> line = ParseJson<Json>(first);
  return line.ok() && line->is_object() && line->contains("key");
}

absl::StatusOr<ScoreInput> ReadByLayout(const std::string& file, const ParsedFile& answers,
                                        const std::string& references) {
  const Json& json = answers.json;
  ParsedFile other;
  if (!references.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(references));
    UNIVAL_ASSIGN_OR_RETURN(other, ParseFile(references, text));
  }
  const Json& right = other.json;
  const bool results = json.is_array() && !json.empty() && json[0].is_object();
  const bool coco = results && json[0].contains("image_id");
  if (coco || (results && json[0].contains("question_id"))) {
    if (references.empty())
      return Bad(file, "",
                 absl::StrCat("expected the right answers in another file, got none; give "
                              "--references ",
                              coco ? "captions" : "questions", "' annotations file"));
    return coco ? score_json::ReadCoco(file, json, references, right)
                : score_json::ReadVqa(file, json, references, right);
  }
  if (json.is_object() && references.empty() && json.contains("references") &&
      json.contains("candidates"))
    return ReadCaptions(file, json, {file, json["references"], IdsOf(answers, "references")});
  if (json.is_object() && right.is_object()) {
    const bool is_named = right.contains("references");
    UNIVAL_ASSIGN_OR_RETURN(ScoreInput input,
                            ReadCaptions(file, json,
                                         {references, is_named ? right["references"] : right,
                                          IdsOf(other, is_named ? "references" : "")}));
    if (json.contains("references") && json.contains("candidates")) {
      absl::StrAppend(&input.note, input.note.empty() ? "" : "; ",
                      "the right answers are those of ", references, ", not those of ", file,
                      " itself");
    }
    return input;
  }
  return Bad(file, "",
             absl::StrCat("expected answers in a known layout, got ", BeginningOf(json.dump(), 60),
                          "; ", kLayouts));
}

}  // namespace

bool IsScoreName(absl::string_view name) {
  return absl::c_any_of(BuiltinMetrics().List(), [name](const Registry::Entry& entry) {
    return absl::StartsWith(name, entry.type);
  });
}

absl::StatusOr<ScoreInput> ReadScoreInput(const std::string& file, const std::string& references) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file));
  absl::StatusOr<ScoreInput> input = ScoreInput();
  if (LooksLikePredictions(text)) {
    if (!references.empty()) {
      return Bad(file, "",
                 absl::StrCat("expected answers alone beside --references ", references,
                              ", got the lines of `unival eval --predictions`, which hold the "
                              "right answers; leave out --references"));
    }
    input = ReadPredictionLines(file, text);
  } else {
    UNIVAL_ASSIGN_OR_RETURN(const ParsedFile answers, ParseFile(file, text));
    input = ReadByLayout(file, answers, references);
  }
  if (input.ok() && input->samples.empty())
    return Bad(file, "", "expected at least one answer, got none");
  return input;
}

absl::StatusOr<References> ReferencesOfInput(const TaskSample& sample) {
  References references;
  const auto answer = sample.fields.find("answer");
  if (answer != sample.fields.end())
    references.texts = std::get<std::vector<std::string>>(answer->second);
  const auto box = sample.fields.find("box");
  if (box != sample.fields.end()) {
    const auto& values = std::get<std::vector<double>>(box->second);
    references.box = {{values[0], values[1], values[2], values[3]}};
  }
  return references;
}

}  // namespace unival
