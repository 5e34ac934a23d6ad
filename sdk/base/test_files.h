// unival: test_files.h - files and folders for tests, below the test's own temporary folder.
//
//   const std::string folder = NewFolder("plans");
//   WriteText(folder + "/a/plan.textproto", text);
//   EXPECT_EQ(ReadText(folder + "/a/plan.textproto"), text);
#ifndef UNIVAL_SDK_BASE_TEST_FILES_H_
#define UNIVAL_SDK_BASE_TEST_FILES_H_

#include <string>

namespace unival {

// Fresh and empty. `name` may have several parts; without one, the running test gives it.
std::string NewFolder(const std::string& name = "");

// Makes the folders above as well; gives `path`.
std::string WriteText(const std::string& path, const std::string& text);

// All bytes. A file that cannot be read fails the calling test and gives "".
std::string ReadText(const std::string& path);

// A file of the source tree or a built one, "app/unival", by its full path.
std::string Runfile(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_TEST_FILES_H_
