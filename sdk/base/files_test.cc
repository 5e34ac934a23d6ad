#include "sdk/base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "sdk/base/test_files.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

TEST(FilesTest, ReadsAllBytesOfAFile) {
  const std::string path = NewFolder("files_read") + "/bytes";
  std::string bytes(100000, 'x');
  bytes[7] = '\0';
  WriteText(path, bytes);
  EXPECT_EQ(*ReadWholeFile(path), bytes);
  WriteText(path, "");
  EXPECT_EQ(*ReadWholeFile(path), "");
}

TEST(FilesTest, ReadsWhatHasNoSizeBeforehand) {
  const absl::StatusOr<std::string> status = ReadWholeFile("/proc/self/status");
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_THAT(*status, HasSubstr("VmRSS"));
}

TEST(FilesTest, WhatCannotBeReadIsNamedWithTheReason) {
  const std::string folder = NewFolder("files_missing");
  const absl::Status missing = ReadWholeFile(folder + "/none").status();
  EXPECT_EQ(missing,
            absl::NotFoundError(folder + "/none: cannot be opened: no such file or directory"));
  EXPECT_EQ(ReadWholeFile(folder).status(),
            absl::InvalidArgumentError(folder + ": cannot be read: is a directory"));
}

TEST(FilesTest, WhatIsNoRegularFileIsRefusedAtOnceAlsoThroughALink) {
  const std::string folder = NewFolder("files_kinds");
  ASSERT_EQ(mkfifo((folder + "/pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("pipe", folder + "/link");
  std::filesystem::create_symlink("/dev/zero", folder + "/zero");
  std::filesystem::create_symlink("circle", folder + "/circle");
  for (const char* name : {"/pipe", "/link"}) {
    EXPECT_EQ(ReadWholeFile(folder + name).status(),
              absl::InvalidArgumentError(folder + name + ": not a regular file but a named pipe"));
  }
  EXPECT_THAT(ReadWholeFile(folder + "/zero").status().message(), HasSubstr("but a device"));
  EXPECT_THAT(OpenRegularFile("/dev/tty").status().message(), HasSubstr("but a device"));
  EXPECT_TRUE(absl::IsInvalidArgument(OpenRegularFile(folder).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(OpenRegularFile(folder + "/circle").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(OpenRegularFile(std::string(5000, 'n')).status()));
  EXPECT_TRUE(absl::IsNotFound(OpenRegularFile(std::string("a\0b", 3)).status()));
}

TEST(FilesTest, AFileOfAnySizeIsRefusedInNoTime) {
  const std::string path = WriteText(NewFolder("files_sparse") + "/file", "x");
  std::filesystem::resize_file(path, uint64_t{1} << 40);
  const absl::Status status = ReadWholeFile(path).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_THAT(status.message(), HasSubstr(path + ": has 1099511627776 bytes"));
}

TEST(FilesTest, BytesBehindTheEndAreAnErrorThatNamesThePlace) {
  const std::string path = WriteText(NewFolder("files_at") + "/file", "0123456789");
  const absl::StatusOr<Descriptor> file = OpenRegularFile(path);
  std::string bytes(4, ' ');
  ASSERT_TRUE(ReadBytesAt(file->get(), 6, &bytes[0], 4, path).ok());
  EXPECT_EQ(bytes, "6789");
  const absl::Status cut = ReadBytesAt(file->get(), 8, &bytes[0], 4, path);
  EXPECT_TRUE(absl::IsDataLoss(cut));
  EXPECT_THAT(cut.message(), HasSubstr(path + ": byte 10: cut off"));
}

TEST(FilesTest, IsThereSaysWhetherSomethingIsThereBehindLinks) {
  const std::string folder = NewFolder("files_there"), file = WriteText(folder + "/file", "x");
  std::filesystem::create_symlink("itself", folder + "/itself");
  std::filesystem::create_symlink("file", folder + "/link");
  std::filesystem::create_symlink("none", folder + "/nowhere");
  for (const std::string& name : {folder, file, folder + "/link"}) EXPECT_TRUE(IsThere(name));
  for (const std::string& name : {folder + "/none", folder + "/itself", folder + "/nowhere",
                                  file + "/below", std::string(5000, 'n'), std::string()}) {
    EXPECT_FALSE(IsThere(name)) << name;
  }
}

TEST(FilesTest, WhatAKilledWriterLeftIsUsedUpByTheNext) {
  const std::string folder = NewFolder("files_stray");
  WriteText(folder + "/.file.unival-new", "half of what was to be wri");
  ASSERT_TRUE(WriteFileAtomically(folder + "/file", {"new"}).ok());
  EXPECT_EQ(*ReadWholeFile(folder + "/file"), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST(FilesTest, WritersOfOneFileAtOnceLeaveOneOfTheirTexts) {
  const std::string folder = NewFolder("files_race"), path = folder + "/file";
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&path, writer] {
      const std::string text(100000, static_cast<char>('a' + writer));
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(WriteFileAtomically(path, {text}).ok());
    });
  }
  for (int i = 0; i < 50; ++i) {
    const std::string text = ReadWholeFile(path).value_or("");
    EXPECT_EQ(text.find_first_not_of(text.substr(0, 1)), std::string::npos);
    EXPECT_TRUE(text.empty() || text.size() == 100000);
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST(FilesTest, ALongNameIsWrittenWhereverItFits) {
  const std::string path = NewFolder("files_long") + "/" + std::string(250, 'n');
  ASSERT_TRUE(WriteFileAtomically(path, {"x"}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(WriteFileAtomically(path + "123456", {"x"})));
}

TEST(FilesTest, FoldersThatCannotBeMadeAreNamed) {
  const std::string folder = NewFolder("files_folders");
  EXPECT_TRUE(MakeFolders(folder + "/a/b").ok());
  EXPECT_TRUE(MakeFolders(folder + "/a/b").ok());
  WriteText(folder + "/file", "");
  EXPECT_TRUE(absl::IsInvalidArgument(MakeFolders(folder + "/file/a")));
  EXPECT_TRUE(absl::IsInvalidArgument(MakeFolders(folder + "/" + std::string(300, 'n'))));
}

TEST(FilesTest, WritesThePiecesInOrderAndLeavesNothingElse) {
  const std::string folder = NewFolder("files_written");
  ASSERT_TRUE(WriteFileAtomically(folder + "/file", {"one ", "", "two"}).ok());
  EXPECT_EQ(*ReadWholeFile(folder + "/file"), "one two");
  ASSERT_TRUE(WriteFileAtomically(folder + "/file", {"three"}).ok());
  EXPECT_EQ(*ReadWholeFile(folder + "/file"), "three");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST(FilesTest, AFailedWriteLeavesWhatStoodThere) {
  const std::string folder = NewFolder("files_kept");
  WriteText(folder + "/place/inside", "kept");
  const absl::Status status = WriteFileAtomically(folder + "/place", {"new"});
  EXPECT_THAT(status.message(), HasSubstr(folder + "/place: cannot rename"));
  EXPECT_EQ(*ReadWholeFile(folder + "/place/inside"), "kept");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

// Otherwise writing a result to /dev/null would replace the device by a file.
TEST(FilesTest, NothingIsPutInThePlaceOfAPipeOrADevice) {
  const std::string folder = NewFolder();
  const std::string pipe = folder + "/pipe", link = folder + "/link";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::filesystem::create_symlink("pipe", link);
  WriteText(folder + "/made", "made");
  for (const std::string& path : {pipe, link}) {
    EXPECT_TRUE(absl::IsInvalidArgument(WriteFileAtomically(path, {"text"}))) << path;
    EXPECT_TRUE(absl::IsInvalidArgument(PublishFile(folder + "/made", path))) << path;
  }
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(ReadText(folder + "/made"), "made");
}

TEST(FilesTest, TheSystemsErrorsHaveFittingCodes) {
  EXPECT_EQ(SystemError("a", "b", ENOENT).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(SystemError("a", "b", ENOSPC).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(SystemError("a", "b", EFBIG).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(SystemError("a", "b", EFBIG).message(), HasSubstr("limit of file size"));
  EXPECT_EQ(SystemError("a", "b", ELOOP).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(SystemError("a", "b", EACCES).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(SystemError("a", "b", EIO), absl::InternalError("a: b: input/output error"));
}

TEST(FilesTest, PublishesWhatIsThere) {
  const std::string folder = NewFolder("files_publish");
  WriteText(folder + "/file.tmp", "x");
  EXPECT_TRUE(PublishFile(folder + "/file.tmp", folder + "/file").ok());
  EXPECT_EQ(*ReadWholeFile(folder + "/file"), "x");
  EXPECT_TRUE(SyncDirectory(folder).ok());
  EXPECT_TRUE(absl::IsNotFound(PublishFile(folder + "/none", folder + "/file")));
  EXPECT_EQ(*ReadWholeFile(folder + "/file"), "x");
}

}  // namespace
}  // namespace unival
