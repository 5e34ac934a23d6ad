// A folder of classes, packed.

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/import/layouts.h"
#include "training/data/import/packer.h"
#include "training/data/read/class_record.h"

namespace unival {
namespace {

// A stem that is free in the shard. Stems end at the first dot, and each names one sample; where
// two files would have one stem, "1.jpg" and "1.png" or "a.b.png" and "a_b.png", the later gets
// "-2".
std::string StemFor(const std::string& name, std::set<std::string>* taken) {
  const std::string stem = absl::StrReplaceAll(name.substr(0, name.rfind('.')), {{".", "_"}});
  std::string unique = stem;
  for (int count = 2; !taken->insert(unique).second; ++count) {
    unique = absl::StrCat(stem, "-", count);
  }
  return unique;
}

// A shard that lay among the files of a class would be taken for one of them.
absl::Status CheckDestination(const ImportOptions& options) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path source = fs::weakly_canonical(options.source, error);
  const fs::path parent = fs::weakly_canonical(options.destination, error).parent_path();
  const fs::path within = parent.lexically_relative(source);
  if (error || within.empty() || within == "." || *within.begin() == "..") return absl::OkStatus();
  return InvalidArgument(options.destination, ": lies in the folder of a class of ", options.source,
                         ", which is imported; choose a place beside the classes or elsewhere");
}

absl::StatusOr<ImportReport> PackFolder(const ImportOptions& options) {
  if (options.split == "train" || options.split == "test") {
    return absl::InvalidArgumentError("a folder has no splits; use split \"all\"");
  }
  UNIVAL_RETURN_IF_ERROR(CheckTrainOrTest(options));
  UNIVAL_RETURN_IF_ERROR(CheckDestination(options));
  UNIVAL_ASSIGN_OR_RETURN(Packer packer, Packer::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files, ListClasses(options.source, packer.skipped()));
  std::map<std::string, std::set<std::string>> taken;
  for (const ClassFile& file : files) {
    const std::string stem = StemFor(file.name, &taken[file.folder]);
    const std::string path = absl::StrCat(options.source, "/", file.folder, "/", file.name);
    const std::string name = ClassName(file.folder);
    UNIVAL_ASSIGN_OR_RETURN(const auto media, MappedFile::Open(path));
    UNIVAL_RETURN_IF_ERROR(packer.Add(absl::StrCat(file.folder, "/", stem), file.extension,
                                      media->bytes(),
                                      {{"class", name}, {"caption", ClassCaption(name)}}));
    UNIVAL_RETURN_IF_ERROR(media->Check());
  }
  return packer.Finish();
}

}  // namespace

ImportLayout FolderLayout() {
  return {{"folder", ".tar", "none", "one sub-folder per class with media files in it",
           "image or audio or video, class, caption (\"a photo of an owl\")"},
          "",
          &PackFolder};
}

}  // namespace unival
