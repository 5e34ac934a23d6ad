// VQAv2: questions, and answers of ten people each.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/status_macros.h"
#include "training/data/import/coco.h"
#include "training/data/import/json_elements.h"
#include "training/data/import/json_fields.h"
#include "training/data/import/layouts.h"
#include "training/data/import/record_writer.h"
#include "training/data/import/source_files.h"

namespace unival {
namespace {

using Record = nlohmann::ordered_json;

// What a record of an answered question has beside the question.
using Answers = std::unordered_map<std::string, Record>;

const std::vector<std::string>& QuestionFolders() {
  static const auto* const kFolders =
      new std::vector<std::string>{"", "questions", "Questions", "annotations", "Annotations"};
  return *kFolders;
}

// As the reference's tables have it (0.3, 0.6, 0.9, 1): what the answer is worth as a loss weight.
// One that nobody gave, and was chosen otherwise, is worth as much as one that one person gave.
double ConfidenceOfAnswer(int64_t given) {
  constexpr double kConfidences[] = {0.3, 0.3, 0.6, 0.9, 1};
  return kConfidences[std::min<int64_t>(given, 4)];
}

// What ten people said stays as it is: each is a vote that scores count, also one who said nothing.
Record AnswerOf(const JsonFields& annotation) {
  std::vector<std::string> answers;
  for (const JsonFields& answer : annotation.Objects("answers"))
    answers.push_back(answer.Text("answer"));
  const std::string commonest = annotation.Text("multiple_choice_answer");
  const auto given = std::count(answers.begin(), answers.end(), commonest);
  return {{"answer", commonest},
          {"answers", answers},
          {"confidence", ConfidenceOfAnswer(given)},
          {"question_type", annotation.TextOr("question_type", "")},
          {"answer_type", annotation.TextOr("answer_type", "")}};
}

// Empty where the split's answers are held back.
absl::StatusOr<Answers> ReadAnswers(const ImportOptions& options, const std::string& split) {
  std::vector<std::string> paths;
  for (const std::string& folder : QuestionFolders()) {
    paths.push_back(
        absl::StrCat(folder, folder.empty() ? "" : "/", "v2_mscoco_", split, "_annotations.json"));
  }
  Answers answers;
  const absl::StatusOr<std::string> file = FindFirst(options, paths);
  if (!file.ok() && absl::StartsWith(split, "test")) return answers;
  UNIVAL_RETURN_IF_ERROR(file.status());
  UNIVAL_RETURN_IF_ERROR(ForEachElement(*file, {"annotations"}, [&](const JsonElement& element) {
    const JsonFields annotation(element.value);
    const std::string id = IdText(annotation.Id("question_id"));
    if (!answers.emplace(id, AnswerOf(annotation)).second) annotation.RefuseRepeated("question_id");
    return annotation.status();
  }));
  return answers;
}

// How reports name a question, and what `met` holds.
std::string QuestionName(const std::string& id) { return absl::StrCat("question ", id); }

// Without answers where there are none at all, as of a test split.
absl::Status AddQuestion(const nlohmann::json& value, const Answers& answers,
                         const std::string& pictures, RecordWriter& writer,
                         std::unordered_set<std::string>* met) {
  const JsonFields question(value);
  const int64_t image = question.Integer("image_id");
  const nlohmann::json question_id = question.Id("question_id");
  const std::string what = QuestionName(IdText(question_id));
  const std::string asked = question.Text("question");
  UNIVAL_RETURN_IF_ERROR(question.status());
  if (!writer.IsFirst(what, met)) return absl::OkStatus();
  const auto answer = answers.find(IdText(question_id));
  if (answer == answers.end() && !answers.empty()) {
    writer.LeaveOut("the question has no answers in the annotations", what);
    return absl::OkStatus();
  }
  const std::string text = writer.KeepText(asked, what);
  if (text.empty()) return absl::OkStatus();
  Record record = {{"question", text}};
  if (answer != answers.end()) {
    const auto commonest = answer->second.at("answer").get<std::string>();
    const std::string kept = writer.KeepText(commonest, what);
    if (kept.empty()) return absl::OkStatus();
    record.update(answer->second);
    record["answer"] = kept;
  }
  record["question_id"] = question_id;
  record["image_id"] = image;
  const std::string name = absl::StrFormat("COCO_%s_%012d.jpg", pictures, image);
  return writer.Add("image", CocoPaths(pictures, name), std::move(record));
}

absl::Status AddQuestions(const ImportOptions& options, const SplitFile& file,
                          RecordWriter& writer) {
  // "test-dev2015" asks about pictures of "test2015".
  const std::string pictures = absl::StartsWith(file.split, "test") ? "test2015" : file.split;
  UNIVAL_ASSIGN_OR_RETURN(const Answers answers, ReadAnswers(options, file.split));
  std::unordered_set<std::string> met;
  UNIVAL_RETURN_IF_ERROR(ForEachElement(file.path, {"questions"}, [&](const JsonElement& element) {
    return AddQuestion(element.value, answers, pictures, writer, &met);
  }));
  std::set<std::string> unasked;  // in an order that does not depend on the machine
  for (const auto& [id, answer] : answers) {
    if (met.count(QuestionName(id)) == 0) unasked.insert(id);
  }
  for (const std::string& id : unasked) {
    writer.LeaveOut("the question of the answers is not in the file", QuestionName(id));
  }
  return absl::OkStatus();
}

absl::StatusOr<ImportReport> ImportVqa(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files,
                          FindSplitFiles(options, QuestionFolders(), "v2_OpenEnded_mscoco_",
                                         "_questions.json", *writer));
  for (const SplitFile& file : files) {
    UNIVAL_RETURN_IF_ERROR(AddQuestions(options, file, *writer));
  }
  return writer->Finish();
}

}  // namespace

ImportLayout VqaLayout() {
  return {
      {"vqav2", ".jsonl", "train, val, test, or with the year: train2014, test-dev2015",
       "v2_OpenEnded_mscoco_train2014_questions.json, v2_mscoco_train2014_annotations.json, ...; "
       "train2014/*.jpg, val2014/*.jpg, test2015/*.jpg",
       "image, question, answer (the commonest), answers (all ten), confidence, question_type, "
       "answer_type, "
       "question_id, image_id"},
      "coco",
      &ImportVqa};
}

}  // namespace unival
