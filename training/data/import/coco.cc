// COCO: captions, instances, and the usual splits of its captions by Karpathy.

#include "training/data/import/coco.h"

#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include "absl/status/status.h"
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
        captions[image].push_back(annotation.Text("caption"));
        return annotation.status();
      }));
  for (const auto& [id, texts] : captions) {
    if (images.count(id) > 0) continue;
    writer.LeaveOut("the picture of the captions is not in the file", absl::StrCat("image ", id));
  }
  for (const auto& [id, image] : images) {
    const auto texts = writer.KeepTexts(captions[id], image.file);
    if (texts.empty()) continue;
    Record record = {{"caption", texts}};
    AddSize(image, &record);
    record["image_id"] = id;
    UNIVAL_RETURN_IF_ERROR(writer.Add("image", CocoPaths(file.split, image.file), record));
  }
  return absl::OkStatus();
}

absl::StatusOr<ImportReport> ImportCaptions(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files, FindSplitFiles(options, {"annotations", ""},
                                                           "captions_", ".json", *writer));
  for (const SplitFile& file : files) UNIVAL_RETURN_IF_ERROR(AddCaptions(file, *writer));
  return writer->Finish();
}

struct Instance {
  int64_t image_id = 0, category = 0;
  nlohmann::json id;
  bool is_crowd = false;
  std::array<double, 4> corners = {};
};

absl::StatusOr<Instance> InstanceOf(const nlohmann::json& value) {
  const JsonFields annotation(value);
  Instance instance;
  instance.image_id = annotation.Integer("image_id");
  instance.category = annotation.Integer("category_id");
  instance.id = annotation.Id("id");
  instance.is_crowd = annotation.Flag("iscrowd");
  instance.corners = CornersOf(annotation.Numbers("bbox", 4));
  UNIVAL_RETURN_IF_ERROR(annotation.status());
  return instance;
}

constexpr char kNotInFile[] = "the picture or the class of the annotation is not in the file";

// Tells which annotations of a file become records. It must see all of them, in their order: of
// those with one id the first is kept.
class InstanceFilter {
 public:
  explicit InstanceFilter(const CocoImages& images) : images_(images) {}

  // Why the annotation is left out; empty where it is not, and has this box.
  std::string WhyLeftOut(const Instance& instance, std::array<double, 4>* box) {
    if (!ids_.insert(IdText(instance.id)).second) return kRepeatedId;
    if (instance.is_crowd) return "the region is a crowd, not one object";
    const auto found = images_.find(instance.image_id);
    if (found == images_.end()) return kNotInFile;
    const CocoImage& image = found->second;
    if (image.width <= 0 || image.height <= 0) return kNoSize;
    const auto inside = BoxInside(instance.corners, image.width, image.height);
    if (!inside.has_value()) return kNoArea;
    *box = *inside;
    return "";
  }

 private:
  const CocoImages& images_;
  std::unordered_set<std::string> ids_;
};

struct Classes {
  std::map<int64_t, std::string> names;
  std::map<std::pair<int64_t, int64_t>, int> count;  // of objects, by image and class
};

absl::StatusOr<Classes> ReadClasses(const std::string& file, const CocoImages& images) {
  Classes classes;
  InstanceFilter filter(images);
  UNIVAL_RETURN_IF_ERROR(
      ForEachElement(file, {"annotations", "categories"}, [&](const JsonElement& element) {
        if (element.list == "categories") {
          const JsonFields fields(element.value);
          const bool is_new =
              classes.names.emplace(fields.Integer("id"), fields.Text("name")).second;
          if (!is_new) fields.RefuseRepeated("id");
          return fields.status();
        }
        const auto instance = InstanceOf(element.value);
        std::array<double, 4> box = {};
        if (instance.ok() && filter.WhyLeftOut(*instance, &box).empty()) {
          ++classes.count[{instance->image_id, instance->category}];
        }
        return instance.status();
      }));
  return classes;
}

absl::Status AddInstances(const SplitFile& file, RecordWriter& writer) {
  UNIVAL_ASSIGN_OR_RETURN(const CocoImages images, ReadCocoImages(file.path));
  UNIVAL_ASSIGN_OR_RETURN(const Classes classes, ReadClasses(file.path, images));
  InstanceFilter filter(images);
  const auto add = [&](const JsonElement& element) -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(const Instance instance, InstanceOf(element.value));
    const std::string what = absl::StrCat("annotation ", IdText(instance.id));
    std::array<double, 4> box = {};
    std::string why = filter.WhyLeftOut(instance, &box);
    const auto name = classes.names.find(instance.category);
    if (why.empty() && name == classes.names.end()) why = kNotInFile;
    if (!why.empty()) {
      writer.LeaveOut(why, what);
      return absl::OkStatus();
    }
    const std::string text = writer.KeepText(name->second, what);
    if (text.empty()) return absl::OkStatus();
    const CocoImage& image = images.at(instance.image_id);
    const Record record = {{"text", text},
                           {"box", box},
                           {"width", image.width},
                           {"height", image.height},
                           {"count", classes.count.at({instance.image_id, instance.category})},
                           {"image_id", instance.image_id},
                           {"annotation_id", instance.id}};
    return writer.Add("image", CocoPaths(file.split, image.file), record);
  };
  return ForEachElement(file.path, {"annotations"}, add);
}

absl::StatusOr<ImportReport> ImportInstances(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files, FindSplitFiles(options, {"annotations", ""},
                                                           "instances_", ".json", *writer));
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
          captions.push_back(sentence.Text("raw"));
        }
        const int64_t id = image.IntegerOr("cocoid", 0);
        const std::string name = image.Text("filename");
        const auto paths = CocoPaths(image.TextOr("filepath", ""), name);
        UNIVAL_RETURN_IF_ERROR(image.status());
        if (!IsInKarpathySplit(options.split, split)) return absl::OkStatus();
        const auto texts = writer->KeepTexts(captions, name);
        if (texts.empty()) return absl::OkStatus();
        const Record record = {{"caption", texts}, {"image_id", id}, {"split", split}};
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
