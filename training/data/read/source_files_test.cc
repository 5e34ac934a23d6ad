// The kinds of files that a source accepts: packed files, several files, tables, folders, media
// roots.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"
#include "training/data/files/data_files.h"
#include "training/data/files/test_files.h"
#include "training/data/read/media_files.h"
#include "training/data/read/source.h"
#include "training/data/read/test_columns.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SourceOptions At(const std::string& path) {
  SourceOptions options;
  options.path = path;
  return options;
}

std::string Message(const SourceOptions& options) {
  const auto source = OpenSource(options);
  if (!source.ok()) return std::string(source.status().message());
  return std::string(AllColumns(**source).status().message());
}

// The texts of a column in all records; the error in place of them.
std::vector<std::string> Texts(const SourceOptions& options, const std::string& column) {
  const auto source = OpenSource(options);
  if (!source.ok()) return {std::string(source.status().message())};
  std::vector<std::string> texts;
  for (int64_t i = 0; i < (*source)->size(); ++i) {
    const auto sample = (*source)->Read(i);
    if (!sample.ok()) return {std::string(sample.status().message())};
    texts.push_back(std::get<std::string>(sample->fields.at(column)));
  }
  return texts;
}

MediaSource MediaOf(const SourceOptions& options, const std::string& column) {
  const auto source = OpenSource(options);
  EXPECT_TRUE(source.ok()) << source.status();
  const auto sample = (*source)->Read(0);
  EXPECT_TRUE(sample.ok()) << sample.status();
  return std::get<MediaSource>(sample->fields.at(column));
}

TEST(SourceFiles, AByteOrderMarkAndCarriageReturnsAreNoPartOfARecord) {
  const std::string path =
      WriteText(NewFolder() + "/a.jsonl", "\xef\xbb\xbf{\"a\": \"x\"}\r\n\r\n{\"a\": \"y\"}\r\n");
  EXPECT_THAT(Texts(At(path), "a"), ElementsAre("x", "y"));
}

TEST(SourceFiles, PackedJsonlAndTarsAreReadAsTheyWereBefore) {
  const std::string folder = NewFolder();
  std::string lines;
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&lines, "{\"a\": \"", i * 7919 % 1000, "\"}\n");
  const auto plain = Texts(At(WriteText(folder + "/a.jsonl", lines)), "a");
  ASSERT_EQ(plain.size(), 3000);
  EXPECT_EQ(Texts(At(WriteText(folder + "/a.jsonl.gz", Gzip(lines))), "a"), plain);
  EXPECT_EQ(Texts(At(WriteText(folder + "/a.jsonl.zst", Zstd(lines))), "a"), plain);
  // Several members and frames in one file, as programs that pack in parallel write them.
  const std::string head = lines.substr(0, 1000), tail = lines.substr(1000);
  EXPECT_EQ(Texts(At(WriteText(folder + "/b.jsonl.gz", Gzip(head) + Gzip(tail))), "a"), plain);
  EXPECT_EQ(Texts(At(WriteText(folder + "/b.jsonl.zst", Zstd(head) + Zstd(tail))), "a"), plain);
  const std::string tar = ReadText(WriteTar(folder + "/t.tar", {{"1.txt", "one"}, {"1.png", "x"}}));
  EXPECT_THAT(Texts(At(WriteText(folder + "/t.tar.gz", Gzip(tar))), "text"), ElementsAre("one"));
  EXPECT_THAT(Texts(At(WriteText(folder + "/t.tgz", Gzip(tar))), "text"), ElementsAre("one"));
  EXPECT_THAT(Texts(At(WriteText(folder + "/t.tar.zst", Zstd(tar))), "text"), ElementsAre("one"));
  EXPECT_EQ(OpenSource(At(folder + "/a.jsonl")).value()->fingerprint(),
            OpenSource(At(folder + "/a.jsonl.zst")).value()->fingerprint());
  // Nothing is left beside the files.
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 9);
}

