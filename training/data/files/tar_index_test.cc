#include "training/data/files/tar_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sdk/base/path_below.h"
#include "sdk/base/test_files.h"
#include "training/data/files/test_files.h"

namespace unival {
namespace {

using testing::HasSubstr;

TEST(TarIndexTest, FindsEveryMemberWithItsBytes) {
  const std::string path =
      WriteTar(NewFolder() + "/a.tar",
               {{"x.json", "{}"}, {"dir/y.png", std::string(1000, 'p')}, {"empty.txt", ""}});
  auto tar = TarIndex::Open(path);
  ASSERT_TRUE(tar.ok()) << tar.status();
  ASSERT_EQ((*tar)->members().size(), 3u);
  EXPECT_EQ((*tar)->Find("x.json").value(), "{}");
  EXPECT_EQ((*tar)->Find("dir/y.png").value(), std::string(1000, 'p'));
  EXPECT_EQ((*tar)->Find("empty.txt").value(), "");
  EXPECT_TRUE(absl::IsNotFound((*tar)->Find("z").status()));
  EXPECT_FALSE((*tar)->Has("z"));
}

TEST(TarIndexTest, ReadsNamesTooLongForAPlainHeader) {
  const std::string name = std::string(200, 'n') + "/" + std::string(150, 'm') + ".png";
  auto tar = TarIndex::Open(WriteTar(NewFolder() + "/a.tar", {{name, "1"}, {"short.png", "2"}}));
  ASSERT_TRUE(tar.ok()) << tar.status();
  EXPECT_EQ((*tar)->Find(name).value(), "1");
  EXPECT_EQ((*tar)->Find("short.png").value(), "2");
}

TEST(TarIndexTest, FindsAllMembersOfAShardOfFiftyMegabytes) {
  Members members;
  for (int i = 0; i < 40000; ++i) {
    members.emplace_back("sample_" + std::to_string(i) + ".png", std::string(800, 'x'));
  }
  const std::string path = WriteTar(NewFolder() + "/big.tar", members);
  IndexOptions reading;  // the headers, and keeping nothing of them on a disk
  reading.enabled = false;
  auto tar = TarIndex::Open(path, reading);
  ASSERT_TRUE(tar.ok()) << tar.status();
  EXPECT_EQ((*tar)->members().size(), 40000u);
  EXPECT_EQ((*tar)->Find("sample_39999.png").value_or(""), std::string(800, 'x'));
}

TEST(TarIndexTest, SameMembersGiveTheSameBytes) {
  const std::string folder = NewFolder();
  const Members members = {{"a.json", "{}"}, {"a.png", "png"}};
  WriteTar(folder + "/1.tar", members);
  WriteTar(folder + "/2.tar", members);
  EXPECT_EQ(ReadText(folder + "/1.tar"), ReadText(folder + "/2.tar"));
}

TEST(TarIndexTest, AnUnfinishedArchiveLeavesNothingBehind) {
  const std::string folder = NewFolder();
  {
    auto writer = TarWriter::Create(folder + "/a.tar");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->Add("x", "y").ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST(TarIndexTest, RefusesMalformedArchivesNamingThePlace) {
  const std::string good =
      ReadText(WriteTar(NewFolder() + "/a.tar", {{"x.png", std::string(700, 'x')}}));
  std::string wrong_checksum = good;
  wrong_checksum[0] = 'y';
  const std::string twice = good.substr(0, 512 + 1024) + good;
  const struct {
    const char* what;
    std::string bytes, expected;
  } kCases[] = {
      {"gzip", "\x1f\x8b\x08 etc", "byte 0: a compressed archive"},
      {"text", std::string(600, 'a'), "byte 0: not a tar header"},
      {"short", "abc", "byte 0: truncated: expected a header of 512 bytes, got 3"},
      {"cut", good.substr(0, 900), "truncated: member \"x.png\" has 700 bytes, the file 388 more"},
      {"checksum", wrong_checksum, "wrong checksum"},
      {"twice", twice, "byte 1536: member \"x.png\" occurs twice"},
  };
  for (const auto& c : kCases) {
    const auto members = ReadTarMembers(c.bytes, "a.tar");
    ASSERT_FALSE(members.ok()) << c.what;
    EXPECT_THAT(std::string(members.status().message()), HasSubstr("a.tar: ")) << c.what;
    EXPECT_THAT(std::string(members.status().message()), HasSubstr(c.expected)) << c.what;
  }
}

// A header and two blocks of content, twice, and blank blocks.
TEST(TarIndexTest, ATarThatIsCutIsRefusedOrSaysThatItHasNoEnd) {
  const std::string bytes(700, 'x'),
      good = ReadText(WriteTar(NewFolder() + "/a.tar", {{"x.png", bytes}, {"y.png", bytes}}));
  for (const size_t size : {size_t{512 + 700}, size_t{512 + 1023}, size_t{2 * 1536 - 1}}) {
    EXPECT_THAT(std::string(ReadTarMembers(good.substr(0, size), "a.tar").status().message()),
                HasSubstr(".png\" is cut: expected 324 bytes, got "))
        << size;
  }
  const struct {
    size_t size, members;
    bool has_end;
  } kCases[] = {{1536, 1, false}, {2 * 1536, 2, false}, {2 * 1536 + 512, 2, true}};
  for (const auto& c : kCases) {
    bool has_end = !c.has_end;
    const std::string cut = good.substr(0, c.size);
    const auto members = ReadTarMembers(cut, "a.tar", &has_end);
    ASSERT_TRUE(members.ok()) << c.size << members.status();
    EXPECT_EQ(members->size(), c.members) << c.size;
    EXPECT_EQ(has_end, c.has_end) << c.size;
  }
}

TEST(TarIndexTest, ATarThatIsCutBehindALongNameIsRefused) {
  const std::string good =
      ReadText(WriteTar(NewFolder() + "/a.tar", {{std::string(300, 'n') + ".png", "x"}}));
  EXPECT_THAT(std::string(ReadTarMembers(good.substr(0, 1024), "a.tar").status().message()),
              HasSubstr("expected the member that the last header is about"));
}

TEST(TarIndexTest, AnIndexKeepsWhetherATarHasAnEnd) {
  const std::string folder = NewFolder(), whole = WriteTar(folder + "/a.tar", {{"x.png", "1"}}),
                    cut = WriteText(folder + "/b.tar", ReadText(whole).substr(0, 1024));
  IndexOptions keeping;
  keeping.smallest = 1;
  absl::SleepFor(absl::Milliseconds(60));  // one of this moment would not be believed
  for (const char* opening : {"first", "second"}) {
    EXPECT_TRUE((*TarIndex::Open(whole, keeping))->has_end()) << opening;
    EXPECT_FALSE((*TarIndex::Open(cut, keeping))->has_end()) << opening;
    EXPECT_TRUE(std::filesystem::exists(folder + "/.b.tar.index")) << opening;
  }
}

TEST(TarIndexTest, RefusesPathsThatLeaveTheirFolder) {
  for (const char* path : {"", "/etc/passwd", "../x", "a/../../x", ".."}) {
    EXPECT_FALSE(CheckRelativePath(path).ok()) << path;
  }
  for (const char* path : {"x", "a/b.png", "..x", "a..b/c"}) {
    EXPECT_TRUE(CheckRelativePath(path).ok()) << path;
  }
}

// Cut and flip bytes everywhere: every outcome is a list or a status.
TEST(TarIndexTest, SurvivesDamage) {
  const std::string good = ReadText(
      WriteTar(NewFolder() + "/a.tar", {{std::string(150, 'n') + ".png", "12"}, {"b", "3"}}));
  for (size_t size = 0; size < good.size(); size += 97) {
    (void)ReadTarMembers(absl::string_view(good).substr(0, size), "cut");
  }
  for (size_t i = 0; i < 4096 && i < good.size(); ++i) {
    std::string bytes = good;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x41);
    (void)ReadTarMembers(bytes, "flipped");
  }
}

}  // namespace
}  // namespace unival
