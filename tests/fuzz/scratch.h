// unival: scratch.h - a folder for targets whose parser reads files.
#ifndef UNIVAL_TESTS_FUZZ_SCRATCH_H_
#define UNIVAL_TESTS_FUZZ_SCRATCH_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/fuzz/require.h"

namespace unival {

// This process's own, empty at first, removed when the process ends by itself.
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

// Replaces a file there, and gives its path. Not synced: a fuzzer does this a thousand times a
// second.
inline std::string WriteScratch(const std::string& name, absl::string_view bytes) {
  const std::string path = ScratchFolder() + "/" + name;
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  Require(stream.flush().good());
  return path;
}

}  // namespace unival

#endif  // UNIVAL_TESTS_FUZZ_SCRATCH_H_
