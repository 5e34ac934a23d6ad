#include "sdk/base/test_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

std::string RunningTest() {
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  return absl::StrCat(test->test_suite_name(), "_", test->name());
}

std::string Environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

}  // namespace

std::string NewFolder(const std::string& name) {
  const fs::path folder = fs::path(::testing::TempDir()) / (name.empty() ? RunningTest() : name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder.string();
}

std::string WriteText(const std::string& path, const std::string& text) {
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty()) fs::create_directories(folder);
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  EXPECT_TRUE(file.good()) << path << ": cannot be written";
  return path;
}

std::string ReadText(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadWholeFile(path);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.value_or("");
}

std::string Runfile(const std::string& path) {
  return absl::StrCat(Environment("TEST_SRCDIR", "."), "/", Environment("TEST_WORKSPACE", ""), "/",
                      path);
}

}  // namespace unival
