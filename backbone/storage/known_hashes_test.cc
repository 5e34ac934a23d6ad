// Cached hashes, and when they are not trusted.
#include "backbone/storage/known_hashes.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backbone/storage/model_directory.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/file_state.h"
#include "sdk/base/sha256.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

constexpr int64_t kFloats = 1 << 19;  // 2 MiB, worth remembering
constexpr uint64_t kBytes = kFloats * sizeof(float);

// Models are written once for all tests, because the hash of a file that changed in the last
// seconds is not cached.
class KnownHashesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    NewFolder("known_hashes");
    for (int i = 0; i < 14; ++i) WriteModel(i);
    while (ChangedJustNow(FileOf(13))) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }

  void SetUp() override { memory_ = NewFolder() + "/cache/unival/hashes"; }

  static std::string Folder(int i) {
    return absl::StrCat(::testing::TempDir(), "/known_hashes/", i);
  }
  static std::string FileOf(int i) { return Folder(i) + "/backbone.safetensors"; }

  static void WriteModel(int i) {
    Manifest manifest;
    BaseBlocks blocks;
    blocks.text_size = 6;
    *manifest.mutable_vocabulary() = *BaseLayout(blocks);
    auto writer = ModelDirectoryWriter::Create(Folder(i), {/*overwrite=*/true});
    ASSERT_TRUE(writer.ok()) << writer.status();
    const at::Tensor weights = at::full({kFloats}, static_cast<float>(i));
    ASSERT_TRUE((*writer)->AddTensors("backbone", {{"w", weights}}).ok());
    ASSERT_TRUE((*writer)->AddTensors("modality.x", {{"w", weights}}).ok());
    ASSERT_TRUE((*writer)->Commit(manifest).ok());
  }

  // Does the same as a process that uses the model. Returns how many bytes of large files it
  // hashed.
  uint64_t Use(int i, absl::Status* status = nullptr, bool hash_all = false) {
    const auto known = std::make_shared<KnownHashes>(memory_, hash_all);
    ModelDirectoryOptions options;
    options.known_hashes = known;
    const auto model = ModelDirectory::Open(Folder(i), options);
    EXPECT_TRUE(model.ok()) << model.status();
    const uint64_t before = Sha256::TotalBytes();
    const absl::Status read = (*model)->ReadComponent("backbone").status();
    const uint64_t hashed = Sha256::TotalBytes() - before;
    if (status != nullptr) {
      *status = read;
    } else {
      EXPECT_TRUE(read.ok()) << read;
    }
    EXPECT_TRUE(known->Save().ok());
    return hashed < kBytes ? 0 : hashed;
  }

  // Changes one byte in place: size and inode stay.
  static void Damage(int i) {
    std::fstream file(FileOf(i), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('\7');
    ASSERT_TRUE(file.flush());
  }

  std::string memory_;
};

TEST_F(KnownHashesTest, AFileThatHasNotChangedIsHashedOnceByAllProcesses) {
  EXPECT_GE(Use(0), kBytes);
  EXPECT_EQ(Use(0), 0u);
  EXPECT_EQ(Use(0), 0u);
}

TEST_F(KnownHashesTest, HashesAllWhereThatIsAsked) {
  Use(1);
  EXPECT_GE(Use(1, nullptr, /*hash_all=*/true), kBytes);
  EXPECT_EQ(Use(1), 0u);
}