TEST(SourceFiles, DamagedPackedFilesAreNamed) {
  const std::string folder = NewFolder(), lines(100000, ' ');
  const std::string records = "{\"a\": \"x\"}\n" + lines + "\n";
  for (const bool is_gzip : {true, false}) {
    const std::string good = is_gzip ? Gzip(records) : Zstd(records);
    const std::string path = absl::StrCat(folder, "/a.jsonl.", is_gzip ? "gz" : "zst");
    WriteText(path, good.substr(0, good.size() - 3));
    EXPECT_THAT(Message(At(path)), HasSubstr("damaged")) << path;
    std::string wrong = good;
    wrong[good.size() / 2] = static_cast<char>(wrong[good.size() / 2] ^ 0x55);
    if (is_gzip) wrong[good.size() - 6] = static_cast<char>(wrong[good.size() - 6] ^ 0x55);
    WriteText(path, wrong);
    EXPECT_THAT(Message(At(path)), HasSubstr(path + ": damaged")) << path;
  }
}

TEST(SourceFiles, AFileThatUnpacksToFarTooMuchIsRefused) {
  const std::string path = NewFolder() + "/bomb.jsonl.zst";
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  const std::string piece(1 << 20, ' ');
  std::string packed(1 << 20, '\0');
  ZSTD_outBuffer out = {&packed[0], packed.size(), 0};
  for (int i = 0; i < 300; ++i) {
    ZSTD_inBuffer in = {piece.data(), piece.size(), 0};
    ZSTD_compressStream2(context, &out, &in, i == 299 ? ZSTD_e_end : ZSTD_e_continue);
  }
  ZSTD_freeCCtx(context);
  WriteText(path, packed.substr(0, out.pos));
  EXPECT_THAT(Message(At(path)), HasSubstr("unpacks to more than 268435456 bytes"));
}

TEST(SourceFiles, OnePathMayMeanManyFiles) {
  const std::string folder = NewFolder();
  for (const char* name : {"s-08", "s-09", "s-10", "other"}) {
    WriteText(absl::StrCat(folder, "/", name, ".jsonl"),
              absl::StrCat("{\"a\": \"", name, ".1\"}\n{\"a\": \"", name, ".2\"}\n"));
  }
  EXPECT_THAT(Texts(At(folder + "/s-{08..10}.jsonl"), "a"),
              ElementsAre("s-08.1", "s-08.2", "s-09.1", "s-09.2", "s-10.1", "s-10.2"));
  EXPECT_THAT(Texts(At(folder + "/{other,s-09}.jsonl"), "a"),
              ElementsAre("other.1", "other.2", "s-09.1", "s-09.2"));
  EXPECT_THAT(Texts(At(folder + "/s-0?.jsonl"), "a"),
              ElementsAre("s-08.1", "s-08.2", "s-09.1", "s-09.2"));
  SourceOptions some = At(folder + "/*.jsonl");
  some.limit = 3;
  EXPECT_THAT(Texts(some, "a"), ElementsAre("other.1", "other.2", "s-08.1"));
  some.limit = 0;
  some.keep = {{"a", "s-09.2"}};
  EXPECT_THAT(Texts(some, "a"), ElementsAre("s-09.2"));
  const auto all = OpenSource(At(folder + "/s-{08..10}.jsonl"));
  EXPECT_EQ((*all)->Read(3)->key, "s-09.jsonl:2");
  EXPECT_TRUE(absl::IsOutOfRange((*all)->Read(6).status()));
  const std::string before = (*all)->fingerprint();
  WriteText(folder + "/s-10.jsonl", "{\"a\": \"new\"}\n");
  EXPECT_NE(OpenSource(At(folder + "/s-{08..10}.jsonl")).value()->fingerprint(), before);
}

TEST(SourceFiles, PathsThatMeanNoFileAreNamed) {
  const std::string folder = NewFolder();
  WriteText(folder + "/s-0.jsonl", "{}\n");
  EXPECT_THAT(Message(At(folder + "/s-{0..2}.jsonl")), HasSubstr("/s-1.jsonl: no such file"));
  EXPECT_THAT(Message(At(folder + "/*.tar")), HasSubstr("/*.tar: no file fits"));
  EXPECT_THAT(Message(At(folder + "/s-{2..0}.jsonl")), HasSubstr("expected {FIRST..LAST}"));
  EXPECT_THAT(Message(At(folder + "/s-{x}.jsonl")), HasSubstr("expected {FIRST..LAST}"));
  EXPECT_THAT(Message(At(folder + "/s-{0..99999999999}.jsonl")), HasSubstr("at most 100000"));
  EXPECT_THAT(Message(At(folder + "/{0..999}{0..999}.jsonl")), HasSubstr("at most 100000"));
}

