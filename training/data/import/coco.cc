// COCO: captions, instances, and the usual splits of its captions by Karpathy.

#include "training/data/import/coco.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "training/data/import/json_elements.h"
#include "training/data/import/json_fields.h"
#include "training/data/import/layouts.h"
#include "training/data/import/record_writer.h"
#include "training/data/import/source_files.h"

namespace unival {
namespace {

using Record = nlohmann::ordered_json;

std::string Stripped(const std::string& text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

// Pictures whose size nobody wrote have no such columns.
void AddSize(const CocoImage& image, Record* record) {
  if (image.width <= 0 || image.height <= 0) return;
  (*record)["width"] = image.width;
  (*record)["height"] = image.height;
}

absl::Status AddCaptions(const SplitFile& file, RecordWriter& writer) {
  UNIVAL_ASSIGN_OR_RETURN(const CocoImages images, ReadCocoImages(file.path));
  std::map<int64_t, std::vector<std::string>> captions;
  UNIVAL_RETURN_IF_ERROR(
      ForEachElement(file.path, {"annotations"}, [&](const JsonElement& element) {
        const JsonFields annotation(element.value);
        const int64_t image = annotation.Integer("image_id");
        std::string caption = Stripped(annotation.Text("caption"));
        if (!caption.empty()) captions[image].push_back(std::move(caption));
        return annotation.status();
      }));
  for (const auto& [id, texts] : captions) {
    if (images.count(id) > 0) continue;
    writer.LeaveOut("the picture of the captions is not in the file", absl::StrCat("image ", id));
  }
  for (const auto& [id, image] : images) {
    const auto found = captions.find(id);
    if (found == captions.end()) {
      writer.LeaveOut("the picture has no caption", image.file);
      continue;
    }
    Record record = {{"caption", found->second}};
    AddSize(image, &record);
    record["image_id"] = id;
    UNIVAL_RETURN_IF_ERROR(writer.Add("image", CocoPaths(file.split, image.file), record));
  }
  return absl::OkStatus();
}

absl::StatusOr<ImportReport> ImportCaptions(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files,
                          FindSplitFiles(options, {"annotations", ""}, "captions_", ".json"));
  for (const SplitFile& file : files) UNIVAL_RETURN_IF_ERROR(AddCaptions(file, *writer));
  return writer->Finish();
}

struct Classes {
  std::map<int64_t, std::string> names;
  std::map<std::pair<int64_t, int64_t>, int> count;  // by image and class
};

absl::StatusOr<Classes> ReadClasses(const std::string& file) {
  Classes classes;
  UNIVAL_RETURN_IF_ERROR(
      ForEachElement(file, {"annotations", "categories"}, [&](const JsonElement& element) {
        const JsonFields fields(element.value);
        if (element.list == "categories") {
          const bool is_new =
              classes.names.emplace(fields.Integer("id"), fields.Text("name")).second;
          if (!is_new) fields.RefuseRepeated("id");
        } else {
          ++classes.count[{fields.Integer("image_id"), fields.Integer("category_id")}];
        }
        return fields.status();
      }));
  return classes;
}

absl::Status AddInstances(const SplitFile& file, RecordWriter& writer) {
  UNIVAL_ASSIGN_OR_RETURN(const CocoImages images, ReadCocoImages(file.path));
  UNIVAL_ASSIGN_OR_RETURN(const Classes classes, ReadClasses(file.path));
  const auto add = [&](const JsonElement& element) -> absl::Status {
    const JsonFields annotation(element.value);
    const int64_t image_id = annotation.Integer("image_id");
    const int64_t category = annotation.Integer("category_id");
    const nlohmann::json annotation_id = annotation.Id("id");
    const bool is_crowd = annotation.Flag("iscrowd");
    const std::vector<double> bbox = annotation.Numbers("bbox", 4);
    UNIVAL_RETURN_IF_ERROR(annotation.status());
    const auto image = images.find(image_id);
    const auto name = classes.names.find(category);
    const auto leave_out = [&](const char* reason) {
      writer.LeaveOut(reason, absl::StrCat("annotation ", IdText(annotation_id)));
      return absl::OkStatus();
    };
    if (is_crowd) return leave_out("the region is a crowd, not one object");
    if (image == images.end() || name == classes.names.end()) {
      return leave_out("the picture or the class of the annotation is not in the file");
    }
    const auto& [path, width, height] = image->second;
    if (width <= 0 || height <= 0) return leave_out(kNoSize);
    const auto box = BoxInside(CornersOf(bbox), width, height);
    if (!box.has_value()) return leave_out(kNoArea);
    const Record record = {{"text", name->second},
                           {"box", *box},
                           {"width", width},
                           {"height", height},
                           {"count", classes.count.at({image_id, category})},
                           {"image_id", image_id},
                           {"annotation_id", annotation_id}};
    return writer.Add("image", CocoPaths(file.split, path), record);
  };
  return ForEachElement(file.path, {"annotations"}, add);
}

absl::StatusOr<ImportReport> ImportInstances(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files,
                          FindSplitFiles(options, {"annotations", ""}, "instances_", ".json"));
  for (const SplitFile& file : files) UNIVAL_RETURN_IF_ERROR(AddInstances(file, *writer));
  return writer->Finish();
}

// "restval" is trained on by all who compare with these splits.
bool IsInKarpathySplit(const std::string& asked, const std::string& split) {
  return asked == "all" || asked == split || (asked == "train" && split == "restval");
}

absl::StatusOr<ImportReport> ImportKarpathy(const ImportOptions& options) {
  const std::set<std::string> splits = {"all", "train", "restval", "val", "test"};
  if (splits.count(options.split) == 0) {
    return UnknownSplit(options, {splits.begin(), splits.end()});
  }
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(
      const std::string file,
      FindFirst(options, {"dataset_coco.json", "annotations/dataset_coco.json"}));
  UNIVAL_RETURN_IF_ERROR(
      ForEachElement(file, {"images"}, [&](const JsonElement& element) -> absl::Status {
        const JsonFields image(element.value);
        const std::string split = image.Text("split");
        std::vector<std::string> captions;
        for (const JsonFields& sentence : image.Objects("sentences")) {
          captions.push_back(Stripped(sentence.Text("raw")));
        }
        const Record record = {
            {"caption", captions}, {"image_id", image.IntegerOr("cocoid", 0)}, {"split", split}};
        const auto paths = CocoPaths(image.TextOr("filepath", ""), image.Text("filename"));
        UNIVAL_RETURN_IF_ERROR(image.status());
        if (!IsInKarpathySplit(options.split, split)) return absl::OkStatus();
        return writer->Add("image", paths, record);
      }));
  return writer->Finish();
}

}  // namespace

