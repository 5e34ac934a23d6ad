// unival: test_files.h - files and folders for tests, below the test's own temporary folder.
//
//   const std::string folder = NewFolder("plans");
//   WriteText(folder + "/a/plan.textproto", text);
//   EXPECT_EQ(ReadText(folder + "/a/plan.textproto"), text);
#ifndef UNIVAL_SDK_BASE_TEST_FILES_H_
#define UNIVAL_SDK_BASE_TEST_FILES_H_

#include <string>

namespace unival {

// A new, empty folder. `name` may have several path parts. By default it is the name of the running
// test.
std::string NewFolder(const std::string& name = "");

// Writes a file and creates its parent folders. Returns `path`.
std::string WriteText(const std::string& path, const std::string& text);

// All bytes of a file. If it cannot be read, the calling test fails and the result is "".
std::string ReadText(const std::string& path);

// The full path of a file of the source tree or of a built file, for example "app/unival".
std::string Runfile(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_TEST_FILES_H_
