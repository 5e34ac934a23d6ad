#include "training/data/import/source_files.h"

#include <filesystem>
#include <set>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/utf8.h"
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

absl::Status CheckOneYear(const ImportOptions& options, const std::vector<SplitFile>& files) {
  std::set<std::string> without_year;
  bool is_plain = true;
  for (const SplitFile& file : files)
    is_plain &= without_year.insert(WithoutYear(file.split)).second;
  if (is_plain) return absl::OkStatus();
  const auto split = [](std::string* out, const SplitFile& file) { out->append(file.split); };
  return InvalidArgument(options.source, ": split \"", options.split, "\" means ",
                         absl::StrJoin(files, ", ", split),
                         ", which share pictures; name one of them");
}

}  // namespace

absl::StatusOr<std::vector<SplitFile>> FindSplitFiles(const ImportOptions& options,
                                                      const std::vector<std::string>& folders,
                                                      const std::string& before,
                                                      const std::string& after) {
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

absl::StatusOr<std::string> FindFirst(const ImportOptions& options,
                                      const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    std::error_code error;
    std::string full = Below(options.source, path);
    if (fs::is_regular_file(full, error)) return full;
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

absl::Status CheckTableText(absl::string_view text) {
  const absl::Status checked = CheckUtf8(text);
  if (checked.ok()) return checked;
  return InvalidArgument(
      checked.message(),
      "; convert the file, `iconv -f WINDOWS-1252 -t UTF-8` where Excel wrote it");
}

}  // namespace unival
