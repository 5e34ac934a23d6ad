// What lies in a model directory beside the model, and where it goes.
#include "backbone/storage/kept_files.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "backbone/storage/model_directory.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

Manifest ManifestOfText() {
  Manifest manifest;
  BaseBlocks blocks;
  blocks.text_size = 6;
  *manifest.mutable_vocabulary() = *BaseLayout(blocks);
  return manifest;
}

// Writes a model of these components, made from the models `parents`.
absl::Status WriteWith(const std::string& path, const std::vector<std::string>& components,
                       const std::vector<std::string>& parents = {}) {
  auto writer = ModelDirectoryWriter::Create(path, {/*overwrite=*/true});
  if (!writer.ok()) return writer.status();
  for (const std::string& id : components) {
    EXPECT_TRUE((*writer)->AddTensors(id, {{"w", at::full({3}, 1)}}).ok());
  }
  EXPECT_TRUE((*writer)->AddFolder("templates", {{"a.textproto", "a"}}).ok());
  for (const std::string& parent : parents) EXPECT_TRUE((*writer)->TakeNotices(parent).ok());
  return (*writer)->Commit(ManifestOfText());
}

TEST(KeptFiles, AModelThatIsReplacedLeavesWhatIsNotItsOwn) {
  const std::string folder = NewFolder(), path = folder + "/model";
  ASSERT_TRUE(WriteWith(path, {"backbone", "modality.old"}).ok());
  WriteText(path + "/MY_NOTES.md", "mine");
  WriteText(path + "/figures/loss.txt", "0.1");
  fs::create_directories(path + "/empty");
  fs::create_symlink("MY_NOTES.md", path + "/README.md");
  ASSERT_TRUE(WriteWith(path, {"backbone"}).ok());
  EXPECT_EQ(ReadText(path + "/MY_NOTES.md"), "mine");
  EXPECT_EQ(ReadText(path + "/figures/loss.txt"), "0.1");
  EXPECT_TRUE(fs::is_directory(path + "/empty"));
  EXPECT_TRUE(fs::is_symlink(path + "/README.md"));
  EXPECT_FALSE(fs::exists(path + "/modality.old.safetensors")) << "it was the old model's own";
  EXPECT_TRUE((*ModelDirectory::Open(path))->Verify().ok());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
}

TEST(KeptFiles, AManifestThatCannotBeReadOwnsNothing) {
  const std::string path = NewFolder() + "/model";
  ASSERT_TRUE(WriteWith(path, {"backbone", "modality.old"}).ok());
  WriteText(path + "/manifest.textproto", "no manifest {");
  ASSERT_TRUE(WriteWith(path, {"backbone"}).ok());
  EXPECT_TRUE(fs::exists(path + "/modality.old.safetensors"));
  EXPECT_TRUE((*ModelDirectory::Open(path))->Verify().ok());
}

TEST(KeptFiles, NothingIsAddedToAComponent) {
  const std::string path = NewFolder() + "/model";
  ASSERT_TRUE(WriteWith(path, {"backbone"}).ok());
  WriteText(path + "/templates/stray.textproto", "stray");
  ASSERT_TRUE(WriteWith(path, {"backbone"}).ok());
  EXPECT_FALSE(fs::exists(path + "/templates/stray.textproto"));
  EXPECT_TRUE((*ModelDirectory::Open(path))->Verify().ok());
}

TEST(KeptFiles, NoticesGoWithWhatIsMadeOfAModel) {
  const std::string folder = NewFolder(), a = folder + "/a", b = folder + "/b";
  ASSERT_TRUE(WriteWith(a, {"backbone"}).ok());
  ASSERT_TRUE(WriteWith(b, {"backbone"}).ok());
  WriteText(a + "/NOTICE.txt", "WordNet\n");
  WriteText(b + "/NOTICE.txt", "Intents\n");
  const std::string merged = folder + "/merged", again = folder + "/again";
  ASSERT_TRUE(WriteWith(merged, {"backbone"}, {a, b, a}).ok());
  EXPECT_EQ(ReadText(merged + "/NOTICE.txt"), "WordNet\n\nIntents\n");
  ASSERT_TRUE(WriteWith(again, {"backbone"}, {a, merged, b}).ok());
  EXPECT_EQ(ReadText(again + "/NOTICE.txt"), "WordNet\n\nIntents\n") << "each text once";
  const std::string plain = folder + "/plain";
  ASSERT_TRUE(WriteWith(plain, {"backbone"}).ok());
  EXPECT_FALSE(fs::exists(plain + "/NOTICE.txt"));
}

TEST(KeptFiles, ANoticeStaysWhereItsModelIsReplaced) {
  const std::string folder = NewFolder(), a = folder + "/a", b = folder + "/b";
  ASSERT_TRUE(WriteWith(a, {"backbone"}).ok());
  ASSERT_TRUE(WriteWith(b, {"backbone"}).ok());
  WriteText(a + "/NOTICE.txt", "WordNet\n");
  WriteText(b + "/NOTICE.txt", "mine\n");
  ASSERT_TRUE(WriteWith(b, {"backbone"}, {a}).ok());
  EXPECT_EQ(ReadText(b + "/NOTICE.txt"), "WordNet\n\nmine\n");
}

TEST(KeptFiles, ACopiedComponentBringsTheNoticesOfItsModel) {
  const std::string folder = NewFolder(), a = folder + "/a", b = folder + "/b";
  ASSERT_TRUE(WriteWith(a, {"backbone"}).ok());
  WriteText(a + "/NOTICE.txt", "WordNet\n");
  const auto from = ModelDirectory::Open(a).value();
  auto writer = ModelDirectoryWriter::Create(b).value();
  for (const std::string& id : from->ComponentIds())
    ASSERT_TRUE(writer->CopyComponent(*from, id).ok());
  ASSERT_TRUE(writer->Commit(from->manifest()).ok());
  EXPECT_EQ(ReadText(b + "/NOTICE.txt"), "WordNet\n");
}

TEST(KeptFiles, ANoticeThatLeadsOutOfItsModelIsNotRead) {
  const std::string folder = NewFolder(), a = folder + "/a";
  ASSERT_TRUE(WriteWith(a, {"backbone"}).ok());
  WriteText(folder + "/secret", "secret");
  fs::create_symlink("../secret", a + "/NOTICE.txt");
  std::vector<std::string> notices;
  EXPECT_EQ(AddNotices(a, &notices).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(notices.empty());
}

}  // namespace
}  // namespace unival
