#include "tests/bench/base_size_model.h"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backbone/model/model_config.h"
#include "backbone/storage/model_directory.h"
#include "runtime/model.h"
#include "sdk/base/files.h"
#include "sdk/base/text_format.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// The number of image codes is chosen so that the vocabulary has the published 59,457 rows.
constexpr char kRest[] = R"(
name: "base_size"
vocabulary { blocks { id: "core.image_code" extents { size: 52458 } }
             blocks { id: "core.location_bin" extents { size: 1000 } } }
tokenizer { type: "sentencepiece" directory: "tokenizer" block: "core.bpe" }
modality { id: "image" image { width: 480 height: 480 }
           encoder { resnet { stem_width: 64 blocks: [3, 4, 23] widths: [64, 128, 256] } } }
connection { modality: "image" shared_type_row: 1 }
)";

constexpr char kTasks[] = R"(
name: "bench"
task { name: "closed" prompt: " {text:text}" target: " {answer:label}"
       labels { slot: "answer" file: "answers.txt" } generation { beam: 5 } }
task { name: "describe" prompt: " {text:text}" target: " {answer:text}"
       generation { min_tokens: 16 max_tokens: 16 } }
task { name: "picture" input { name: "image" modality: "image" }
       prompt: " what does the image describe?" target: " {answer:text}"
       generation { min_tokens: 16 max_tokens: 16 } }
)";

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  std::exit(1);
}

template <typename T>
T Value(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

std::string WorkFolder() {
  const std::string folder = (fs::temp_directory_path() / "unival_load_bench").string();
  Check(MakeFolders(folder));
  return folder;
}

// Answers of two words; fifty answers share each first word.
std::string AnswerLines(int count) {
  const std::vector<std::string> syllables = {"ba", "ce", "di", "fo", "gu", "la", "me", "ni"};
  std::string lines;
  for (int i = 0; i < count; ++i) {
    const int first = i / 50, second = i % 50;
    absl::StrAppend(&lines, syllables[first % 8], syllables[first / 8], " ", syllables[second % 8],
                    syllables[second / 8], "\n");
  }
  return lines;
}

}  // namespace

std::string BaseSizeModel() {
  const std::string folder = absl::StrCat(WorkFolder(), "/model");
  if (fs::exists(absl::StrCat(folder, "/", kManifestFile))) return folder;
  Manifest manifest;
  Check(ParseTextProto(kRest, "bench", &manifest));
  *manifest.mutable_backbone() = BaseBackboneConfig();
  const auto runtime = Value(Runtime::Create({}));
  const auto model = Value(Model::CreateFresh(manifest, "models/base/tokenizer", 1, *runtime));
  Check(model->Save(folder, Lineage(), /*half=*/false));
  return folder;
}

std::string BenchTasks(int answers) {
  Check(WriteFileAtomically(absl::StrCat(WorkFolder(), "/answers.txt"), {AnswerLines(answers)}));
  const std::string file = absl::StrCat(WorkFolder(), "/bench.textproto");
  Check(WriteFileAtomically(file, {kTasks}));
  return file;
}

}  // namespace unival
