#include "training/data/read/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sdk/base/test_files.h"
#include "training/data/files/test_files.h"
#include "training/data/read/on_demand_source.h"
#include "training/data/read/test_columns.h"

namespace unival {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<Source> Open(SourceOptions options) {
  auto source = OpenSource(options);
  EXPECT_TRUE(source.ok()) << source.status();
  return source.ok() ? *std::move(source) : nullptr;
}

SourceOptions At(const std::string& path) {
  SourceOptions options;
  options.path = path;
  return options;
}

template <typename T>
T Get(const TaskSample& sample, const std::string& column) {
  return std::get<T>(sample.fields.at(column));
}

TEST(SourceTest, ReadsEveryKindOfJsonValue) {
  const auto source = Open(At(WriteText(
      NewFolder() + "/a.jsonl",
      "{\"caption\": \"Ein Bär\", \"width\": 64, \"box\": [1, 2.5, 3, 4], \"answers\": [\"a\", "
      "\"b\"], \"none\": null, \"held_out\": true, \"empty\": []}\n")));
  ASSERT_NE(source, nullptr);
  const auto sample = source->Read(0);
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_EQ(sample->key, "a.jsonl:1");
  EXPECT_EQ(Get<std::string>(*sample, "caption"), "Ein Bär");
  EXPECT_EQ(Get<double>(*sample, "width"), 64);
  EXPECT_THAT(Get<std::vector<double>>(*sample, "box"), ElementsAre(1, 2.5, 3, 4));
  EXPECT_THAT(Get<std::vector<std::string>>(*sample, "answers"), ElementsAre("a", "b"));
  EXPECT_EQ(Get<std::string>(*sample, "held_out"), "yes");
  EXPECT_TRUE(Get<std::vector<std::string>>(*sample, "empty").empty());
  EXPECT_EQ(sample->fields.count("none"), 0u);
}

TEST(SourceTest, SkipsBlankLinesAndKeysNameTheLine) {
  const auto source =
      Open(At(WriteText(NewFolder() + "/a.jsonl", "{\"a\": 1}\n\n  \r\n{\"a\": 2}\r\n{\"a\": 3}")));
  ASSERT_EQ(source->size(), 3);
  EXPECT_EQ(source->Read(1)->key, "a.jsonl:4");
  EXPECT_EQ(source->Read(2)->key, "a.jsonl:5");
}

TEST(SourceTest, MediaPathsAreRelativeToTheFile) {
  const std::string folder = NewFolder();
  WriteText(folder + "/media/1.png", "png bytes");
  WriteTar(folder + "/images.tar", {{"2.png", "more bytes"}});
  const auto source = Open(At(WriteText(folder + "/a.jsonl",
                                        "{\"image\": \"media/1.png\"}\n"
                                        "{\"image\": \"images.tar:2.png\"}\n")));
  const auto file = Get<MediaSource>(*source->Read(0), "image");
  EXPECT_EQ(file.path, folder + "/media/1.png");
  EXPECT_EQ(file.bytes, nullptr);
  const auto member = Get<MediaSource>(*source->Read(1), "image");
  EXPECT_EQ(member.name, "images.tar:2.png");
  EXPECT_EQ(*member.bytes, "more bytes");
}

TEST(SourceTest, ColumnsCanBeRenamedAndPluginsHaveMediaColumnsOfTheirOwn) {
  const std::string folder = NewFolder();
  WriteText(folder + "/t.bin", "x");
  SourceOptions options =
      At(WriteText(folder + "/a.jsonl", "{\"heat\": \"t.bin\", \"text\": \"hello\"}\n"));
  options.columns = {{"thermal", "heat"}, {"caption", "text"}};
  options.media_columns = {"thermal"};
  const auto source = Open(options);
  const auto sample = source->Read(0);
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_EQ(Get<MediaSource>(*sample, "thermal").path, folder + "/t.bin");
  EXPECT_EQ(Get<std::string>(*sample, "caption"), "hello");
  EXPECT_THAT(*SourceColumns(*source), ElementsAre("caption", "thermal"));
}

TEST(SourceTest, AColumnThatAMetricReadsKeepsItsOwnName) {
  const std::string folder = NewFolder();
  SourceOptions options =
      At(WriteText(folder + "/a.jsonl", "{\"sentence\": \"s\", \"things\": [\"dog\"]}\n"));
  options.columns = {{"group", "sentence"}, {"objects", "things"}, {"kind", "sentence"}};
  options.needed = {"sentence"};
  const auto sample = Open(options)->Read(0);
  ASSERT_TRUE(sample.ok()) << sample.status();
  for (const char* column : {"sentence", "group", "kind"})
    EXPECT_EQ(Get<std::string>(*sample, column), "s") << column;
  EXPECT_THAT(Get<std::vector<std::string>>(*sample, "objects"), ElementsAre("dog"));
  // Under its own name another one may stand, which was asked for; and the task may move it.
  options = At(WriteText(folder + "/b.jsonl", "{\"sentence\": \"s\", \"text\": \"t\"}\n"));
  options.columns = {{"group", "sentence"}, {"sentence", "text"}};
  EXPECT_EQ(Get<std::string>(*Open(options)->Read(0), "sentence"), "t");
  options.columns = {{"group", "sentence"}, {"question", "sentence"}};
  EXPECT_THAT(*SourceColumns(*Open(options)), ElementsAre("group", "question", "text"));
}

TEST(SourceTest, LimitTakesTheFirstRecords) {
  SourceOptions options =
      At(WriteText(NewFolder() + "/a.jsonl", "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"));
  options.limit = 2;
  EXPECT_EQ(Open(options)->size(), 2);
}

TEST(SourceTest, KeepAndDropChooseRecordsByTheirColumns) {
  SourceOptions options = At(WriteText(NewFolder() + "/a.jsonl",
                                       "{\"who\":\"ann\",\"n\":1}\n{\"who\":\"bob\",\"n\":1}\n"
                                       "{\"who\":\"ann\",\"n\":2}\n{\"who\":\"cid\",\"n\":1}\n"));
  options.drop = {{"who", "ann"}};
  EXPECT_EQ(Open(options)->size(), 2);
  EXPECT_EQ(Get<std::string>(*Open(options)->Read(0), "who"), "bob");
  options.drop.clear();
  options.keep = {{"who", "ann"}, {"n", "2"}};
  EXPECT_EQ(Open(options)->size(), 1);
  EXPECT_NE(Open(options)->fingerprint(), Open(At(options.path))->fingerprint());
  options.keep = {{"n", "1"}};
  options.limit = 2;
  EXPECT_EQ(Open(options)->size(), 2);
  options.keep = {{"who", "dan"}};
  const auto nobody = OpenSource(options);
  EXPECT_THAT(std::string(nobody.status().message()),
              HasSubstr("none of its 4 records fits keep {who=dan}"));
}

TEST(SourceTest, KeepAndDropTellLongNumbersApart) {
  SourceOptions options = At(WriteText(
      NewFolder() + "/a.jsonl", "{\"id\":1234567}\n{\"id\":1234568}\n{\"id\":0.12345678}\n"));
  options.keep = {{"id", "1234568"}};
  ASSERT_EQ(Open(options)->size(), 1);
  EXPECT_EQ(Get<double>(*Open(options)->Read(0), "id"), 1234568);
  options.keep = {{"id", "0.12345678"}};
  EXPECT_EQ(Open(options)->size(), 1);
}

TEST(SourceTest, KeepAndDropSpeakOfTheRecordsOwnColumns) {
  SourceOptions options =
      At(WriteText(NewFolder() + "/a.jsonl", "{\"who\":\"ann\"}\n{\"who\":\"bob\"}\n"));
  options.columns = {{"speaker", "who"}};
  options.drop = {{"who", "ann"}};
  const auto source = Open(options);
  ASSERT_NE(source, nullptr);
  ASSERT_EQ(source->size(), 1);
  EXPECT_EQ(Get<std::string>(*source->Read(0), "speaker"), "bob");
}

TEST(SourceTest, ARuleThatCannotDoWhatItSaysIsAnError) {
  SourceOptions options =
      At(WriteText(NewFolder() + "/a.jsonl", "{\"who\":\"ann\"}\n{\"who\":\"bob\"}\n"));
  const auto message = [&] { return std::string(OpenSource(options).status().message()); };
  options.drop = {{"speaker", "ann"}};
  EXPECT_THAT(message(),
              HasSubstr("got \"speaker\", which none of the 2 has (the first has: who)"));
  options.drop = {{"who", "Ann"}};
  EXPECT_THAT(message(), HasSubstr("got none of 2 with who=Ann"));
  options.drop.clear();
  options.keep = {{"speaker", "ann"}};
  EXPECT_THAT(message(), HasSubstr("got \"speaker\""));
  // A rule that is met only beyond the limit is no error.
  options.keep.clear();
  options.drop = {{"who", "bob"}};
  options.limit = 1;
  EXPECT_EQ(Open(options)->size(), 1);
}

TEST(SourceTest, MissingMediaCanBeLeftToTheDecoder) {
  const std::string folder = NewFolder();
  WriteTar(folder + "/some.tar", {{"y.png", "1"}});
  SourceOptions options = At(WriteText(folder + "/a.jsonl",
                                       "{\"image\": \"x.png\"}\n{\"image\": \"some.tar:x.png\"}\n"
                                       "{\"image\": \"none.tar:x.png\"}\n"));
  options.missing_media = true;
  const auto source = Open(options);
  for (int64_t i = 0; i < 3; ++i) ASSERT_TRUE(source->Read(i).ok()) << source->Read(i).status();
  EXPECT_EQ(Get<MediaSource>(*source->Read(0), "image").path, folder + "/x.png");
  EXPECT_EQ(Get<MediaSource>(*source->Read(1), "image").path, folder + "/some.tar:x.png");
  EXPECT_EQ(Get<MediaSource>(*source->Read(2), "image").bytes, nullptr);
}

TEST(SourceTest, BadRecordsAreNamedByFileAndLine) {
  const struct {
    const char* line;
    const char* expected;
  } kCases[] = {
      {"{\"a\": 1", "parse error at column"},
      {"[1, 2]", "expected a JSON object, got array"},
      {"{\"a\": {\"b\": 1}}", "column \"a\": nested objects"},
      {"{\"a\": [1, \"b\"]}", "column \"a\": a list must hold numbers only or strings only"},
      {"{\"a\": 1e999}", "number overflow"},
      {"{\"a\": \"\xff\"}", "parse error"},
      {"{\"image\": 3}", "column \"image\": expected the path of a media file"},
      {"{\"image\": \"/etc/hostname\"}", "is absolute"},
      {"{\"image\": \"../x.png\"}", "leaves its folder"},
      {"{\"image\": \"x.png\"}", "no such media file"},
      {"{\"image\": \"none.tar:x.png\"}", "none.tar"},
      {"{\"image\": \"some.tar:x.png\"}", "some.tar has no member \"x.png\" (1 members)"},
  };
  const std::string folder = NewFolder();
  WriteTar(folder + "/some.tar", {{"y.png", "1"}});
  for (const auto& c : kCases) {
    const auto source =
        Open(At(WriteText(folder + "/bad.jsonl", std::string("{}\n") + c.line + "\n")));
    const auto sample = source->Read(1);
    ASSERT_FALSE(sample.ok()) << c.line;
    EXPECT_THAT(std::string(sample.status().message()), HasSubstr("/bad.jsonl:2: ")) << c.line;
    EXPECT_THAT(std::string(sample.status().message()), HasSubstr(c.expected)) << c.line;
    EXPECT_EQ(AllColumns(*source).status(), sample.status());
  }
}

TEST(SourceTest, AKeyGivenTwiceIsRefused) {
  const std::string folder = NewFolder();
  const auto source = Open(At(WriteText(folder + "/a.jsonl",
                                        "{\"a\": \"x\", \"b\": 1, \"a\": \"y\"}\n"
                                        "{\"a\": \"x\", \"b\": \"a\"}\n")));
  EXPECT_THAT(std::string(source->Read(0).status().message()),
              HasSubstr("a.jsonl:1: column \"a\" is given twice"));
  EXPECT_TRUE(source->Read(1).ok());
}

TEST(SourceTest, ColumnsThatNobodyReadsMayHoldAnything) {
  SourceOptions options = At(WriteText(
      NewFolder() + "/a.jsonl",
      "{\"text\": \"x\", \"meta\": {\"a\": {\"a\": 1, \"a\": 2}}, \"mixed\": [1, \"b\", [2]]}\n"));
  options.needed = {"text"};
  const auto sample = Open(options)->Read(0);
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_EQ(sample->fields.size(), 1);
  options.needed = {"text", "mixed"};
  EXPECT_THAT(std::string(Open(options)->Read(0).status().message()),
              HasSubstr("column \"mixed\": a list must hold numbers only"));
  // Also where the task calls it otherwise, and where records are chosen by it.
  options.needed = {"text", "more"};
  options.columns = {{"more", "meta"}};
  EXPECT_THAT(std::string(Open(options)->Read(0).status().message()),
              HasSubstr("column \"meta\": nested objects"));
  options.columns.clear();
  options.needed = {"text"};
  options.keep = {{"text", "x"}};
  EXPECT_EQ(Open(options)->size(), 1);
}

TEST(SourceTest, MediaAndTarsBehindALinkThatLeadsOutAreRefused) {
  const std::string folder = NewFolder();
  WriteText(folder + "/secret.png", "x");
  WriteTar(folder + "/secret.tar", {{"1.png", "x"}});
  WriteText(folder + "/data/own.png", "x");
  std::filesystem::create_symlink("../secret.png", folder + "/data/link.png");
  std::filesystem::create_symlink("../secret.tar", folder + "/data/link.tar");
  std::filesystem::create_directory_symlink("..", folder + "/data/up");
  std::filesystem::create_symlink("own.png", folder + "/data/inside.png");
  SourceOptions options =
      At(WriteText(folder + "/data/a.jsonl",
                   "{\"image\": \"link.png\"}\n{\"image\": \"link.tar:1.png\"}\n"
                   "{\"image\": \"up/secret.png\"}\n"
                   "{\"image\": \"inside.png\"}\n"));
  for (const bool missing_media : {false, true}) {
    options.missing_media = missing_media;
    const auto source = Open(options);
    for (int64_t i = 0; i < 3; ++i) {
      EXPECT_THAT(std::string(source->Read(i).status().message()),
                  HasSubstr("is a link that leads out of the folder"))
          << i;
    }
    EXPECT_TRUE(source->Read(3).ok());
  }
}

TEST(SourceTest, ATextThatLooksLikeTarsCostsNothing) {
  std::string text;
  while (text.size() < 2000000) text += ".tar:";
  const std::string folder = NewFolder();
  WriteTar(folder + "/images.tar", {{"1.png", "x"}});
  const SourceOptions options = At(WriteText(
      folder + "/a.jsonl", "{\"image\": \"images.tar:1.png\", \"text\": \"" + text + "\"}\n"));
  const auto source = Open(options);
  EXPECT_NE(source->fingerprint(), "");
  EXPECT_TRUE(source->Read(0).ok());
}

TEST(SourceTest, AFileThatIsCutWhileItIsReadIsAnError) {
  const std::string folder = NewFolder();
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += "{\"text\": \"some words\"}\n";
  const auto source = Open(At(WriteText(folder + "/a.jsonl", lines)));
  std::filesystem::resize_file(folder + "/a.jsonl", 100);
  const absl::Status status = source->Read(1999).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("a.jsonl: byte 100: the file was cut off"));
  const auto tar = Open(At(WriteTar(folder + "/a.tar", {{"1.wav", std::string(50000, 'x')}})));
  std::filesystem::resize_file(folder + "/a.tar", 20000);
  EXPECT_THAT(std::string(tar->Read(0).status().message()),
              HasSubstr("a.tar: byte 20000: the file was cut off"));
}

