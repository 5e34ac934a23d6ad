// Every field of every JSON layout is removed, and replaced by a value of each other kind. For a
// field that is read, the error must name the file and the field; a field that is not read must
// have no effect.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/test_files.h"
#include "training/data/import/import.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::AnyOf;
using testing::HasSubstr;

struct JsonFile {
  std::string path;
  Json content;
  bool lines = false;  // one value of `content` a line
};

// ActivityNet's records are members of the file: one that is missing is no record, and an empty one
// lacks fields.
constexpr char kRecordName[] = "v_a";

// Which kinds of value a field may have: i integer, n number, t text, b true or false, l list,
// f 0, 1, true or false, o object; ? it may be missing or null. "list.field" where fields of one
// name differ.
using FieldKinds = std::map<std::string, std::string>;

struct JsonLayout {
  std::string dataset;
  std::vector<JsonFile> files;
  std::string media;  // its file
  FieldKinds kinds;   // of all fields that are read
};

Json CocoFile(const char* annotation) {
  return {{"info", {{"year", 2014}}},
          {"images", {{{"id", 9}, {"file_name", "9.jpg"}, {"width", 64}, {"height", 48}}}},
          {"annotations", Json::array({Json::parse(annotation)})},
          {"categories", {{{"id", 3}, {"name", "dog"}, {"supercategory", "animal"}}}}};
}

std::vector<JsonLayout> CocoLayouts() {
  const FieldKinds image = {{"images", "l"},    {"annotations", "l"}, {"images.id", "i"},
                            {"file_name", "t"}, {"width", "i?"},      {"height", "i?"}};
  std::vector<JsonLayout> all = {
      {"coco-captions",
       {{"annotations/captions_val2014.json",
         CocoFile(R"({"image_id": 9, "caption": "A dog.", "mood": 1})")}},
       "val2014/9.jpg",
       {{"image_id", "i"}, {"caption", "t"}}},
      {"coco-instances",
       {{"annotations/instances_val2014.json", CocoFile(R"({"id": 5, "image_id": 9,
         "category_id": 3, "bbox": [1, 2, 3, 4], "iscrowd": 0, "area": 12})")}},
       "val2014/9.jpg",
       {{"categories", "l"},
        {"categories.name", "t"},
        {"image_id", "i"},
        {"category_id", "i"},
        {"annotations.id", "it"},
        {"categories.id", "i"},
        {"bbox", "l"},
        {"iscrowd", "f?"}}}};
  for (JsonLayout& layout : all) layout.kinds.insert(image.begin(), image.end());
  all.push_back({"coco-karpathy",
                 {{"dataset_coco.json", Json::parse(R"({"images": [{"filepath": "val2014",
                   "filename": "9.jpg", "cocoid": 9, "split": "test", "imgid": 0,
                   "sentences": [{"raw": "A dog.", "tokens": ["a"]}]}], "dataset": "coco"})")}},
                 "val2014/9.jpg",
                 {{"images", "l"},
                  {"filepath", "t?"},
                  {"filename", "t"},
                  {"cocoid", "i?"},
                  {"split", "t"},
                  {"sentences", "l"},
                  {"raw", "t"}}});
  return all;
}

std::vector<JsonLayout> QuestionLayouts() {
  return {{"vqav2",
           {{"v2_OpenEnded_mscoco_val2014_questions.json", Json::parse(R"({"questions": [
             {"image_id": 9, "question": "Is it?", "question_id": 90}], "license": {}})")},
            {"v2_mscoco_val2014_annotations.json", Json::parse(R"({"annotations": [
             {"question_type": "is", "answer_type": "yes/no", "multiple_choice_answer": "yes",
              "question_id": 90, "answers": [{"answer": "yes", "answer_id": 1}]}]})")}},
           "val2014/COCO_val2014_000000000009.jpg",
           {{"questions", "l"},
            {"annotations", "l"},
            {"image_id", "i"},
            {"question", "t"},
            {"question_id", "it"},
            {"question_type", "t?"},
            {"answer_type", "t?"},
            {"multiple_choice_answer", "t"},
            {"answers", "l"},
            {"answer", "t"}}},
          {"visual-genome-qa",
           {{"question_answers.json", Json::parse(R"([{"id": 2, "qas": [{"qa_id": 7,
             "image_id": 2, "question": "What?", "answer": "A car.", "a_objects": []}]}])")}},
           "VG_100K_2/2.jpg",
           {{"qas", "l"}, {"qa_id", "it"}, {"image_id", "i"}, {"question", "t"}, {"answer", "t"}}}};
}

