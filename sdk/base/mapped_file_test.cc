#include "sdk/base/mapped_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sdk/base/descriptor.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

TEST(MappedFileTest, HoldsTheBytesOfAFileAlsoWhenItIsReplaced) {
  const std::string path = NewFolder("mapped") + "/file";
  WriteText(path, "first");
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  std::filesystem::remove(path);
  WriteText(path, "second");
  EXPECT_EQ((*file)->bytes(), "first");
}

TEST(MappedFileTest, AnEmptyFileHasNoBytes) {
  const std::string path = NewFolder("mapped_empty") + "/file";
  WriteText(path, "");
  EXPECT_EQ((*MappedFile::Open(path))->bytes(), "");
}

TEST(MappedFileTest, WritingToACopyLeavesTheFile) {
  const std::string path = NewFolder("mapped_copy") + "/file";
  WriteText(path, "first");
  const auto file = *MappedFile::Open(path, MappedFile::Mode::kCopyOnWrite);
  const_cast<char*>(file->bytes().data())[0] = 'F';
  EXPECT_EQ(file->bytes(), "First");
  EXPECT_EQ(ReadText(path), "first");
}

TEST(MappedFileTest, ASharedViewSeesWhatIsWrittenLater) {
  const std::string path = NewFolder("mapped_shared") + "/file";
  WriteText(path, "1");
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto view = MappedFile::Share(file.get(), 4096, path);
  ASSERT_TRUE(view.ok()) << view.status();
  std::ofstream(path, std::ios::app) << "2";
  EXPECT_EQ((*view)->bytes().substr(0, 2), "12");
}

TEST(MappedFileTest, RefusesWhatIsNoFile) {
  const std::string folder = NewFolder("mapped_none");
  EXPECT_EQ(MappedFile::Open(folder).status(),
            absl::InvalidArgumentError(folder + ": not a regular file"));
  EXPECT_TRUE(absl::IsNotFound(MappedFile::Open(folder + "/none").status()));
}

}  // namespace
}  // namespace unival
