// unival: index_tests.h - what the tests of kept indexes share.
#ifndef UNIVAL_TRAINING_DATA_READ_INDEX_TESTS_H_
#define UNIVAL_TRAINING_DATA_READ_INDEX_TESTS_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "training/data/files/kept_index.h"
#include "training/data/files/test_files.h"
#include "training/data/read/source.h"

namespace unival {

// With an index however small the file is.
inline SourceOptions Indexed(const std::string& path) {
  SourceOptions options;
  options.path = path;
  options.index.smallest = 1;
  return options;
}

inline std::string IndexOf(const std::string& path) {
  const size_t name = path.rfind('/') + 1;
  return absl::StrCat(path.substr(0, name), ".", path.substr(name), ".index");
}

// A file that was written in the same moment is not believed to be the one that was read.
inline void LetTimePass() { absl::SleepFor(absl::Milliseconds(60)); }

// With the times of modification that the file had before.
inline void OverwriteWithItsTime(const std::string& path, const std::string& bytes) {
  struct stat before = {};
  ASSERT_EQ(stat(path.c_str(), &before), 0);
  WriteText(path, bytes);
  const struct timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

// Changes an index as who forges one does: it fits its file and has a right checksum.
template <typename Change>
void Forge(const std::string& file, const Change& change) {
  absl::StatusOr<SourceIndex> index = ParseSourceIndex(ReadText(file));
  ASSERT_TRUE(index.ok()) << index.status();
  change(&*index);
  WriteText(file, SourceIndexBytes(*index));
}

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_INDEX_TESTS_H_
