#include "sdk/base/file_state.h"

#include <sys/stat.h>

#include <ctime>

#include "absl/strings/str_cat.h"

namespace unival {

std::string FileState(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return "";
  return absl::StrCat(info.st_dev, " ", info.st_ino, " ", info.st_size, " ", info.st_mtim.tv_sec,
                      ".", info.st_mtim.tv_nsec, " ", info.st_ctim.tv_sec, ".",
                      info.st_ctim.tv_nsec);
}

bool ChangedJustNow(const std::string& path) {
  constexpr time_t kSeconds = 3;
  struct stat info;
  return stat(path.c_str(), &info) == 0 && info.st_ctim.tv_sec + kSeconds >= std::time(nullptr);
}

}  // namespace unival