// Of a megabyte each: what could be made of them is not.
TEST(SourceFiles, PathsThatWouldMeanTooMuchAreRefusedAtOnce) {
  const auto repeated = [](const std::string& text, size_t bytes) {
    std::string all;
    while (all.size() < bytes) all += text;
    return all;
  };
  constexpr size_t kMany = 1 << 20, kSome = 200 << 10;
  for (const std::string& path :
       {repeated("{0..0}", kMany), repeated("{a,b}", kMany), repeated("{", kMany),
        repeated("*", kMany), repeated("[", kMany), "{" + repeated("a,", kMany) + "}",
        "{" + repeated("0", kMany) + "..99999}", repeated("a", kMany) + "{0..99999}"}) {
    const std::string message = Message(At(path));
    EXPECT_THAT(message, HasSubstr("expected a path of at most 256 KiB, got 1"));
    EXPECT_LT(message.size(), 1000u);
  }
  for (const std::string& path :
       {repeated("{0..0}", kSome), "{" + repeated("0", kSome) + "..99999}",
        repeated("a", kSome) + "{0..99999}", repeated("*", kSome)}) {
    const std::string message = Message(At(path));
    EXPECT_THAT(message, HasSubstr("expected names of at most 4095 bytes"));
    EXPECT_LT(message.size(), 1000u);
  }
  EXPECT_THAT(Message(At(repeated("a", 4000) + "{0..99999}")), HasSubstr("64 MiB together"));
  EXPECT_THAT(Message(At(repeated("{a,b}", kSome))), HasSubstr("at most 100000"));
  // A long list of short names is fine.
  const std::string folder = NewFolder();
  WriteText(folder + "/a.jsonl", "{\"a\": \"x\"}\n");
  std::string list = "a";
  for (int i = 0; i < 20000; ++i) list += ",a";
  EXPECT_EQ(ExpandDataPath(folder + "/{" + list + "}.jsonl").value().size(), 20001u);
}

TEST(SourceFiles, AFileUnderTheVeryNameIsMeantByItself) {
  const std::string folder = NewFolder();
  WriteText(folder + "/a[1]{b}.jsonl", "{\"a\": \"x\"}\n");
  EXPECT_THAT(Texts(At(folder + "/a[1]{b}.jsonl"), "a"), ElementsAre("x"));
}

TEST(SourceFiles, FilesOfOneNameInTwoFoldersHaveKeysOfTheirOwn) {
  const std::string folder = NewFolder();
  WriteText(folder + "/a/x.jsonl", "{}\n");
  WriteText(folder + "/b/x.jsonl", "{}\n");
  const auto source = OpenSource(At(folder + "/{a,b}/x.jsonl"));
  EXPECT_EQ((*source)->Read(1)->key, folder + "/b/x.jsonl:1");
}

TEST(SourceFiles, TheReferencesTableHasPicturesInBase64OrByPath) {
  const std::string folder = NewFolder(), picture(200, '\xfe');
  WriteText(folder + "/p/7.png", "png");
  WriteText(folder + "/a.tsv", absl::StrCat("7\t", absl::WebSafeBase64Escape(picture),
                                            "\ta b\t\r\n", "8\tp/7.png\tc, 2\t3.5,10,21,29\n"));
  SourceOptions options = At(folder + "/a.tsv");
  options.columns = {{"image", "1"}, {"caption", "2"}};
  EXPECT_EQ(*MediaOf(options, "image").bytes, picture);
  EXPECT_THAT(Texts(options, "caption"), ElementsAre("a b", "c, 2"));
  const auto sample = OpenSource(options).value()->Read(1);
  EXPECT_EQ(std::get<MediaSource>(sample->fields.at("image")).path, folder + "/p/7.png");
  EXPECT_THAT(std::get<std::vector<double>>(sample->fields.at("3")), ElementsAre(3.5, 10, 21, 29));
  EXPECT_EQ(std::get<std::string>(sample->fields.at("0")), "8");
  // A field that is empty is one, also at the end of a line.
  EXPECT_EQ(std::get<std::string>(OpenSource(options).value()->Read(0)->fields.at("3")), "");
  options.columns = {{"image", "9"}};
  EXPECT_THAT(Message(options), HasSubstr("a.tsv:1: column \"9\" (mapped to \"image\") is absent"));
}

