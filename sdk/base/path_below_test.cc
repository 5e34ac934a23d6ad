#include "sdk/base/path_below.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sdk/base/test_files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(PathBelowTest, WhatLiesWithTheFileIsFound) {
  const std::string folder = NewFolder("below_found");
  const std::string file = WriteText(folder + "/set.textproto", "");
  WriteText(folder + "/labels/a.txt", "x");
  fs::create_symlink("labels/a.txt", folder + "/link");
  EXPECT_EQ(*ResolveBelow(file, "labels/a.txt"), folder + "/labels/a.txt");
  EXPECT_EQ(*ResolveBelow(file, "./labels"), folder + "/./labels");
  EXPECT_EQ(*ResolveBelow(file, "link"), folder + "/link");
  WriteText(folder + "/labels/..name", "x");
  EXPECT_EQ(*ResolveBelow(file, "labels/..name"), folder + "/labels/..name");
}

TEST(PathBelowTest, WhatLeavesTheFolderIsRefused) {
  const std::string folder = NewFolder("below_refused");
  const std::string file = WriteText(folder + "/inside/set.textproto", "");
  WriteText(folder + "/secret", "x");
  fs::create_symlink("../secret", folder + "/inside/link");
  fs::create_directory_symlink("..", folder + "/inside/up");
  fs::create_symlink("again", folder + "/inside/again");
  for (const std::string& path :
       {std::string(""), std::string("/etc/group"), std::string("../secret"), std::string("a/../b"),
        std::string("a\0b", 3), std::string("link"), std::string("up/secret"),
        std::string("up/inside/set.textproto/.."), std::string(".")}) {
    const auto found = ResolveBelow(file, path);
    EXPECT_EQ(found.status().code(), absl::StatusCode::kInvalidArgument) << path << found.status();
  }
  EXPECT_THAT(ResolveBelow(file, "link").status().message(),
              HasSubstr("path \"link\" is a link that leads out of the folder of " + file));
  for (const std::string& path : {std::string("none"), std::string("again"),
                                  std::string("set.textproto/x"), std::string(5000, 'n')}) {
    EXPECT_TRUE(absl::IsNotFound(ResolveBelow(file, path).status())) << path;
  }
}

TEST(PathBelowTest, InAStoreOfLinksTheFolderBehindTheLinkCountsToo) {
  const std::string folder = NewFolder("below_store");
  WriteText(folder + "/blobs/1", "");
  WriteText(folder + "/blobs/2", "");
  fs::create_directories(folder + "/snapshot");
  fs::create_symlink("../blobs/1", folder + "/snapshot/manifest");
  fs::create_symlink("../blobs/2", folder + "/snapshot/weights");
  EXPECT_TRUE(ResolveBelow(folder + "/snapshot/manifest", "weights").ok());
  fs::remove(folder + "/snapshot/manifest");
  WriteText(folder + "/snapshot/manifest", "");
  EXPECT_FALSE(ResolveBelow(folder + "/snapshot/manifest", "weights").ok());
}

}  // namespace
}  // namespace unival