std::vector<JsonLayout> StatementLayouts() {
  return {{"snli-ve",
           {{"snli_ve_dev.jsonl", Json::parse(R"([{"Flickr30K_ID": "47", "pairID": "47#1",
             "gold_label": "neutral", "sentence1": "A man.", "sentence2": "He sits.",
             "annotator_labels": ["neutral"]}])"),
             true}},
           "flickr30k-images/47.jpg",
           {{"Flickr30K_ID", "it"},
            {"pairID", "t?"},
            {"gold_label", "t"},
            {"sentence1", "t"},
            {"sentence2", "t"}}},
          {"nlvr",
           {{"dev/dev.json", Json::parse(R"([{"identifier": "3-1", "sentence": "A box.",
             "label": "true", "directory": "7", "evals": {"r0": "true"}}])"),
             true}},
           "dev/images/dev-3-1-5.png",
           {{"identifier", "t"}, {"sentence", "t"}, {"label", "t?"}, {"directory", "t?"}}}};
}

std::vector<JsonLayout> RegionAndVideoLayouts() {
  return {{"visual-genome",
           {{"image_data.json", Json::parse(R"([{"image_id": 2, "width": 800, "height": 600,
             "coco_id": null}])")},
            {"region_descriptions.json", Json::parse(R"([{"id": 2, "regions": [
             {"region_id": 5, "image_id": 2, "phrase": "a car", "x": 1, "y": 2, "width": 3,
              "height": 4}]}])")}},
           "VG_100K/2.jpg",
           {{"image_id", "i"},
            {"region_id", "it"},
            {"regions", "l"},
            {"phrase", "t"},
            {"width", "i"},
            {"height", "i"},
            {"regions.width", "n"},
            {"regions.height", "n"},
            {"x", "n"},
            {"y", "n"}}},
          {"msrvtt",
           {{"train_val_videodatainfo.json", Json::parse(R"({"info": {}, "videos": [
             {"id": 0, "video_id": "video0", "category": 9, "split": "train", "url": "u"}],
             "sentences": [{"caption": "a car", "video_id": "video0", "sen_id": 0}]})")}},
           "TrainValVideo/video0.mp4",
           {{"videos", "l"},
            {"sentences", "l"},
            {"video_id", "t"},
            {"category", "i?"},
            {"split", "t"},
            {"caption", "t"}}},
          {"activitynet",
           {{"val_1.json", Json::parse(R"({"v_a": {"duration": 82.7, "timestamps": [[0.8, 19]],
             "sentences": ["A woman sits."], "more": 1}})")}},
           "videos/v_a.mkv",
           {{kRecordName, "o?"}, {"duration", "n"}, {"timestamps", "l"}, {"sentences", "l"}}}};
}

// How `value` stands in FieldKinds.
char KindOf(const Json& value) {
  if (value.is_number_float()) return 'n';
  if (value.is_number()) return 'i';
  if (value.is_string()) return 't';
  if (value.is_boolean()) return 'b';
  return value.is_null() ? '?' : value.is_array() ? 'l' : 'o';
}

bool IsAllowed(const std::string& kinds, const Json& value) {
  const char kind = KindOf(value);
  const bool is_flag = value.is_boolean() || value == 0 || value == 1;
  if (is_flag && kinds.find('f') != std::string::npos) return true;
  if (kinds.find(kind) != std::string::npos) return true;
  return kind == 'i' && kinds.find('n') != std::string::npos;
}

