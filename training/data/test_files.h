// unival: test_files.h - tars for the tests of this folder.
#ifndef UNIVAL_TRAINING_DATA_TEST_FILES_H_
#define UNIVAL_TRAINING_DATA_TEST_FILES_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "sdk/base/test_files.h"
#include "training/data/tar_writer.h"

namespace unival {

using Members = std::vector<std::pair<std::string, std::string>>;

inline std::string WriteTar(const std::string& path, const Members& members) {
  auto writer = TarWriter::Create(path);
  EXPECT_TRUE(writer.ok()) << writer.status();
  for (const auto& [name, bytes] : members) EXPECT_TRUE((*writer)->Add(name, bytes).ok());
  EXPECT_TRUE((*writer)->Finish().ok());
  return path;
}

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_TEST_FILES_H_
