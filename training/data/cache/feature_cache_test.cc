#include "training/data/cache/feature_cache.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FeatureCacheTest : public ::testing::Test {
 protected:
  FeatureCacheTest() : folder_(std::string(::testing::TempDir()) + "/features") {
    fs::remove_all(folder_);
  }

  std::unique_ptr<FeatureCache> Open() {
    auto cache = FeatureCache::Open(folder_, "image", "0123456789abcdef0123");
    EXPECT_TRUE(cache.ok()) << cache.status();
    return *std::move(cache);
  }

  static ModalityFeatures Features(int value) {
    return {at::full({1, 3, 5}, value + 0.25, at::kFloat), at::Tensor(),
            at::arange(3).view({1, 3})};
  }

  // Two records, and the size of the file after each.
  std::string Fill(std::vector<int64_t>* sizes) {
    auto cache = Open();
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(cache->Add(absl::StrCat("key", i), Features(i)), absl::OkStatus());
      sizes->push_back(static_cast<int64_t>(fs::file_size(cache->path())));
    }
    return cache->path();
  }

  std::string folder_;
};

TEST_F(FeatureCacheTest, ALimitOfTheFolderKeepsWhatCameFirst) {
  std::vector<int64_t> sizes;
  fs::remove(Fill(&sizes));
  const int64_t most = sizes[1];  // two records
  const auto open = [&](const std::string& modality) {
    auto cache = FeatureCache::Open(folder_, modality, "0123456789abcdef0123", most);
    EXPECT_TRUE(cache.ok()) << cache.status();
    return *std::move(cache);
  };
  const auto image = open("image"), again = open("image");
  EXPECT_EQ(image->Add("key0", Features(0)), absl::OkStatus());
  EXPECT_EQ(again->Add("key1", Features(1)), absl::OkStatus());
  for (FeatureCache* cache : {image.get(), again.get()}) {
    EXPECT_EQ(cache->Add("key2", Features(2)), absl::OkStatus()) << "not kept is no error";
    EXPECT_FALSE(cache->Find("key2").has_value());
    EXPECT_TRUE(cache->Find("key0").has_value());
    EXPECT_TRUE(cache->Find("key1")->values.equal(Features(1).values));
  }
  EXPECT_EQ(static_cast<int64_t>(fs::file_size(image->path())), most);
  const auto audio = open("audio");
  EXPECT_EQ(audio->Add("key0", Features(0)), absl::OkStatus());
  EXPECT_FALSE(audio->Find("key0").has_value()) << "the folder is full";
}

TEST_F(FeatureCacheTest, GivesBackWhatWasAdded) {
  std::vector<int64_t> sizes;
  Fill(&sizes);
  auto cache = Open();
  EXPECT_EQ(cache->size(), 2);
  auto found = cache->Find("key1");
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(at::equal(found->values, Features(1).values));
  EXPECT_TRUE(at::equal(found->positions, Features(1).positions));
  EXPECT_FALSE(found->padding.defined());
  EXPECT_FALSE(cache->Find("key2").has_value());
}

TEST_F(FeatureCacheTest, DropsATornTail) {
  std::vector<int64_t> sizes;
  const std::string path = Fill(&sizes);
  for (int64_t cut : {sizes[1] - 1, sizes[0] + 10, sizes[0]}) {
    fs::resize_file(path, cut);
    auto cache = Open();
    EXPECT_EQ(cache->size(), 1);
    EXPECT_TRUE(cache->Find("key0").has_value());
    EXPECT_EQ(fs::file_size(path), static_cast<uintmax_t>(sizes[0]));
    ASSERT_EQ(cache->Add("key1", Features(1)), absl::OkStatus());
    EXPECT_TRUE(at::equal(cache->Find("key1")->values, Features(1).values));
  }
}

TEST_F(FeatureCacheTest, TreatsADamagedRecordAsAbsent) {
  std::vector<int64_t> sizes;
  const std::string path = Fill(&sizes);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(sizes[0] - 100);
  file.put('x');
  file.close();
  auto cache = Open();
  EXPECT_FALSE(cache->Find("key0").has_value());
  EXPECT_TRUE(cache->Find("key1").has_value());
}

