#include "sdk/base/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace unival {
namespace {

using ::testing::HasSubstr;

TEST(FolderLock, IsRefusedWhileSomebodyHoldsIt) {
  absl::StatusOr<FolderLock> first = FolderLock::Take(::testing::TempDir());
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status second = FolderLock::Take(::testing::TempDir()).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.message()), HasSubstr("another process is writing"));
}

TEST(FolderLock, IsFreeAgainWhenItsHolderIsGone) {
  {
    absl::StatusOr<FolderLock> first = FolderLock::Take(::testing::TempDir());
    ASSERT_TRUE(first.ok()) << first.status();
    FolderLock moved = *std::move(first);
    EXPECT_FALSE(FolderLock::Take(::testing::TempDir()).ok());
  }
  EXPECT_TRUE(FolderLock::Take(::testing::TempDir()).ok());
}

TEST(FolderLock, NamesAFolderThatIsNotThere) {
  const absl::Status status = FolderLock::Take(::testing::TempDir() + "/absent").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("absent"));
}

}  // namespace
}  // namespace unival
