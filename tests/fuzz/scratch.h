// unival: scratch.h - a temporary folder for fuzz targets whose parser reads files.
#ifndef UNIVAL_TESTS_FUZZ_SCRATCH_H_
#define UNIVAL_TESTS_FUZZ_SCRATCH_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/fuzz/require.h"

namespace unival {

// A folder of this process, empty at first. It is removed when the process ends normally.
inline const std::string& ScratchFolder() {
  struct Folder {
    std::string path = (std::filesystem::temp_directory_path() / "unival_fuzz_XXXXXX").string();
    Folder() { Require(mkdtemp(path.data()) != nullptr); }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  };
  static const Folder folder;
  return folder.path;
}

// Replaces a file in the folder and returns its path. Does not sync, because a fuzzer calls this a
// thousand times a second.
inline std::string WriteScratch(const std::string& name, absl::string_view bytes) {
  const std::string path = ScratchFolder() + "/" + name;
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  Require(stream.flush().good());
  return path;
}

}  // namespace unival

#endif  // UNIVAL_TESTS_FUZZ_SCRATCH_H_
