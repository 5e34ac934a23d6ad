#include "training/data/import/source_files.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "modalities/io/formats.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/utf8.h"
#include "training/data/files/output_file.h"
#include "training/data/import/record_writer.h"
#include "training/data/read/class_record.h"
#include "training/data/read/media_resolver.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

std::string Below(const std::string& source, const std::string& path) {
  return path.empty() ? source : absl::StrCat(source, "/", path);
}

std::string WithoutYear(const std::string& split) {
  return split.substr(0, split.find_first_of("0123456789"));
}

bool IsAskedFor(const ImportOptions& options, const std::string& split) {
  return options.split == "all" || options.split == split || options.split == WithoutYear(split);
}

// Neither of two such splits holds the other, or which of them is wanted is for the user to say.
// COCO's later years are cut from the same pictures: most of "val2014" is in "train2017".
bool SharePictures(const std::string& one, const std::string& other) {
  if (WithoutYear(one) == WithoutYear(other)) return true;
  return one == "train2017" && other == "val2014";
}

absl::Status CheckOneYear(const ImportOptions& options, const std::vector<SplitFile>& files) {
  bool is_plain = true;
  for (size_t i = 0; i < files.size(); ++i) {
    for (size_t k = 0; k < i; ++k) is_plain &= !SharePictures(files[k].split, files[i].split);
  }
  if (is_plain) return absl::OkStatus();
  const auto split = [](std::string* out, const SplitFile& file) { out->append(file.split); };
  return InvalidArgument(options.source, ": split \"", options.split, "\" means ",
                         absl::StrJoin(files, ", ", split),
                         ", which share pictures; name one of them");
}

// The media of `part` are among those of `whole`: it is part of it, or describes them again.
struct SplitPart {
  const char *part, *whole;
};

constexpr SplitPart kSplitParts[] = {{"test-dev2015", "test2015"}, {"val_2", "val_1"}};

// With "all", records of both would count a medium twice. Who names a split gets it.
void LeaveOutParts(const ImportOptions& options, RecordWriter& writer,
                   std::vector<SplitFile>* files) {
  if (options.split != "all") return;
  for (const SplitPart& one : kSplitParts) {
    const auto find = [&](const char* split) {
      return std::find_if(files->begin(), files->end(),
                          [&](const SplitFile& file) { return file.split == split; });
    };
    const auto part = find(one.part);
    if (part == files->end() || find(one.whole) == files->end()) continue;
    files->erase(part);
    writer.LeaveOut(absl::StrCat("a split whose media are also in ", one.whole), one.part);
  }
}

}  // namespace

absl::StatusOr<std::vector<SplitFile>> FindSplitFiles(const ImportOptions& options,
                                                      const std::vector<std::string>& folders,
                                                      const std::string& before,
                                                      const std::string& after,
                                                      RecordWriter& writer) {
  std::set<std::string> seen;
  for (const std::string& folder : folders) {
    const auto names = ListFolder(Below(options.source, folder), Wanted::kFiles);
    if (!names.ok()) continue;
    std::vector<SplitFile> found;
    for (const std::string& path : *names) {
      const std::string name = FileName(path);
      if (!absl::StartsWith(name, before) || !absl::EndsWith(name, after)) continue;
      if (name.size() <= before.size() + after.size()) continue;
      const std::string split =
          name.substr(before.size(), name.size() - before.size() - after.size());
      seen.insert(split);
      if (IsAskedFor(options, split)) found.push_back({path, split});
    }
    if (found.empty()) continue;
    UNIVAL_RETURN_IF_ERROR(CheckOneYear(options, found));
    LeaveOutParts(options, writer, &found);
    for (const SplitFile& file : found) {
      UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({options.destination}, {file.path}));
    }
    return found;
  }
  const auto named = [](std::string* out, const std::string& folder) {
    out->append(folder.empty() ? "the folder itself" : folder);
  };
  return absl::NotFoundError(
      absl::StrCat(options.source, ": expected files ", before, "SPLIT", after, " of split \"",
                   options.split, "\" in ", absl::StrJoin(folders, " or ", named), ", got ",
                   seen.empty() ? "none" : absl::StrCat("only ", absl::StrJoin(seen, ", "))));
}

absl::StatusOr<std::vector<SplitFile>> FindKnownSplits(const ImportOptions& options,
                                                       const std::vector<KnownSplit>& known,
                                                       RecordWriter& writer) {
  std::vector<std::string> names = {"all"};
  std::vector<SplitFile> found;
  for (const KnownSplit& one : known) {
    names.push_back(one.split);
    if (options.split != "all" && options.split != one.split) continue;
    const auto file = FindFirst(options, one.files);
    if (options.split == "all" && absl::IsNotFound(file.status())) continue;
    UNIVAL_RETURN_IF_ERROR(file.status());
    found.push_back({*file, one.split});
  }
  if (std::find(names.begin(), names.end(), options.split) == names.end()) {
    return UnknownSplit(options, names);
  }
  LeaveOutParts(options, writer, &found);
  return found;
}

absl::StatusOr<std::string> FindFirst(const ImportOptions& options,
                                      const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    std::error_code error;
    std::string full = Below(options.source, path);
    if (!fs::is_regular_file(full, error)) continue;
    UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({options.destination}, {full}));
    return full;
  }
  return absl::NotFoundError(absl::StrCat(options.source, ": expected one of the files ",
                                          absl::StrJoin(paths, ", "), "; none is there"));
}

std::vector<std::string> MediaPaths(const std::vector<std::string>& folders,
                                    const std::string& name,
                                    const std::vector<std::string>& extensions) {
  std::vector<std::string> paths;
  for (const std::string& folder : folders) {
    for (const std::string& extension : extensions) {
      paths.push_back(absl::StrCat(folder, folder.empty() ? "" : "/", name, ".", extension));
    }
  }
  return paths;
}

std::vector<std::string> ExtensionsFrom(const std::string& first, const std::string& kind) {
  std::vector<std::string> extensions = ExtensionsOfKind(kind);
  std::stable_partition(extensions.begin(), extensions.end(),
                        [&](const std::string& one) { return one == first; });
  return extensions;
}

absl::Status CheckTableText(absl::string_view text) {
  const absl::Status checked = CheckUtf8(text);
  if (checked.ok()) return checked;
  return InvalidArgument(
      checked.message(),
      "; convert the file, `iconv -f WINDOWS-1252 -t UTF-8` where Excel wrote it");
}

}  // namespace unival