TEST_F(FeatureCacheTest, WhatIsCutOffWhileTheCacheIsOpenIsAbsent) {
  std::vector<int64_t> sizes;
  const std::string path = Fill(&sizes);
  auto cache = Open();
  const auto first = cache->Find("key1");
  fs::resize_file(path, sizes[0]);
  EXPECT_TRUE(at::equal(first->values, Features(1).values)) << "what was found is its finder's";
  EXPECT_FALSE(cache->Find("key1").has_value());
  EXPECT_TRUE(cache->Find("key0").has_value());
  fs::resize_file(path, 0);
  EXPECT_FALSE(cache->Find("key0").has_value());
}

TEST_F(FeatureCacheTest, AMutatedFileNeverLeadsOutsideItsRecords) {
  std::vector<int64_t> sizes;
  const std::string path = Fill(&sizes);
  const std::string good = ReadText(path);
  constexpr size_t kRecord = 64, kHashAt = 232;  // the first record; its header's hash
  std::mt19937_64 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good;
    for (int i = 0; i < 3; ++i) {
      const size_t at = kRecord + 72 + random() % (kHashAt - 72);
      bytes[at] = static_cast<char>(random());
    }
    // With a checksum that holds, so that the bounds themselves are tried.
    const uint64_t hash = XXH64(bytes.data() + kRecord, kHashAt, 0);
    std::memcpy(&bytes[kRecord + kHashAt], &hash, sizeof(hash));
    std::ofstream(path, std::ios::binary) << bytes;
    auto cache = Open();
    for (const char* key : {"key0", "key1"}) {
      const auto found = cache->Find(key);
      if (!found) continue;
      const auto size = static_cast<int64_t>(good.size());
      for (const at::Tensor& tensor : {found->values, found->padding, found->positions}) {
        if (!tensor.defined()) continue;
        ASSERT_LE(static_cast<int64_t>(tensor.nbytes()), size);
        if (tensor.numel() > 0) tensor.clone();  // touches every byte
      }
    }
  }
}

TEST_F(FeatureCacheTest, ProcessesThatShareAFileSeeWhatEachAdds) {
  constexpr int kProcesses = 3, kEach = 40;
  auto cache = Open();
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    bool ok = true;
    auto own = FeatureCache::Open(folder_, "image", "0123456789abcdef0123");
    for (int i = 0; ok && own.ok() && i < kEach; ++i) {
      const int value = process * kEach + i;
      ok = (*own)->Add(absl::StrCat("key", value), Features(value)).ok() &&
           (*own)->Add("of all", Features(1000)).ok();
    }
    _exit(own.ok() && ok ? 0 : 1);
  }
  for (const pid_t child : children) {
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (int value = 0; value < kProcesses * kEach; ++value) {
    const auto found = cache->Find(absl::StrCat("key", value));
    ASSERT_TRUE(found.has_value()) << value;
    EXPECT_TRUE(at::equal(found->values, Features(value).values)) << value;
  }
  EXPECT_TRUE(cache->Find("of all").has_value());
  EXPECT_EQ(Open()->size(), kProcesses * kEach + 1);
}

TEST_F(FeatureCacheTest, AnotherRunsTornTailIsOverwritten) {
  auto first = Open();
  ASSERT_TRUE(first->Add("key0", Features(0)).ok());
  auto second = Open();
  fs::resize_file(first->path(), fs::file_size(first->path()) + 100);  // killed while it wrote
  EXPECT_FALSE(second->Find("key1").has_value());
  ASSERT_TRUE(second->Add("key1", Features(1)).ok());
  EXPECT_TRUE(first->Find("key1").has_value());
  fs::resize_file(first->path(), 64);
  ASSERT_TRUE(second->Add("key2", Features(2)).ok());
  EXPECT_FALSE(second->Find("key0").has_value());
  EXPECT_EQ(Open()->size(), 1);
}

TEST_F(FeatureCacheTest, RefusesForeignFiles) {
  fs::create_directories(folder_);
  std::ofstream(folder_ + "/audio-0123456789abcdef.features") << std::string(100, 'x');
  EXPECT_THAT(FeatureCache::Open(folder_, "audio", "0123456789abcdef0123").status().message(),
              HasSubstr("not a feature cache"));
}

TEST_F(FeatureCacheTest, SaysWhyItsFolderCannotBeMade) {
  std::ofstream(folder_) << "x";
  EXPECT_THAT(
      FeatureCache::Open(folder_ + "/x", "audio", "0123456789abcdef0123").status().message(),
      HasSubstr("cannot create this folder: not a directory"));
}

}  // namespace
}  // namespace unival
