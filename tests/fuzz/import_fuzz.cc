// Any bytes as the annotations of a published data set: gives an error or records. The first byte
// selects the data set.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/scratch.h"
#include "training/data/import/import.h"

namespace {

struct Layout {
  const char *dataset, *split, *file;      // the file with the bytes
  const char *beside = "", *content = "";  // another file that it needs
};

constexpr char kImages[] =
    R"({"images": [{"id": 1, "file_name": "1.jpg", "width": 8, "height": 8}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 1, "name": "cat"}]})";

const Layout kLayouts[] = {
    {"coco-captions", "train", "annotations/captions_train2014.json"},
    {"coco-instances", "train", "annotations/instances_train2014.json"},
    {"coco-karpathy", "train", "dataset_coco.json"},
    {"refcoco", "train", "refcoco/refs(unc).p", "refcoco/instances.json", kImages},
    {"refcocog", "train", "refcocog/instances.json", "refcocog/refs(umd).p", "]q\x01."},
    {"vqav2", "train", "v2_OpenEnded_mscoco_train2014_questions.json",
     "v2_mscoco_train2014_annotations.json",
     R"({"annotations": [{"question_id": 1, "image_id": 1, "answers": [{"answer": "a"}]}]})"},
    {"visual-genome", "all", "region_descriptions.json", "image_data.json",
     R"([{"image_id": 1, "width": 8, "height": 8, "url": "VG_100K/1.jpg"}])"},
    {"visual-genome-qa", "all", "question_answers.json"},
    {"snli-ve", "train", "snli_ve_train.jsonl"},
    {"nlvr", "train", "train/train.json"},
    {"msrvtt", "train", "train_val_videodatainfo.json"},
    {"activitynet", "train", "train.json"},
    {"audiocaps", "train", "train.csv"},
    {"clotho", "development", "clotho_captions_development.csv"},
};

void Put(const std::string& folder, const std::string& name, absl::string_view bytes) {
  if (name.empty()) return;
  std::filesystem::create_directories(
      std::filesystem::path(unival::ScratchFolder() + "/" + folder + "/" + name).parent_path());
  unival::WriteScratch(folder + "/" + name, bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Layout& layout = kLayouts[data[0] % (sizeof(kLayouts) / sizeof(kLayouts[0]))];
  const std::string folder = layout.dataset;
  Put(folder, layout.file, {reinterpret_cast<const char*>(data) + 1, size - 1});
  Put(folder, layout.beside, layout.content);
  unival::ImportOptions options;
  options.dataset = layout.dataset;
  options.source = unival::ScratchFolder() + "/" + folder;
  options.destination = unival::ScratchFolder() + "/out.jsonl";
  options.split = layout.split;
  const auto report = unival::ImportDataset(options);
  if (!report.ok()) {
    unival::Require(!report.status().message().empty());
    return 0;
  }
  unival::Require(report->samples > 0 && std::filesystem::exists(options.destination));
  return 0;
}