TEST(SourceTest, AFileOfOneEndlessLineIsRefusedInNoTime) {
  const std::string path = WriteText(NewFolder() + "/a.jsonl", "{}\n");
  std::filesystem::resize_file(path, uint64_t{1} << 40);
  EXPECT_THAT(std::string(OpenSource(At(path)).status().message()),
              HasSubstr("a.jsonl:2: the line is longer than 67108864 bytes"));
}

TEST(SourceTest, WhatIsNoDataInAShardIsNoSample) {
  const auto source = Open(At(WriteTar(NewFolder() + "/a.tar", {{"._1.png", "x"},
                                                                {"1.png", "y"},
                                                                {"1.txt", "text"},
                                                                {"README", "about"},
                                                                {"LICENSE.txt", "about"},
                                                                {".DS_Store", "x"},
                                                                {"__MACOSX/._1.png", "x"},
                                                                {"b/Thumbs.db", "x"}})));
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->size(), 1);
  EXPECT_EQ(Get<std::string>(*source->Read(0), "text"), "text");
}

TEST(SourceTest, FilesThatCannotBeSourcesAreRefused) {
  const std::string folder = NewFolder();
  WriteText(folder + "/empty.jsonl", "\n\n");
  WriteText(folder + "/x.csv", "a,b\n");
  std::filesystem::create_directory(folder + "/dir.jsonl");
  const struct {
    const char* file;
    const char* expected;
  } kCases[] = {{"missing.jsonl", "missing.jsonl"},
                {"missing.tar", "missing.tar"},
                {"empty.jsonl", "no records"},
                {"x.csv", "expected *.jsonl or *.tar"},
                {"dir.jsonl", "not a regular file"}};
  for (const auto& c : kCases) {
    const auto source = OpenSource(At(folder + "/" + c.file));
    ASSERT_FALSE(source.ok()) << c.file;
    EXPECT_THAT(std::string(source.status().message()), HasSubstr(c.expected)) << c.file;
  }
  EXPECT_EQ(Open(At(WriteText(folder + "/one.jsonl", "{}")))->Read(1).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST(SourceTest, ARecordWithoutAMappedColumnIsAnErrorThatListsWhatThereIs) {
  SourceOptions options = At(WriteText(NewFolder() + "/a.jsonl", "{\"text\": \"hello\"}\n"));
  options.columns = {{"caption", "txt"}};
  EXPECT_THAT(std::string(Open(options)->Read(0).status().message()),
              HasSubstr("column \"txt\" (mapped to \"caption\") is absent; the record has: text"));
}

TEST(SourceTest, TarMembersWithOneStemAreOneSample) {
  const auto source =
      Open(At(WriteTar(NewFolder() + "/dev.tar", {{"1.json", "{\"digit\": \"seven\", \"take\": 5}"},
                                                  {"1.wav", "sound"},
                                                  {"1.depth.png", "distances"},
                                                  {"a.b/2.json", "{\"digit\": \"one\"}"},
                                                  {"a.b/2.WAV", "other"},
                                                  {"a.b/2.txt", "a text\n"}})));
  ASSERT_EQ(source->size(), 2);
  const auto first = source->Read(0);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->key, "dev.tar:1");
  EXPECT_EQ(Get<std::string>(*first, "digit"), "seven");
  EXPECT_EQ(Get<double>(*first, "take"), 5);
  EXPECT_EQ(*Get<MediaSource>(*first, "audio").bytes, "sound");
  EXPECT_EQ(Get<MediaSource>(*first, "depth").name, "dev.tar:1.depth.png");
  const auto second = source->Read(1);
  EXPECT_EQ(second->key, "dev.tar:a.b/2");
  EXPECT_EQ(*Get<MediaSource>(*second, "audio").bytes, "other");
  EXPECT_EQ(Get<std::string>(*second, "text"), "a text");
}

TEST(SourceTest, ExtensionsCanBeMappedToColumns) {
  SourceOptions options = At(WriteTar(NewFolder() + "/a.tar", {{"1.npy", "x"}, {"1.png", "y"}}));
  EXPECT_THAT(*SourceColumns(*Open(options)), ElementsAre("image"));
  options.media = {{"npy", "imu"}, {"png", "thermal"}};
  EXPECT_THAT(*SourceColumns(*Open(options)), ElementsAre("imu", "thermal"));
}

TEST(SourceTest, MembersOfOtherExtensionsAreReadWhereSomebodyAsksForTheirColumn) {
  SourceOptions options = At(WriteTar(NewFolder() + "/a.tar", {{"1.png", "y"},
                                                               {"1.cls", "3\n"},
                                                               {"1.npy", "x"},
                                                               {"notes.xyz", "z"},
                                                               {"2.png", "y"},
                                                               {"2.cls", "4\n"},
                                                               {"2.npy", "x"},
                                                               {"Makefile", "z"}}));
  const auto plain = Open(options);
  ASSERT_EQ(plain->size(), 2);
  EXPECT_EQ(Get<std::string>(*plain->Read(1), "cls"), "4");
  EXPECT_THAT(
      plain->remarks(),
      ElementsAre("1 member without an extension left out",
                  "2 members of column \"npy\" left out; --column TASK_COLUMN=npy reads them",
                  "1 member of column \"xyz\" left out; --column TASK_COLUMN=xyz reads them"));
  options.needed = {"imu", "image"};
  options.columns = {{"imu", "npy"}};
  const auto asked = Open(options);
  EXPECT_EQ(*Get<MediaSource>(*asked->Read(0), "imu").bytes, "x");
  EXPECT_EQ(asked->remarks().size(), 2u);
  const auto nothing = OpenSource(At(WriteTar(NewFolder() + "/b.tar", {{"1.npy", "x"}})));
  EXPECT_THAT(std::string(nothing.status().message()), HasSubstr("--column TASK_COLUMN=npy"));
}

TEST(SourceTest, TarsWithoutAnEndAreNamedOnce) {
  const std::string folder = NewFolder();
  const std::string whole = ReadText(WriteTar(folder + "/1.tar", {{"1.png", "x"}}));
  const std::string cut = WriteText(folder + "/2.tar", whole.substr(0, 1024));
  EXPECT_TRUE(Open(At(folder + "/1.tar"))->warnings().empty());
  const auto joined = Open(At(folder + "/{1,2}.tar"));
  EXPECT_EQ(joined->size(), 2) << "it is read";
  ASSERT_EQ(joined->warnings().count(cut), 1u);
  EXPECT_THAT(joined->warnings().at(cut).what, HasSubstr("without an end-of-archive block"));
  for (const char* name : {"a.jsonl", "b.jsonl"})
    WriteText(folder + "/" + name, "{\"image\": \"1.tar:1.png\"}\n{\"image\": \"2.tar:1.png\"}\n");
  const auto lines = Open(At(folder + "/{a,b}.jsonl"));
  for (int64_t i = 0; i < lines->size(); ++i) EXPECT_TRUE(lines->Read(i).ok()) << i;
  EXPECT_EQ(lines->warnings().size(), 1u);
  EXPECT_EQ(lines->warnings().count(cut), 1u);
  auto closed = OnDemandSource::Create([cut] { return OpenSource(At(cut)); });
  ASSERT_TRUE(closed.ok()) << closed.status();
  ASSERT_TRUE((*closed)->Close().ok());
  EXPECT_EQ((*closed)->warnings().count(cut), 1u) << "also when it is closed";
}

TEST(SourceTest, WhatNoFileCanBeCalledIsAMissingMediaItem) {
  const std::string file =
      WriteText(NewFolder() + "/a.jsonl", "{\"image\": \"a\\u0000b.png\"}\n{\"image\": \"\"}\n");
  SourceOptions options = At(file);
  for (int line = 0; line < 2; ++line)
    EXPECT_TRUE(absl::IsNotFound(Open(options)->Read(line).status())) << line;
  options.missing_media = true;
  for (int line = 0; line < 2; ++line) EXPECT_TRUE(Open(options)->Read(line).ok()) << line;
}

TEST(SourceTest, IncompleteOrContradictoryTarSamplesAreRefused) {
  const std::string folder = NewFolder();
  const auto no_media = OpenSource(
      At(WriteTar(folder + "/1.tar", {{"1.json", "{}"}, {"1.wav", "x"}, {"2.json", "{}"}})));
  EXPECT_THAT(std::string(no_media.status().message()),
              HasSubstr("sample \"2\" has no media member, but 1 of 2 samples have one"));
  const auto no_record = OpenSource(
      At(WriteTar(folder + "/2.tar", {{"1.json", "{}"}, {"1.wav", "x"}, {"2.wav", "y"}})));
  EXPECT_THAT(std::string(no_record.status().message()),
              HasSubstr("sample \"2\" has no .json member"));
  const auto twice =
      Open(At(WriteTar(folder + "/3.tar", {{"1.wav", "x"}, {"1.flac", "y"}})))->Read(0);
  EXPECT_THAT(std::string(twice.status().message()), HasSubstr("column \"audio\" comes from two"));
  const auto bad_json =
      Open(At(WriteTar(folder + "/4.tar", {{"1.json", "{"}, {"1.wav", "y"}})))->Read(0);
  EXPECT_THAT(std::string(bad_json.status().message()), HasSubstr("/4.tar:1.json: parse error"));
}

TEST(SourceTest, FingerprintsFollowTheRecords) {
  const std::string folder = NewFolder();
  SourceOptions a = At(WriteText(folder + "/a.jsonl", "{\"a\":1}\n"));
  const SourceOptions same = At(WriteText(folder + "/b.jsonl", "{\"a\":1}\n"));
  const SourceOptions other = At(WriteText(folder + "/c.jsonl", "{\"a\":2}\n"));
  EXPECT_EQ(Open(a)->fingerprint(), Open(same)->fingerprint());
  EXPECT_NE(Open(a)->fingerprint(), Open(other)->fingerprint());
  a.columns = {{"b", "a"}};
  EXPECT_NE(Open(a)->fingerprint(), Open(same)->fingerprint());
  const auto tar = [&](const std::string& name, const std::string& member) {
    return Open(At(WriteTar(folder + "/" + name, {{member, "x"}})))->fingerprint();
  };
  EXPECT_EQ(tar("1.tar", "1.wav"), tar("2.tar", "1.wav"));
  EXPECT_NE(tar("1.tar", "1.wav"), tar("2.tar", "2.wav"));
  // Bytes count, where the names and sizes are the same: of a tar, and of one that records name.
  const SourceOptions named =
      At(WriteText(folder + "/named.jsonl", "{\"image\": \"sub\\/images.tar:1.png\"}\n"));
  WriteText(folder + "/sub/x", "");
  std::vector<std::string> alone, within;
  for (const char* bytes : {"x", "y", "x"}) {
    alone.push_back(
        Open(At(WriteTar(folder + "/sub/images.tar", {{"1.png", bytes}})))->fingerprint());
    within.push_back(Open(named)->fingerprint());
  }
  EXPECT_NE(alone[0], alone[1]);
  EXPECT_EQ(alone[0], alone[2]);
  EXPECT_NE(within[0], within[1]);
  EXPECT_EQ(within[0], within[2]);
}

}  // namespace
}  // namespace unival
