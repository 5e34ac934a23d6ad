#include "sdk/base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

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

TEST(FilesTest, TheSystemsErrorsHaveFittingCodes) {
  EXPECT_EQ(SystemError("a", "b", ENOENT).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(SystemError("a", "b", ENOSPC).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(SystemError("a", "b", EACCES).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(SystemError("a", "b", EIO), absl::InternalError("a: b: input/output error"));
}

TEST(FilesTest, SyncsWhatIsThere) {
  const std::string folder = NewFolder("files_sync");
  WriteText(folder + "/file", "x");
  EXPECT_TRUE(SyncFile(folder + "/file").ok());
  EXPECT_TRUE(SyncDirectory(folder).ok());
  EXPECT_TRUE(absl::IsNotFound(SyncFile(folder + "/none")));
}

}  // namespace
}  // namespace unival
