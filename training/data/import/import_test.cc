#include "training/data/import/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"
#include "training/data/files/test_files.h"
#include "training/data/read/source.h"

namespace unival {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ImportOptions Options(const std::string& dataset, const std::string& source,
                      const std::string& destination, const std::string& split = "all") {
  ImportOptions options;
  options.dataset = dataset;
  options.source = source;
  options.destination = destination;
  options.split = split;
  return options;
}

std::unique_ptr<Source> OpenTar(const std::string& path) {
  SourceOptions options;
  options.path = path;
  auto source = OpenSource(options);
  EXPECT_TRUE(source.ok()) << source.status();
  return source.ok() ? *std::move(source) : nullptr;
}

std::string Text(const TaskSample& sample, const std::string& column) {
  return std::get<std::string>(sample.fields.at(column));
}

TEST(ImportTest, PacksSpokenDigitsByOfficialSplit) {
  const std::string folder = NewFolder();
  for (const char* name : {"7_george_12", "0_jackson_3", "1_theo_4", "1_theo_5"}) {
    WriteText(folder + "/in/" + name + ".wav", name);
  }
  WriteText(folder + "/in/notes.txt", "ignored");
  const std::string tar = folder + "/out.tar";
  auto report = ImportDataset(Options("fsdd", folder + "/in", tar, "train"));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 2);
  const auto source = OpenTar(tar);
  const auto sample = source->Read(1);
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_EQ(sample->key, "out.tar:7_george_12");
  EXPECT_EQ(Text(*sample, "digit"), "seven");
  EXPECT_EQ(Text(*sample, "speaker"), "george");
  EXPECT_EQ(*std::get<MediaSource>(sample->fields.at("audio")).bytes, "7_george_12");
  EXPECT_EQ(ImportDataset(Options("fsdd", folder + "/in", tar, "test"))->samples, 2);
  EXPECT_EQ(ImportDataset(Options("fsdd", folder + "/in", tar))->samples, 4);
}

TEST(ImportTest, PacksCifarAsPngWithClassAndCaption) {
  const std::string folder = NewFolder();
  std::string records;
  for (const char label : {0, 3}) records += label + std::string(3 * 1024, '\x40');
  WriteText(folder + "/in/data_batch_1.bin", records);
  WriteText(folder + "/in/test_batch.bin", records.substr(0, 3073));
  const std::string tar = folder + "/out.tar";
  auto report = ImportDataset(Options("cifar10", folder + "/in", tar, "train"));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 2);
  const auto sample = OpenTar(tar)->Read(0);
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_EQ(Text(*sample, "class"), "airplane");
  EXPECT_EQ(Text(*sample, "caption"), "a photo of an airplane");
  EXPECT_THAT(*std::get<MediaSource>(sample->fields.at("image")).bytes, HasSubstr("PNG"));
  EXPECT_EQ(ImportDataset(Options("cifar10", folder + "/in", tar, "test"))->samples, 1);
}

TEST(ImportTest, PacksAFolderPerClass) {
  const std::string folder = NewFolder();
  WriteText(folder + "/in/garden_gnome/a.b.JPG", "jpeg");
  WriteText(folder + "/in/owl/1.jpg", "jpeg");
  const std::string tar = folder + "/out.tar";
  auto report = ImportDataset(Options("folder", folder + "/in", tar));
  ASSERT_TRUE(report.ok()) << report.status();
  const auto sample = OpenTar(tar)->Read(0);
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_EQ(sample->key, "out.tar:garden_gnome/a_b");
  EXPECT_EQ(Text(*sample, "class"), "garden gnome");
  EXPECT_EQ(Text(*OpenTar(tar)->Read(1), "caption"), "a photo of an owl");
}

TEST(ImportTest, AFolderAsPeopleHaveIt) {
  const std::string folder = NewFolder(), in = folder + "/in", tar = folder + "/out.tar";
  for (const char* junk : {".ipynb_checkpoints/1.png", "bär/._1.png", "bär/.DS_Store",
                           "bär/Thumbs.db", "bär/README.md", ".DS_Store", "notes.txt"}) {
    WriteText(absl::StrCat(in, "/", junk), "junk");
  }
  for (const char* media :
       {"bär/1.jpg", "bär/1.png", "bär/a.b.png", "bär/a_b.png", "日本/Å.png", "\xff\xfe/1.png"}) {
    WriteText(absl::StrCat(in, "/", media), media);
  }
  const auto report = ImportDataset(Options("folder", in, tar));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 6);
  const auto source = OpenTar(tar);
  ASSERT_NE(source, nullptr);
  ASSERT_EQ(source->size(), 6);
  std::vector<std::string> keys, bytes, classes;
  for (int64_t i = 0; i < 6; ++i) {
    const auto sample = source->Read(i);
    ASSERT_TRUE(sample.ok()) << sample.status();
    keys.push_back(sample->key);
    classes.push_back(Text(*sample, "class"));
    bytes.push_back(*std::get<MediaSource>(sample->fields.at("image")).bytes);
  }
  EXPECT_THAT(keys, ElementsAre("out.tar:bär/1", "out.tar:bär/1-2", "out.tar:bär/a_b",
                                "out.tar:bär/a_b-2", "out.tar:日本/Å", "out.tar:%ff%fe/1"));
  EXPECT_THAT(bytes, ElementsAre("bär/1.jpg", "bär/1.png", "bär/a.b.png", "bär/a_b.png",
                                 "日本/Å.png", "\xff\xfe/1.png"));
  EXPECT_EQ(classes[0], "bär");
  EXPECT_EQ(classes[5], "\xef\xbf\xbd\xef\xbf\xbd") << "bytes that are no UTF-8 are replaced";
}