TEST(SourceFiles, AFolderOfClassesIsASource) {
  const std::string folder = NewFolder();
  WriteText(folder + "/in/garden_gnome/1.JPG", "jpeg");
  WriteText(folder + "/in/owl/1.wav", "sound");
  WriteText(folder + "/in/owl/README.md", "about");
  WriteText(folder + "/in/.DS_Store", "");
  EXPECT_THAT(Texts(At(folder + "/in"), "caption"),
              ElementsAre("a photo of a garden gnome", "a photo of an owl"));
  EXPECT_THAT(Texts(At(folder + "/in"), "class"), ElementsAre("garden gnome", "owl"));
  EXPECT_EQ(MediaOf(At(folder + "/in"), "image").path, folder + "/in/garden_gnome/1.JPG");
  const std::string before = OpenSource(At(folder + "/in")).value()->fingerprint();
  WriteText(folder + "/in/owl/1.wav", "longer sound");
  EXPECT_NE(OpenSource(At(folder + "/in")).value()->fingerprint(), before);
  fs::create_directories(folder + "/none");
  EXPECT_THAT(Message(At(folder + "/none")), HasSubstr("a folder without media"));
  WriteText(folder + "/in/owl/labels.csv", "x");
  EXPECT_THAT(Message(At(folder + "/in")), HasSubstr("owl/labels.csv: expected a picture"));
}

TEST(SourceFiles, OneRecordMayCombineMediaRoots) {
  const std::string folder = NewFolder();
  WriteText(folder + "/coco/train2014/7.jpg", "photo");
  fs::create_directories(folder + "/sounds");
  WriteTar(folder + "/sounds/shard.tar", {{"7.wav", "sound"}});
  SourceOptions options =
      At(WriteText(folder + "/lists/a.jsonl",
                   "{\"image\": \"coco:train2014/7.jpg\", \"audio\": \"fsd:shard.tar:7.wav\"}\n"));
  EXPECT_THAT(Message(options), HasSubstr("--media_root fsd=FOLDER"));
  options.media_roots = {{"coco", folder + "/coco"}, {"fsd", folder + "/sounds"}};
  EXPECT_EQ(MediaOf(options, "image").path, folder + "/coco/train2014/7.jpg");
  EXPECT_EQ(*MediaOf(options, "audio").bytes, "sound");
  const std::string before = OpenSource(options).value()->fingerprint();
  WriteTar(folder + "/sounds/shard.tar", {{"7.wav", "other"}});
  EXPECT_NE(OpenSource(options).value()->fingerprint(), before);
}

TEST(SourceFiles, NothingOutsideAMediaRootIsRead) {
  const std::string folder = NewFolder();
  WriteText(folder + "/secret.png", "secret");
  WriteText(folder + "/coco/own.png", "own");
  fs::create_symlink("../secret.png", folder + "/coco/link.png");
  fs::create_directory_symlink("/", folder + "/coco/any");
  fs::create_symlink("own.png", folder + "/coco/inside.png");
  const auto message = [&](const std::string& path) {
    SourceOptions options =
        At(WriteText(folder + "/a/a.jsonl", absl::StrCat("{\"image\": \"", path, "\"}\n")));
    options.media_roots = {{"coco", folder + "/coco"}};
    return Message(options);
  };
  EXPECT_THAT(message("coco:../secret.png"), HasSubstr("leaves its folder"));
  EXPECT_THAT(message("coco:/etc/hostname"), HasSubstr("is absolute"));
  EXPECT_THAT(message("coco:link.png"), HasSubstr("leads out of the folder"));
  EXPECT_THAT(message("coco:any/etc/hostname"), HasSubstr("leads out of the folder"));
  EXPECT_THAT(message("coco:"), HasSubstr("is empty"));
  EXPECT_THAT(message("coco:inside.png"), IsEmpty());
}

// Standard input while it lives.
class Input {
 public:
  explicit Input(const std::string& text) : before_(dup(STDIN_FILENO)) {
    const int file = open(WriteText(NewFolder("input") + "/in", text).c_str(), O_RDONLY);
    dup2(file, STDIN_FILENO);
    close(file);
  }
  ~Input() {
    dup2(before_, STDIN_FILENO);
    close(before_);
  }

 private:
  const int before_;
};

