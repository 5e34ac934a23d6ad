// RefCOCO, RefCOCO+ and RefCOCOg, as the program "refer" has them: a pickle of expressions beside
// COCO's annotations.

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "runtime/torch_file/pickle.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/utf8.h"
#include "training/data/import/coco.h"
#include "training/data/import/json_elements.h"
#include "training/data/import/json_fields.h"
#include "training/data/import/layouts.h"
#include "training/data/import/record_writer.h"
#include "training/data/import/source_files.h"

namespace unival {
namespace {

using Record = nlohmann::ordered_json;

struct Region {
  int64_t image_id = 0;
  std::array<double, 4> box = {};
};

// One object with what people said to point at it.
struct Expressions {
  int64_t ref_id = 0, ann_id = 0;
  std::string split;
  std::vector<std::pair<int64_t, std::string>> sentences;  // id and text
};

// For messages.
std::string KindName(PickleKind kind) {
  switch (kind) {
    case PickleKind::kInteger:
      return "an integer";
    case PickleKind::kReal:
      return "a number with a fraction";
    case PickleKind::kText:
      return "a text";
    case PickleKind::kList:
      return "a list";
    case PickleKind::kDict:
      return "a dictionary";
    case PickleKind::kNone:
      return "None";
    default:
      return "another kind of value";
  }
}

absl::StatusOr<const PickleNode*> Member(const Pickle& pickle, const PickleNode& object,
                                         absl::string_view key, PickleKind kind) {
  const PickleNode* member = pickle.Find(object, key);
  if (member != nullptr && member->kind == kind) return member;
  return InvalidArgument("field \"", key, "\": expected ", KindName(kind),
                         " as refer writes it, got ",
                         member == nullptr ? "none" : KindName(member->kind));
}

absl::StatusOr<Expressions> ExpressionsOf(const Pickle& pickle, const PickleNode& object) {
  Expressions ref;
  UNIVAL_ASSIGN_OR_RETURN(const auto* id, Member(pickle, object, "ref_id", PickleKind::kInteger));
  UNIVAL_ASSIGN_OR_RETURN(const auto* ann, Member(pickle, object, "ann_id", PickleKind::kInteger));
  UNIVAL_ASSIGN_OR_RETURN(const auto* split, Member(pickle, object, "split", PickleKind::kText));
  UNIVAL_ASSIGN_OR_RETURN(const auto* list, Member(pickle, object, "sentences", PickleKind::kList));
  ref.ref_id = id->integer;
  ref.ann_id = ann->integer;
  ref.split = std::string(split->text);
  for (const PickleId item : list->items) {
    const PickleNode& sentence = pickle.node(item);
    UNIVAL_ASSIGN_OR_RETURN(const auto* sent_id,
                            Member(pickle, sentence, "sent_id", PickleKind::kInteger));
    UNIVAL_ASSIGN_OR_RETURN(const auto* text, Member(pickle, sentence, "sent", PickleKind::kText));
    ref.sentences.emplace_back(sent_id->integer, std::string(text->text));
  }
  return ref;
}

bool NoClasses(absl::string_view) { return false; }

absl::StatusOr<std::vector<Expressions>> ReadExpressions(const std::string& file) {
  UNIVAL_ASSIGN_OR_RETURN(const auto opened, MappedFile::Open(file));
  PickleLimits limits;
  limits.max_nodes = size_t{1} << 24;  // the largest of them has some three million values
  limits.is_record = &NoClasses;
  auto pickle = ReadPickle(opened->bytes(), nullptr, limits);
  UNIVAL_RETURN_IF_ERROR(opened->Check());
  UNIVAL_RETURN_IF_ERROR(Annotate(pickle.status(), file));
  if (pickle->root().kind != PickleKind::kList) {
    return InvalidArgument(file, ": expected a list of expressions, got something else");
  }
  std::vector<Expressions> all;
  for (const PickleId item : pickle->root().items) {
    auto ref = Annotate(ExpressionsOf(*pickle, pickle->node(item)), file, ": element ", all.size());
    UNIVAL_ASSIGN_OR_RETURN(all.emplace_back(), std::move(ref));
  }
  return all;
}

absl::StatusOr<std::map<int64_t, Region>> ReadRegions(const std::string& file) {
  std::map<int64_t, Region> regions;
  UNIVAL_RETURN_IF_ERROR(ForEachElement(file, {"annotations"}, [&](const JsonElement& element) {
    const JsonFields annotation(element.value);
    const int64_t id = annotation.Integer("id");
    const Region region = {annotation.Integer("image_id"),
                           CornersOf(annotation.Numbers("bbox", 4))};
    if (!regions.emplace(id, region).second) annotation.RefuseRepeated("id");
    return annotation.status();
  }));
  return regions;
}

// Counts all expressions of an object: each would have been a record.
void LeaveOutAll(const Expressions& ref, const std::string& reason, RecordWriter& writer) {
  const auto records = static_cast<int64_t>(ref.sentences.size());
  writer.LeaveOut(reason, absl::StrCat("ref ", ref.ref_id), records);
}

absl::Status AddExpressions(const Expressions& ref, const Region& region, const CocoImage& image,
                            RecordWriter& writer) {
  const auto box = BoxInside(region.box, image.width, image.height);
  if (!box.has_value()) {
    LeaveOutAll(ref, kNoArea, writer);
    return absl::OkStatus();
  }
  for (const auto& [id, text] : ref.sentences) {
    if (!CheckUtf8(text).ok()) {
      writer.LeaveOut("the expression is no UTF-8", absl::StrCat("ref ", ref.ref_id));
      continue;
    }
    const std::string said = writer.KeepText(text, absl::StrCat("sentence ", id));
    if (said.empty()) continue;
    const Record record = {{"text", said},         {"box", *box},
                           {"width", image.width}, {"height", image.height},
                           {"split", ref.split},   {"ref_id", ref.ref_id},
                           {"sent_id", id},        {"image_id", region.image_id}};
    UNIVAL_RETURN_IF_ERROR(writer.Add("image", CocoPaths("train2014", image.file), record));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FindRefs(const ImportOptions& options, const std::string& folder,
                                     const std::vector<std::string>& partitions) {
  std::vector<std::string> pickles;
  for (const std::string& partition : partitions) {
    pickles.push_back(absl::StrCat(folder, "/refs(", partition, ").p"));
    pickles.push_back(absl::StrCat("refs(", partition, ").p"));
  }
  return FindFirst(options, pickles);
}

absl::StatusOr<ImportReport> ImportRefs(const ImportOptions& options, const std::string& folder,
                                        const std::vector<std::string>& partitions) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string refs_file, FindRefs(options, folder, partitions));
  UNIVAL_ASSIGN_OR_RETURN(const std::string instances,
                          FindFirst(options, {folder + "/instances.json", "instances.json"}));
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const CocoImages images, ReadCocoImages(instances));
  UNIVAL_ASSIGN_OR_RETURN(const auto regions, ReadRegions(instances));
  UNIVAL_ASSIGN_OR_RETURN(const auto refs, ReadExpressions(refs_file));
  std::set<std::string> splits = {"all"};
  std::set<int64_t> met;
  for (const Expressions& ref : refs) {
    splits.insert(ref.split);
    if (options.split != "all" && options.split != ref.split) continue;
    if (!met.insert(ref.ref_id).second) {
      LeaveOutAll(ref, kRepeatedId, *writer);
      continue;
    }
    const auto region = regions.find(ref.ann_id);
    const auto image =
        region == regions.end() ? images.end() : images.find(region->second.image_id);
    if (image == images.end()) {
      LeaveOutAll(ref, "the object is not in instances.json", *writer);
      continue;
    }
    if (image->second.width <= 0 || image->second.height <= 0) {
      LeaveOutAll(ref, kNoSize, *writer);
      continue;
    }
    UNIVAL_RETURN_IF_ERROR(AddExpressions(ref, region->second, image->second, *writer));
  }
  if (splits.count(options.split) == 0) {
    return UnknownSplit(options, {splits.begin(), splits.end()});
  }
  return writer->Finish();
}

absl::StatusOr<ImportReport> ImportRefCoco(const ImportOptions& options) {
  return ImportRefs(options, "refcoco", {"unc", "google"});
}
absl::StatusOr<ImportReport> ImportRefCocoPlus(const ImportOptions& options) {
  return ImportRefs(options, "refcoco+", {"unc"});
}
absl::StatusOr<ImportReport> ImportRefCocoG(const ImportOptions& options) {
  return ImportRefs(options, "refcocog", {"umd", "google"});
}

constexpr char kRefColumns[] =
    "image, text, box, width, height, split, ref_id, sent_id, image_id: one record an expression";

}  // namespace

ImportLayout RefCocoLayout() {
  return {{"refcoco", ".jsonl", "train, val, testA, testB",
           "refcoco/refs(unc).p, refcoco/instances.json; train2014/*.jpg", kRefColumns},
          "coco",
          &ImportRefCoco};
}

ImportLayout RefCocoPlusLayout() {
  return {{"refcoco+", ".jsonl", "train, val, testA, testB",
           "refcoco+/refs(unc).p, refcoco+/instances.json; train2014/*.jpg", kRefColumns},
          "coco",
          &ImportRefCocoPlus};
}

ImportLayout RefCocoGLayout() {
  return {{"refcocog", ".jsonl", "train, val, test",
           "refcocog/refs(umd).p or refs(google).p, refcocog/instances.json; train2014/*.jpg",
           kRefColumns},
          "coco",
          &ImportRefCocoG};
}

}  // namespace unival