// Nothing of what they lead to is read: the shard is the same as without them.
TEST(ImportTest, LinksThatLeadOutOfTheFolderAreSkippedByName) {
  const std::string folder = NewFolder();
  WriteText(folder + "/secret.txt", "secret");
  WriteText(folder + "/in/owl/1.jpg", "jpeg");
  WriteText(folder + "/elsewhere/2.jpg", "jpeg");
  const std::string tar = folder + "/out.tar";
  const std::pair<const char*, const char*> links[] = {{"secret.txt", "in/owl/2.jpg"},
                                                       {"elsewhere", "in/cat"}};
  for (const auto& [to, from] : links) {
    std::filesystem::create_symlink(folder + "/" + to, folder + "/" + from);
    const auto report = ImportDataset(Options("folder", folder + "/in", tar));
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->samples, 1) << from;
    EXPECT_THAT(
        report->skipped,
        ElementsAre(HasSubstr(absl::StrCat(from, ": a link that leads out of its folder"))));
    EXPECT_EQ(ReadText(tar).find("secret"), std::string::npos) << from;
    // A folder that is read as it is has nobody to name them to.
    SourceOptions source;
    source.path = folder + "/in";
    EXPECT_THAT(std::string(OpenSource(source).status().message()), HasSubstr("leads out")) << from;
    std::filesystem::remove(folder + "/" + from);
  }
  std::filesystem::remove(folder + "/in/owl/1.jpg");
  std::filesystem::create_symlink(folder + "/elsewhere/2.jpg", folder + "/in/owl/2.jpg");
  EXPECT_THAT(std::string(ImportDataset(Options("folder", folder + "/in", tar)).status().message()),
              HasSubstr("owl/2.jpg: a link that leads out of its folder"));
}

TEST(ImportTest, AFileThatIsNoMediaIsNamed) {
  const std::string folder = NewFolder();
  WriteText(folder + "/in/cat/1.png", "x");
  WriteText(folder + "/in/cat/labels.csv", "x");
  EXPECT_THAT(
      std::string(
          ImportDataset(Options("folder", folder + "/in", folder + "/out.tar")).status().message()),
      HasSubstr("cat/labels.csv: expected a picture, a sound or a video"));
}

TEST(ImportTest, WhatIsNoFileIsSkippedByName) {
  const std::string folder = NewFolder();
  WriteText(folder + "/in/owl/1.jpg", "x");
  WriteText(folder + "/in/owl/more/2.jpg", "x");
  ASSERT_EQ(mkfifo((folder + "/in/owl/3.jpg").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo((folder + "/in/pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink(folder + "/gone", folder + "/in/owl/4.jpg");
  const auto report = ImportDataset(Options("folder", folder + "/in", folder + "/out.tar"));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 1);
  EXPECT_THAT(report->skipped, ElementsAre(folder + "/in/owl/3.jpg: a named pipe",
                                           folder + "/in/owl/4.jpg: a link to nothing",
                                           folder + "/in/owl/more: a folder where files are read",
                                           folder + "/in/pipe: a named pipe"));
}

TEST(ImportTest, TheShardDoesNotLieAmongTheFilesOfAClass) {
  const std::string folder = NewFolder();
  WriteText(folder + "/in/owl/1.jpg", "x");
  const auto among = ImportDataset(Options("folder", folder + "/in", folder + "/in/owl/out.tar"));
  EXPECT_THAT(std::string(among.status().message()), HasSubstr("lies in the folder of a class"));
  for (const char* left : {"/in/owl/out.tar", "/in/owl/out.tar.tmp"})
    EXPECT_FALSE(std::filesystem::exists(folder + left));
  EXPECT_TRUE(ImportDataset(Options("folder", folder + "/in", folder + "/in/out.tar")).ok());
}

TEST(ImportTest, BadInputIsNamedAndNothingIsWritten) {
  const std::string folder = NewFolder();
  WriteText(folder + "/digits/eleven.wav", "x");
  WriteText(folder + "/cifar/test_batch.bin", "short");
  std::filesystem::create_directories(folder + "/none");
  const struct {
    const char *dataset, *source, *split, *expected;
  } kCases[] = {{"fsdd", "/digits", "all", "eleven.wav: expected a name like"},
                {"cifar10", "/cifar", "all", "5 bytes are not a whole number of 3073"},
                {"folder", "/none", "all", "no samples"},
                {"folder", "/none", "train", "a folder has no splits"},
                {"fsdd", "/absent", "all", "absent"},
                {"fsdd", "/digits", "dev", "unknown split \"dev\""},
                {"coco", "/none", "all", "unknown data set \"coco\""}};
  for (const auto& c : kCases) {
    const auto report =
        ImportDataset(Options(c.dataset, folder + c.source, folder + "/out.tar", c.split));
    ASSERT_FALSE(report.ok()) << c.dataset;
    EXPECT_THAT(std::string(report.status().message()), HasSubstr(c.expected));
    EXPECT_FALSE(std::filesystem::exists(folder + "/out.tar"));
    EXPECT_FALSE(std::filesystem::exists(folder + "/out.tar.tmp"));
  }
}

}  // namespace
}  // namespace unival