absl::StatusOr<CocoImages> ReadCocoImages(const std::string& file) {
  CocoImages images;
  UNIVAL_RETURN_IF_ERROR(ForEachElement(file, {"images"}, [&](const JsonElement& element) {
    const JsonFields image(element.value);
    const int64_t id = image.Integer("id");
    const CocoImage read = {image.Text("file_name"), image.IntegerOr("width", 0),
                            image.IntegerOr("height", 0)};
    if (!images.emplace(id, read).second) image.RefuseRepeated("id");
    return image.status();
  }));
  return images;
}

std::vector<std::string> CocoPaths(const std::string& split, const std::string& file) {
  return {absl::StrCat(split, "/", file), absl::StrCat("images/", split, "/", file),
          absl::StrCat("images/mscoco/images/", split, "/", file), absl::StrCat("images/", file)};
}

std::array<double, 4> CornersOf(const std::vector<double>& bbox) {
  return {bbox[0], bbox[1], bbox[0] + bbox[2], bbox[1] + bbox[3]};
}

absl::optional<std::array<double, 4>> BoxInside(const std::array<double, 4>& corners, int64_t width,
                                                int64_t height) {
  std::array<double, 4> box = corners;
  for (size_t i = 0; i < box.size(); ++i) {
    box[i] = std::clamp(box[i], 0.0, static_cast<double>(i % 2 == 0 ? width : height));
  }
  if (box[0] < box[2] && box[1] < box[3]) return box;
  return absl::nullopt;
}

ImportLayout CocoCaptionsLayout() {
  return {{"coco-captions", ".jsonl", "train, val, or with the year: train2014, val2017",
           "annotations/captions_train2014.json, ...; train2014/*.jpg, val2014/*.jpg",
           "image, caption (list of all), width, height, image_id"},
          "coco",
          &ImportCaptions};
}

ImportLayout CocoInstancesLayout() {
  return {{"coco-instances", ".jsonl", "train, val, or with the year: train2014, val2017",
           "annotations/instances_train2017.json, ...; train2017/*.jpg, val2017/*.jpg",
           "image, text (the class), box, width, height, count (of this class in the picture), "
           "image_id, annotation_id"},
          "coco",
          &ImportInstances};
}

ImportLayout KarpathyLayout() {
  return {{"coco-karpathy", ".jsonl", "train (with restval), val, test",
           "dataset_coco.json; train2014/*.jpg, val2014/*.jpg",
           "image, caption (list of all), image_id, split"},
          "coco",
          &ImportKarpathy};
}

}  // namespace unival