class FieldTest {
 public:
  explicit FieldTest(JsonLayout layout) : layout_(std::move(layout)), folder_(NewFolder()) {
    WriteText(folder_ + "/in/" + layout_.media, "x");
  }

  // The record as it is, and once for every change of every field.
  void Run() {
    const absl::Status good = Import();
    ASSERT_TRUE(good.ok()) << layout_.dataset << ": " << good;
    whole_ = Written();
    ASSERT_NE(whole_, "") << layout_.dataset;
    for (JsonFile& file : layout_.files) Change(file, file.content);
    EXPECT_GT(changes_, 20) << layout_.dataset;
  }

 private:
  void Change(const JsonFile& file, Json& value, const std::string& list = "") {
    for (size_t i = 0; value.is_array() && i < value.size(); ++i) Change(file, value[i], list);
    if (!value.is_object()) return;
    std::vector<std::string> names;
    for (const auto& member : value.items()) names.push_back(member.key());
    for (const std::string& name : names) {
      Change(file, value[name], name);
      const Json whole = value;
      const char kind = KindOf(whole[name]);
      value.erase(name);
      Expect(file, list, name, Json());
      for (const Json& other : {Json(), Json(true), Json(7), Json(0.5), Json("other"),
                                Json::array({"a", 0.5, Json::object()}), Json::object()}) {
        value = whole;
        // A list within a list is another kind; of the same kind is no fault.
        if (KindOf(other) == kind && kind != 'l' && kind != 'o') continue;
        value[name] = other;
        Expect(file, list, name, other);
      }
      value = whole;
    }
  }

  // Null: nothing is known of it.
  const std::string* KindsOf(const std::string& list, const std::string& name) const {
    for (const std::string& known : {absl::StrCat(list, ".", name), name}) {
      const auto found = layout_.kinds.find(known);
      if (found != layout_.kinds.end()) return &found->second;
    }
    return nullptr;
  }

  void Expect(const JsonFile& file, const std::string& list, const std::string& name,
              const Json& got) {
    ++changes_;
    const absl::Status status = Import();
    const std::string place =
        absl::StrCat(layout_.dataset, ", ", name, " -> ", got.dump(), ": ", status.ToString());
    const std::string* const kinds = KindsOf(list, name);
    EXPECT_FALSE(fs::exists(folder_ + "/out.jsonl.tmp")) << place;
    if (kinds == nullptr) {
      EXPECT_EQ(Written(), whole_) << place;
    } else if (!IsAllowed(*kinds, got) || got.is_array()) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << place;
      EXPECT_THAT(status.message(), HasSubstr(folder_ + "/in/" + file.path)) << place;
      EXPECT_THAT(status.message(), AnyOf(HasSubstr(absl::StrCat("\"", name)),
                                          HasSubstr(absl::StrCat(".", name, "\"")),
                                          HasSubstr(absl::StrCat(" of ", name, ": "))))
          << place;
      EXPECT_THAT(status.message(), HasSubstr("expected")) << place;
      EXPECT_THAT(status.message(), HasSubstr("got")) << place;
      EXPECT_EQ(Written(), "") << place;
    } else if (name != kRecordName) {
      // Of another id or label no record may be left.
      EXPECT_TRUE(status.ok() ||
                  (absl::IsNotFound(status) && absl::StrContains(status.message(), "; left out: ")))
          << place;
    }
  }

  absl::Status Import() {
    fs::remove(folder_ + "/out.jsonl");
    for (const JsonFile& file : layout_.files) {
      std::string text;
      for (const Json& line : file.content) {
        if (file.lines) absl::StrAppend(&text, line.dump(), "\n");
      }
      WriteText(folder_ + "/in/" + file.path, file.lines ? text : file.content.dump());
    }
    ImportOptions options;
    options.dataset = layout_.dataset;
    options.source = folder_ + "/in";
    options.destination = folder_ + "/out.jsonl";
    return ImportDataset(options).status();
  }

  std::string Written() const { return ReadWholeFile(folder_ + "/out.jsonl").value_or(""); }

  JsonLayout layout_;
  const std::string folder_;
  std::string whole_;  // what is written of the layout as it is
  int changes_ = 0;
};

