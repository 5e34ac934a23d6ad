#include "training/run/run_folder.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWritten[] = {"best", "cache", "checkpoint", "model", "receipts", "results"};

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

}  // namespace unival