TEST(SourceFiles, StandardInputIsASource) {
  const std::string folder = NewFolder("elsewhere");
  {
    const Input input("{\"a\": \"x\"}\n{\"a\": \"y\"}\n");
    EXPECT_THAT(Texts(At("-"), "a"), ElementsAre("x", "y"));
  }
  {
    const Input input(
        Gzip(ReadText(WriteTar(folder + "/t.tar", {{"1.txt", "t"}, {"1.png", "x"}}))));
    EXPECT_THAT(Texts(At("-"), "text"), ElementsAre("t"));
  }
  {
    const Input input("1\tx\n2\ty\n");
    EXPECT_THAT(Texts(At("-"), "1"), ElementsAre("x", "y"));
  }
  const Input input("");
  EXPECT_THAT(Message(At("-")),
              HasSubstr("standard input: expected JSONL, TSV or a tar, got nothing"));
}

TEST(MediaFormats, TarsAndFoldersTellMediaByTheirExtensions) {
  const std::string folder = NewFolder();
  const auto source = OpenSource(At(WriteTar(
      folder + "/a.tar",
      {{"1.TIFF", "x"}, {"2.gif", "x"}, {"3.avif", "x"}, {"4.opus", "x"}, {"5.m4v", "x"}})));
  ASSERT_TRUE(source.ok()) << source.status();
  ASSERT_EQ((*source)->size(), 5);
  const std::vector<std::string> columns = {"image", "image", "image", "audio", "video"};
  for (int64_t i = 0; i < 5; ++i) EXPECT_EQ((*source)->Read(i)->fields.count(columns[i]), 1u) << i;
  for (const char* name : {"cat/1.tif", "cat/2.gif", "dog/1.avif", "dog/2.jfif", "dog/3.bmp"})
    WriteText(folder + "/classes/" + name, "x");
  EXPECT_THAT(Texts(At(folder + "/classes"), "class"),
              ElementsAre("cat", "cat", "dog", "dog", "dog"));
}

TEST(MediaFormats, OfTwoPicturesInASampleTheAskedExtensionIsTaken) {
  SourceOptions options = At(WriteTar(NewFolder() + "/a.tar", {{"1.jpg", "a"}, {"1.tif", "bb"}}));
  EXPECT_THAT(Message(options), HasSubstr("--column image=EXTENSION says which"));
  options.needed = {"image"};
  options.columns = {{"image", "tif"}};
  const auto source = OpenSource(options);
  ASSERT_TRUE(source.ok()) << source.status();
  const auto sample = (*source)->Read(0);
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_EQ(*std::get<MediaSource>(sample->fields.at("image")).bytes, "bb");
}

TEST(MediaFiles, OfAFolderLeavesOutOtherFilesAndNamesThem) {
  const std::string folder = NewFolder();
  for (const char* name : {"y.png", "z.tif", "in/z2.gif", "x.avif", "v.mp4", "a.doc", "in/b.xcf",
                           "c", "README.md", ".hidden.png"})
    WriteText(folder + "/" + name, "x");
  const auto found = ExpandMediaPath(folder, "image");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->paths, ElementsAre(folder + "/in/z2.gif", folder + "/x.avif",
                                        folder + "/y.png", folder + "/z.tif"));
  EXPECT_THAT(found->remarks,
              ElementsAre(folder + ": 4 files left out, without an extension of modality " +
                          "\"image\": a.doc, c, in/b.xcf, ..."));
  EXPECT_EQ(ExpandMediaPath(folder, "sensor")->paths.size(), 8u);
  EXPECT_THAT(ExpandMediaPath(folder, "sensor")->remarks, IsEmpty());
  const absl::Status none = ExpandMediaPath(folder, "audio").status();
  EXPECT_TRUE(absl::IsNotFound(none));
  EXPECT_THAT(std::string(none.message()), HasSubstr("8 files left out"));
}

TEST(MediaColumns, AreTheTasksAloneWhereThereIsOne) {
  SourceOptions options = At(WriteText(NewFolder() + "/a.jsonl",
                                       "{\"depth\": 3.5, \"video\": \"a title\", \"n\": 1}\n"
                                       "{\"depth\": 4, \"video\": \"a title\", \"n\": 2}\n"));
  EXPECT_THAT(Message(options), HasSubstr("column \"depth\": expected the path of a media file"));
  options.usual_media = false;
  options.keep = {{"depth", "4"}};
  const auto source = OpenSource(options);
  ASSERT_TRUE(source.ok()) << source.status();
  ASSERT_EQ((*source)->size(), 1);
  const auto sample = (*source)->Read(0);
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_EQ(std::get<double>(sample->fields.at("depth")), 4);
  EXPECT_EQ(std::get<std::string>(sample->fields.at("video")), "a title");
}

}  // namespace
}  // namespace unival
