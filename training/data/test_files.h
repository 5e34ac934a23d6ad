// unival: test_files.h - temporary files for the tests of this folder.
#ifndef UNIVAL_TRAINING_DATA_TEST_FILES_H_
#define UNIVAL_TRAINING_DATA_TEST_FILES_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "training/data/tar_writer.h"

namespace unival {

// A fresh folder of the running test case.
inline std::string TestFolder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const std::string folder =
      testing::TempDir() + "/" + test->test_suite_name() + "_" + test->name();
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

inline std::string WriteFile(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

inline std::string ReadWholeFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

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