TEST(ImportedFields, OfCocoAreNamedWhereTheyDoNotFit) {
  for (const JsonLayout& layout : CocoLayouts()) FieldTest(layout).Run();
}

TEST(ImportedFields, OfQuestionsAndStatementsAreNamedWhereTheyDoNotFit) {
  for (const JsonLayout& layout : QuestionLayouts()) FieldTest(layout).Run();
  for (const JsonLayout& layout : StatementLayouts()) FieldTest(layout).Run();
}

TEST(ImportedFields, OfRegionsAndVideosAreNamedWhereTheyDoNotFit) {
  for (const JsonLayout& layout : RegionAndVideoLayouts()) FieldTest(layout).Run();
}

std::string ErrorOfAnnotation(const std::string& annotation) {
  const std::string folder = NewFolder();
  WriteText(folder + "/in/annotations/instances_val2014.json", CocoFile(annotation.c_str()).dump());
  ImportOptions options;
  options.dataset = "coco-instances";
  options.source = folder + "/in";
  options.destination = folder + "/out.jsonl";
  return std::string(ImportDataset(options).status().message());
}

// Where two files were put together, each picture would get the other's captions.
TEST(ImportedFields, AnIdThatIsGivenTwiceIsRefused) {
  const std::string folder = NewFolder();
  ImportOptions options;
  options.source = folder + "/in";
  options.destination = folder + "/out.jsonl";
  const auto error = [&](const std::string& dataset, const std::string& file, const Json& content) {
    WriteText(folder + "/in/" + file, content.dump());
    options.dataset = dataset;
    return std::string(ImportDataset(options).status().message());
  };
  Json coco = CocoFile(R"({"id": 5, "image_id": 9, "category_id": 3, "bbox": [1, 2, 3, 4]})");
  coco["categories"].push_back(coco["categories"][0]);
  EXPECT_THAT(error("coco-instances", "annotations/instances_val2014.json", coco),
              HasSubstr("element 1 of categories: field \"id\": expected an id of its own, got 3 a "
                        "second time"));
  coco["images"].push_back({{"id", 9}, {"file_name", "other.jpg"}});
  EXPECT_THAT(error("coco-captions", "annotations/captions_val2014.json", coco),
              HasSubstr("element 1 of images: field \"id\": expected an id of its own, got 9 a"));
  EXPECT_THAT(error("visual-genome", "image_data.json", Json::parse(R"([
      {"image_id": 2, "width": 8, "height": 6}, {"image_id": 2, "width": 80, "height": 60}])")),
              HasSubstr("element 1: field \"image_id\": expected an id of its own, got 2 a"));
}

TEST(ImportedFields, AreNamedWithWhatWasExpectedAndFound) {
  EXPECT_THAT(ErrorOfAnnotation(R"({"id": 5, "image_id": 9, "category_id": 3, "bbox": [1, 2, 3]})"),
              HasSubstr("element 0 of annotations: field \"bbox\": expected a list of 4 numbers, "
                        "got [1,2,3]"));
  EXPECT_THAT(
      ErrorOfAnnotation(R"({"id": 5, "image_id": "9", "category_id": 3, "bbox": [1, 2, 3, 4]})"),
      HasSubstr("field \"image_id\": expected an integer, got \"9\""));
  EXPECT_THAT(
      ErrorOfAnnotation(R"({"id": 5, "image_id": 9.5, "category_id": 3, "bbox": [1, 2, 3, 4]})"),
      HasSubstr("field \"image_id\": expected an integer, got 9.5"));
  EXPECT_THAT(
      ErrorOfAnnotation(R"({"id": 5, "image_id": 9, "category_id": 3, "bbox": [1, 2, 3, "4"]})"),
      HasSubstr("field \"bbox\": expected a list of 4 numbers"));
}

}  // namespace
}  // namespace unival