TEST_F(KnownHashesTest, AFileThatChangedWithItsSizeIsHashedAgain) {
  Use(2);
  Damage(2);
  absl::Status status;
  Use(2, &status);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST_F(KnownHashesTest, AFileThatChangedIsHashedAgainAlsoWhenItsTimeWasSetBack) {
  Use(3);
  struct stat before = {};
  ASSERT_EQ(stat(FileOf(3).c_str(), &before), 0);
  Damage(3);
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, FileOf(3).c_str(), times, 0), 0);
  struct stat after = {};
  ASSERT_EQ(stat(FileOf(3).c_str(), &after), 0);
  EXPECT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
  EXPECT_EQ(after.st_ino, before.st_ino);
  absl::Status status;
  Use(3, &status);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST_F(KnownHashesTest, AnotherFileOfThatNameIsHashed) {
  Use(4);
  std::filesystem::copy_file(FileOf(5), FileOf(4),
                             std::filesystem::copy_options::overwrite_existing);
  absl::Status status;
  Use(4, &status);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

// The manifest decides what the hash must be, not the cache.
TEST_F(KnownHashesTest, AManifestThatAsksForAnotherHashIsNotFulfilledByMemory) {
  Use(6);
  const std::string manifest = Folder(6) + "/manifest.textproto";
  std::string text = ReadText(manifest);
  const std::string hash = *Sha256OfPath(FileOf(6));
  text.replace(text.find(hash), 1, hash[0] == '0' ? "1" : "0");
  WriteText(manifest, text);
  absl::Status status;
  EXPECT_GE(Use(6, &status), kBytes);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST_F(KnownHashesTest, ADamagedMemoryIsLikeNone) {
  Use(7);
  const std::string good = ReadText(memory_);
  ASSERT_NE(good, "");
  std::string flipped = good;
  flipped[good.size() / 2] ^= 1;
  const std::string cut = good.substr(0, good.size() - 5);
  for (const std::string& damaged : {flipped, cut, std::string(), std::string(100, '\0'),
                                     std::string("unival hashes 2 "), good + good}) {
    WriteText(memory_, damaged);
    EXPECT_GE(Use(7), kBytes) << damaged.substr(0, 20);
    EXPECT_EQ(Use(7), 0u) << "not mended: " << damaged.substr(0, 20);
  }
}

TEST_F(KnownHashesTest, AMemoryThatCannotBeWrittenIsNoErrorOfTheModel) {
  const std::string folder = NewFolder();
  WriteText(folder + "/file", "a file where a folder should be");
  KnownHashes known(folder + "/file/hashes");
  known.Add(FileOf(8), FileState(FileOf(8)), *Sha256OfPath(FileOf(8)));
  EXPECT_FALSE(known.Save().ok());
  EXPECT_TRUE(known.Has(FileOf(8), *Sha256OfPath(FileOf(8))));
}

TEST_F(KnownHashesTest, WhatChangedJustNowIsNotRemembered) {
  const std::string file = WriteText(NewFolder() + "/new", std::string(kBytes, 'x'));
  KnownHashes known(memory_);
  known.Add(file, FileState(file), *Sha256OfPath(file));
  EXPECT_FALSE(known.Has(file, *Sha256OfPath(file)));
}

// A cached hash of a file's weights is valid only for these bytes in this state of the file.
TEST_F(KnownHashesTest, ThatWeightsAreNumbersIsRememberedLikeTheHash) {
  const std::string file = FileOf(13), hash = *Sha256OfPath(file);
  const auto read = [&](bool hash_all) {
    const auto known = std::make_shared<KnownHashes>(memory_, hash_all);
    ModelDirectoryOptions options;
    options.known_hashes = known;
    const absl::Status status =
        (*ModelDirectory::Open(Folder(13), options))->ReadWeights("backbone").status();
    EXPECT_TRUE(known->Save().ok());
    return status;
  };
  EXPECT_FALSE(KnownHashes(memory_).HasFinite(file, hash));
  EXPECT_TRUE(read(false).ok());
  EXPECT_TRUE(KnownHashes(memory_).HasFinite(file, hash));
  EXPECT_TRUE(KnownHashes(memory_).Has(file, hash));
  EXPECT_FALSE(KnownHashes(memory_, /*hash_all=*/true).HasFinite(file, hash));
  EXPECT_FALSE(KnownHashes(memory_).HasFinite(file, std::string(64, '0')));
  EXPECT_FALSE(KnownHashes(memory_).HasFinite(FileOf(8), hash));
  EXPECT_TRUE(read(true).ok());
  Damage(13);
  EXPECT_FALSE(KnownHashes(memory_).HasFinite(file, hash));
  EXPECT_TRUE(absl::IsDataLoss(read(false)));
}

TEST_F(KnownHashesTest, ProcessesMayUseItTogether) {
  std::vector<pid_t> children;
  for (int i = 8; i < 12; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      const std::string hash = *Sha256OfPath(FileOf(i));
      bool is_whole = true;
      for (int round = 0; round < 10; ++round) {
        KnownHashes known(memory_);
        known.Add(FileOf(i), FileState(FileOf(i)), hash);
        is_whole =
            is_whole && known.Save().ok() && ReadText(memory_).rfind("unival hashes 1 ", 0) == 0;
      }
      _exit(is_whole ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  // An entry that was overwritten by another one is hashed once more; then all are cached.
  for (int i = 8; i < 12; ++i) Use(i);
  for (int i = 8; i < 12; ++i) EXPECT_EQ(Use(i), 0u) << i;
}

TEST_F(KnownHashesTest, FilesThatAreComparedAheadAreHashedOnceAndTheirErrorsAreKept) {
  Damage(12);
  const auto model = ModelDirectory::Open(Folder(12));
  ASSERT_TRUE(model.ok()) << model.status();
  const uint64_t before = Sha256::TotalBytes();
  (*model)->CheckAhead({"backbone", "modality.x", "no such component"});
  EXPECT_TRUE((*model)->ReadComponent("modality.x").ok());
  EXPECT_TRUE((*model)->ReadComponent("modality.x").ok());
  EXPECT_TRUE(absl::IsDataLoss((*model)->ReadComponent("backbone").status()));
  EXPECT_TRUE(absl::IsNotFound((*model)->ReadComponent("no such component").status()));
  EXPECT_LT(Sha256::TotalBytes() - before, 4 * kBytes);
}

}  // namespace
}  // namespace unival
