// Visual Genome: descriptions of regions, and questions with answers.

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "absl/strings/str_cat.h"
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

struct GenomeImage {
  int64_t width = 0, height = 0;
};
using GenomeImages = std::map<int64_t, GenomeImage>;  // by id

absl::Status CheckNoSplit(const ImportOptions& options) {
  return options.split == "all" ? absl::OkStatus() : UnknownSplit(options, {"all"});
}

std::vector<std::string> GenomePaths(int64_t id) {
  return MediaPaths({"VG_100K", "VG_100K_2", "images/VG_100K", "images/VG_100K_2", "images"},
                    absl::StrCat(id), {"jpg"});
}

absl::StatusOr<GenomeImages> ReadGenomeImages(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string file, FindFirst(options, {"image_data.json"}));
  GenomeImages images;
  UNIVAL_RETURN_IF_ERROR(ForEachElement(file, {}, [&](const JsonElement& element) {
    const JsonFields image(element.value);
    const std::string key = image.Has("id") && !image.Has("image_id") ? "id" : "image_id";
    const GenomeImage size = {image.Integer("width"), image.Integer("height")};
    if (!images.emplace(image.Integer(key), size).second) image.RefuseRepeated(key);
    return image.status();
  }));
  return images;
}

absl::Status AddRegion(const JsonFields& region, const GenomeImages& images, RecordWriter& writer,
                       std::unordered_set<std::string>* met) {
  const int64_t id = region.Integer("image_id");
  const nlohmann::json region_id = region.Id("region_id");
  const std::string phrase = region.Text("phrase");
  const auto corners = CornersOf(
      {region.Number("x"), region.Number("y"), region.Number("width"), region.Number("height")});
  UNIVAL_RETURN_IF_ERROR(region.status());
  const auto image = images.find(id);
  if (image == images.end()) {
    writer.LeaveOut("the picture is not in image_data.json", absl::StrCat("image ", id));
    return absl::OkStatus();
  }
  const std::string what = absl::StrCat("region ", IdText(region_id));
  if (!writer.IsFirst(what, met)) return absl::OkStatus();
  const auto [width, height] = image->second;
  const bool has_size = width > 0 && height > 0;
  const auto box = has_size ? BoxInside(corners, width, height) : absl::nullopt;
  if (!box.has_value()) {
    writer.LeaveOut(has_size ? kNoArea : kNoSize, what);
    return absl::OkStatus();
  }
  const std::string text = writer.KeepText(phrase, what);
  if (text.empty()) return absl::OkStatus();
  const Record record = {{"text", text},           {"box", *box},
                         {"width", width},         {"height", height},
                         {"region_id", region_id}, {"image_id", id}};
  return writer.Add("image", GenomePaths(id), record);
}

// The file's boxes are of the region; a list of regions for each picture.
absl::StatusOr<ImportReport> ImportRegions(const ImportOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckNoSplit(options));
  UNIVAL_ASSIGN_OR_RETURN(const GenomeImages images, ReadGenomeImages(options));
  UNIVAL_ASSIGN_OR_RETURN(const std::string file, FindFirst(options, {"region_descriptions.json"}));
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  const auto add = [&](const JsonElement& element) -> absl::Status {
    const JsonFields picture(element.value);
    std::unordered_set<std::string> met;  // of one picture: there are millions of regions
    for (const JsonFields& region : picture.Objects("regions")) {
      UNIVAL_RETURN_IF_ERROR(AddRegion(region, images, *writer, &met));
    }
    return picture.status();
  };
  UNIVAL_RETURN_IF_ERROR(ForEachElement(file, {}, add));
  return writer->Finish();
}

absl::Status AddGenomeQuestion(const JsonFields& pair, RecordWriter& writer,
                               std::unordered_set<std::string>* met) {
  const int64_t id = pair.Integer("image_id");
  const nlohmann::json pair_id = pair.Id("qa_id");
  const std::string asked = pair.Text("question"), answered = pair.Text("answer");
  UNIVAL_RETURN_IF_ERROR(pair.status());
  const std::string what = absl::StrCat("question ", IdText(pair_id));
  if (!writer.IsFirst(what, met)) return absl::OkStatus();
  const std::string question = writer.KeepText(asked, what);
  if (question.empty()) return absl::OkStatus();
  const std::string answer = writer.KeepText(answered, what);
  if (answer.empty()) return absl::OkStatus();
  const Record record = {
      {"question", question}, {"answer", answer}, {"qa_id", pair_id}, {"image_id", id}};
  return writer.Add("image", GenomePaths(id), record);
}

absl::StatusOr<ImportReport> ImportGenomeQuestions(const ImportOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckNoSplit(options));
  UNIVAL_ASSIGN_OR_RETURN(const std::string file, FindFirst(options, {"question_answers.json"}));
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  const auto add = [&](const JsonElement& element) -> absl::Status {
    const JsonFields picture(element.value);
    std::unordered_set<std::string> met;
    for (const JsonFields& pair : picture.Objects("qas")) {
      UNIVAL_RETURN_IF_ERROR(AddGenomeQuestion(pair, *writer, &met));
    }
    return picture.status();
  };
  UNIVAL_RETURN_IF_ERROR(ForEachElement(file, {}, add));
  return writer->Finish();
}

}  // namespace

ImportLayout VisualGenomeLayout() {
  return {{"visual-genome", ".jsonl", "none",
           "region_descriptions.json, image_data.json; VG_100K/*.jpg, VG_100K_2/*.jpg",
           "image, text, box, width, height, region_id, image_id: one record a region"},
          "visual_genome",
          &ImportRegions};
}

ImportLayout VisualGenomeQaLayout() {
  return {{"visual-genome-qa", ".jsonl", "none",
           "question_answers.json; VG_100K/*.jpg, VG_100K_2/*.jpg",
           "image, question, answer, qa_id, image_id"},
          "visual_genome",
          &ImportGenomeQuestions};
}

}  // namespace unival
