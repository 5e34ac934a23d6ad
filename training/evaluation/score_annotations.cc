#include "training/evaluation/score_annotations.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival::score_json {
namespace {

absl::Status GivenTwice(const std::string& file, const std::string& where,
                        const std::string& id_field, const Json& id) {
  return Bad(file, where,
             absl::StrCat("expected one entry per ", id_field, ", got a second of ", IdText(id),
                          "; keep one"));
}

// The entries of a result file by id.
absl::StatusOr<std::map<std::string, std::string>> ReadResults(const std::string& file,
                                                               const Json& json,
                                                               const std::string& id_field,
                                                               const std::string& text_field) {
  std::map<std::string, std::string> results;
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string where = absl::StrCat("entry ", i);
    UNIVAL_ASSIGN_OR_RETURN(const Json* id, Field(file, where, json[i], id_field));
    UNIVAL_ASSIGN_OR_RETURN(const Json* value, Field(file, where, json[i], text_field));
    UNIVAL_ASSIGN_OR_RETURN(const std::string text,
                            TextOf(file, absl::StrCat(where, ": ", text_field), *value));
    if (!results.emplace(IdText(*id), text).second) return GivenTwice(file, where, id_field, *id);
  }
  return results;
}

absl::StatusOr<const Json*> Annotations(const std::string& file, const Json& json) {
  if (json.is_object() && json.contains("annotations") && json["annotations"].is_array())
    return &json["annotations"];
  return Bad(file, "",
             "expected an object with a list \"annotations\"; give the publisher's "
             "annotations file");
}

// InvalidArgument names an id of `results` for which there is no reference.
absl::Status CheckAllKnown(const std::string& file, const std::string& references,
                           const std::map<std::string, std::string>& results,
                           const ScoreInput& input, const std::string& id_field) {
  std::set<std::string> known;
  for (const TaskSample& sample : input.samples) known.insert(sample.key);
  for (const auto& [id, text] : results) {
    if (known.count(id) > 0) continue;
    return Bad(file, absl::StrCat(id_field, " ", id),
               absl::StrCat("expected one that ", references,
                            " has an annotation for; give the annotations of the same split"));
  }
  return absl::OkStatus();
}

// The captions of every picture, and the pictures in their order.
struct CocoReferences {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> captions;
};

absl::StatusOr<CocoReferences> ReadCocoReferences(const std::string& file, const Json& right) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* all, Annotations(file, right));
  const Json& annotations = *all;
  CocoReferences references;
  if (right.contains("images") && right["images"].is_array()) {
    for (const Json& image : right["images"]) {
      if (image.is_object() && image.contains("id"))
        references.order.push_back(IdText(image["id"]));
    }
  }
  const bool listed = !references.order.empty();
  for (size_t i = 0; i < annotations.size(); ++i) {
    const std::string where = absl::StrCat("annotations[", i, "]");
    UNIVAL_ASSIGN_OR_RETURN(const Json* id, Field(file, where, annotations[i], "image_id"));
    UNIVAL_ASSIGN_OR_RETURN(const Json* text, Field(file, where, annotations[i], "caption"));
    std::vector<std::string>& own = references.captions[IdText(*id)];
    if (own.empty() && !listed) references.order.push_back(IdText(*id));
    UNIVAL_ASSIGN_OR_RETURN(own.emplace_back(),
                            TextOf(file, absl::StrCat(where, ": caption"), *text));
  }
  return references;
}

// The texts of people's answers to the question of an annotation.
absl::StatusOr<std::vector<std::string>> PeoplesAnswers(const std::string& file,
                                                        const std::string& where,
                                                        const Json& annotation) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* answers, Field(file, where, annotation, "answers"));
  if (answers->is_object()) {
    return WrongType(file, absl::StrCat(where, ": answers"), "a list", *answers);
  }
  std::vector<std::string> texts;
  for (const Json& answer : *answers) {
    const Json* text = &answer;
    if (!answer.is_string()) {
      UNIVAL_ASSIGN_OR_RETURN(text,
                              Field(file, absl::StrCat(where, ": answers"), answer, "answer"));
    }
    UNIVAL_ASSIGN_OR_RETURN(texts.emplace_back(),
                            TextOf(file, absl::StrCat(where, ": answer"), *text));
  }
  return texts;
}

}  // namespace

absl::StatusOr<ScoreInput> ReadCoco(const std::string& file, const Json& json,
                                    const std::string& right_file, const Json& right) {
  ScoreInput input;
  input.layout = "coco";
  input.metrics = {"bleu", "rouge_l", "cider", "cider_d", "cider_plain", "meteor"};
  UNIVAL_ASSIGN_OR_RETURN(const auto results, ReadResults(file, json, "image_id", "caption"));
  UNIVAL_ASSIGN_OR_RETURN(CocoReferences references, ReadCocoReferences(right_file, right));
  for (const std::string& id : references.order) {
    const auto result = results.find(id);
    if (result == results.end()) continue;
    std::vector<std::string>& captions = references.captions[id];
    if (captions.empty()) return NoReferences(right_file, id);
    AddSample(&input, id, result->second, std::move(captions));
  }
  const size_t pictures = references.order.size();
  if (pictures > input.samples.size())
    input.note = absl::StrCat(pictures - input.samples.size(), " of ", pictures,
                              " pictures have no caption and are left out");
  UNIVAL_RETURN_IF_ERROR(CheckAllKnown(file, right_file, results, input, "image_id"));
  return input;
}

absl::StatusOr<ScoreInput> ReadVqa(const std::string& file, const Json& json,
                                   const std::string& right_file, const Json& right) {
  ScoreInput input;
  input.layout = "vqa";
  input.metrics = {"vqa_accuracy", "accuracy"};
  UNIVAL_ASSIGN_OR_RETURN(const auto results, ReadResults(file, json, "question_id", "answer"));
  UNIVAL_ASSIGN_OR_RETURN(const Json* all, Annotations(right_file, right));
  const Json& annotations = *all;
  std::set<std::string> asked;
  for (size_t i = 0; i < annotations.size(); ++i) {
    const std::string where = absl::StrCat("annotations[", i, "]");
    UNIVAL_ASSIGN_OR_RETURN(const Json* found,
                            Field(right_file, where, annotations[i], "question_id"));
    const std::string id = IdText(*found);
    if (!asked.insert(id).second) return GivenTwice(right_file, where, "question_id", *found);
    const auto result = results.find(id);
    if (result == results.end()) continue;
    UNIVAL_ASSIGN_OR_RETURN(auto texts, PeoplesAnswers(right_file, where, annotations[i]));
    if (texts.empty()) return NoReferences(right_file, id);
    AddSample(&input, id, result->second, std::move(texts));
    if (annotations[i].contains("answer_type") && annotations[i]["answer_type"].is_string())
      input.samples.back().fields["kind"] = annotations[i]["answer_type"].get<std::string>();
  }
  if (annotations.size() > input.samples.size())
    input.note = absl::StrCat(annotations.size() - input.samples.size(), " of ", annotations.size(),
                              " questions have no answer and are left out");
  UNIVAL_RETURN_IF_ERROR(CheckAllKnown(file, right_file, results, input, "question_id"));
  return input;
}

}  // namespace unival::score_json
