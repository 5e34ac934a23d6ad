#include "training/data/cache/media_keys.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

std::string Write(const std::string& name, const std::string& bytes) {
  return WriteText(absl::StrCat(::testing::TempDir(), "/", name), bytes);
}

MediaSource InMemory(const std::string& bytes) {
  return {"", "", std::make_shared<const std::string>(bytes)};
}

TEST(MediaKeys, AFileIsReadOnceAndItsKeyIsThatOfItsBytes) {
  const MediaSource file{"", Write("once.bin", "picture"), nullptr};
  MediaKeys keys;
  for (uint64_t augmentation : {0, 0, 5, 0}) {
    EXPECT_EQ(*keys.Key(file, "", augmentation), *MediaKey(InMemory("picture"), augmentation));
  }
  EXPECT_EQ(keys.hashed(), 1);
  EXPECT_NE(*keys.Key(file, "", 0), *keys.Key(file, "", 5));
}

TEST(MediaKeys, AFileThatChangedIsReadAgainAlsoWhenItsSizeAndTimeAreWhatTheyWere) {
  const std::string path = Write("changing.bin", "first");
  const auto time = fs::last_write_time(path);
  MediaKeys keys;
  const std::string first = *keys.Key({"", path, nullptr}, "", 0);
  Write("other.bin", "other");
  fs::rename(absl::StrCat(::testing::TempDir(), "/other.bin"), path);  // another inode
  fs::last_write_time(path, time);
  const std::string second = *keys.Key({"", path, nullptr}, "", 0);
  EXPECT_NE(first, second);
  EXPECT_EQ(second, *MediaKey(InMemory("other"), 0));
  EXPECT_EQ(keys.hashed(), 2);
  fs::last_write_time(path, time + std::chrono::hours(1));
  EXPECT_EQ(*keys.Key({"", path, nullptr}, "", 0), second);
  EXPECT_EQ(keys.hashed(), 3) << "a new time is reason enough to look";
}

TEST(MediaKeys, BytesInMemoryAreKnownByTheirPlace) {
  MediaKeys keys;
  const std::string first = *keys.Key(InMemory("a"), "source 0, record 1, input 0", 0);
  EXPECT_EQ(*keys.Key(InMemory("a"), "source 0, record 1, input 0", 0), first);
  EXPECT_EQ(keys.hashed(), 1);
  EXPECT_NE(*keys.Key(InMemory("b"), "source 0, record 2, input 0", 0), first);
  EXPECT_EQ(*keys.Key(InMemory("a"), "", 0), first);
  EXPECT_NE(*keys.Key(InMemory("b"), "", 0), first) << "no place, nothing remembered";
  EXPECT_EQ(keys.hashed(), 4);
}

TEST(MediaKeys, AMissingFileIsAnErrorEveryTime) {
  MediaKeys keys;
  const MediaSource missing{"", absl::StrCat(::testing::TempDir(), "/nowhere.bin"), nullptr};
  EXPECT_EQ(keys.Key(missing, "", 0).status().code(), absl::StatusCode::kNotFound);
  Write("nowhere.bin", "now it is here");
  EXPECT_TRUE(keys.Key(missing, "", 0).ok());
}

}  // namespace
}  // namespace unival
