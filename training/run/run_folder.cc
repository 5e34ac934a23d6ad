#include "training/run/run_folder.h"

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWritten[] = {"best", "cache", "checkpoint", "model", "receipts", "results"};

// Files of a run that are none of its folders.
constexpr const char* kFiles[] = {"log.jsonl", "plan.textproto", "receipt.json", "results.json",
                                  "run.json"};

bool IsRun(const std::string& output) {
  return IsThere(output + "/run.json") || IsThere(output + "/checkpoint");
}

// Whether there is nothing but what a run leaves that is killed while it writes its first file.
bool IsAsGoodAsEmpty(const std::string& output) {
  std::error_code error;
  for (fs::directory_iterator entry(output, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (absl::StartsWith(name, ".run.json.") || absl::StartsWith(name, "run.json.tmp.")) continue;
    return false;
  }
  return !error;
}

}  // namespace

absl::Status CheckOwnFolders(const std::string& output) {
  for (const char* name : kWritten) {
    const std::string path = absl::StrCat(output, "/", name);
    std::error_code error;
    if (!fs::is_symlink(path, error)) continue;
    return InvalidArgument(path, ": expected a folder of the run's own, got a link to ",
                           fs::read_symlink(path, error).string(),
                           "; a run writes and removes files there: put the folder itself here, or "
                           "link to the folder of the whole run");
  }
  return absl::OkStatus();
}

absl::Status CheckRunFolder(const std::string& output, bool resume) {
  std::error_code error;
  if (fs::is_empty(output, error)) return absl::OkStatus();
  if (!resume) {
    return absl::FailedPreconditionError(absl::StrCat(
        output,
        ": expected an empty or absent folder, got one with files; go on with that run by "
        "--resume, or choose another output folder"));
  }
  if (IsRun(output)) return CheckOwnFolders(output);
  if (IsAsGoodAsEmpty(output)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(output,
                   ": expected the folder of a run, with run.json, to go on with, or an empty or "
                   "absent one, got "
                   "one with other files; choose another output folder"));
}

std::vector<std::string> FilesOfRun(const std::string& output) {
  std::vector<std::string> files;
  for (const char* name : kFiles) files.push_back(absl::StrCat(output, "/", name));
  for (const char* name : kWritten) files.push_back(absl::StrCat(output, "/", name));
  files.push_back(absl::StrCat(output, "/validation"));
  return files;
}

}  // namespace unival
