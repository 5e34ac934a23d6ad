// Big files are opened from their stored index the second time, or as if there was no index.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "sdk/base/files.h"
#include "training/data/files/kept_index.h"
#include "training/data/files/tar_index.h"
#include "training/data/read/index_tests.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

// Every record as text: its key and its fields.
std::vector<std::string> Records(const SourceOptions& options) {
  const auto source = OpenSource(options);
  if (!source.ok()) return {std::string(source.status().message())};
  std::vector<std::string> records;
  for (int64_t i = 0; i < (*source)->size(); ++i) {
    const auto sample = (*source)->Read(i);
    if (!sample.ok()) return {std::string(sample.status().message())};
    std::string& text = records.emplace_back(sample->key);
    for (const auto& [name, value] : sample->fields) {
      const auto* media = std::get_if<MediaSource>(&value);
      const auto* said = std::get_if<std::string>(&value);
      absl::StrAppend(&text, " ", name, "=", said != nullptr ? *said : "",
                      media != nullptr && media->bytes != nullptr ? *media->bytes : "");
    }
  }
  return records;
}

std::vector<std::string> WithoutIndex(SourceOptions options) {
  options.index.enabled = false;
  return Records(options);
}

// Blank lines, ends of Windows, a mark of the byte order, lines of all lengths.
std::string Lines(int count) {
  std::string lines = "\xef\xbb\xbf\n";
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&lines, i % 11 == 0 ? " \r\n\n" : "", "  {\"a\": \"", i,
                    std::string(i % 60, 'x'), "\"}", i % 3 == 0 ? "\r\n" : "\n");
  }
  return lines + "{\"a\": \"last, without an end\"}";
}

std::string Table(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) absl::StrAppend(&lines, "first\t", i, "\n");
  return lines;
}

Members Shard(int count) {
  Members members;
  for (int i = 0; i < count; ++i) {
    members.push_back({absl::StrCat("sample/", i, ".json"), absl::StrCat("{\"n\": \"", i, "\"}")});
    members.push_back({absl::StrCat("sample/", i, ".png"), std::string(i % 700, 'p')});
  }
  return members;
}

TEST(KeptIndex, TheSecondOpeningGivesWhatTheFirstGave) {
  const std::string folder = NewFolder();
  const std::vector<std::string> files = {
      WriteText(folder + "/a.jsonl", Lines(500)),
      WriteText(folder + "/b.jsonl.gz", Gzip(Lines(500))),
      WriteText(folder + "/c.jsonl.zst", Zstd(Lines(500))),
      WriteText(folder + "/d.tsv", Table(500)),
      WriteTar(folder + "/e.tar", Shard(100)),
      WriteText(folder + "/f.tar.gz", Gzip(ReadText(folder + "/e.tar")))};
  LetTimePass();
  for (const std::string& file : files) {
    const std::vector<std::string> plain = WithoutIndex(Indexed(file));
    ASSERT_GT(plain.size(), 99u) << file;
    EXPECT_FALSE(fs::exists(IndexOf(file)));
    EXPECT_EQ(Records(Indexed(file)), plain) << file;
    EXPECT_TRUE(fs::exists(IndexOf(file))) << file;
    EXPECT_EQ(Records(Indexed(file)), plain) << file;
  }
  // Hidden files: patterns and folders of media do not see them.
  EXPECT_EQ(Records(Indexed(folder + "/*.jsonl")), WithoutIndex(Indexed(folder + "/a.jsonl")));
}

// Without this test, the tests above would also pass when no index is used.
TEST(KeptIndex, OneThatFitsIsBelieved) {
  const std::string folder = NewFolder();
  const std::string lines = WriteText(folder + "/a.jsonl", Lines(50));
  const std::string tar = WriteTar(folder + "/b.tar", Shard(20));
  LetTimePass();
  ASSERT_THAT(Records(Indexed(lines)), SizeIs(51));
  ASSERT_THAT(Records(Indexed(tar)), SizeIs(20));
  Forge(IndexOf(lines), [](SourceIndex* index) {
    index->mutable_lines()->mutable_steps()->Truncate(7);
    index->mutable_lines()->clear_skipped();
  });
  Forge(IndexOf(tar), [](SourceIndex* index) {
    index->mutable_members()->mutable_members()->DeleteSubrange(10, 30);
  });
  EXPECT_THAT(Records(Indexed(lines)), SizeIs(7));
  EXPECT_THAT(Records(Indexed(tar)), SizeIs(5));
  SourceOptions verifying = Indexed(lines);
  verifying.index.is_read = false;
  EXPECT_EQ(Records(verifying), WithoutIndex(verifying));
  EXPECT_EQ(Records(Indexed(lines)), WithoutIndex(verifying));  // made anew
}

TEST(KeptIndex, AFileThatChangedIsReadAnew) {
  const std::string path = NewFolder() + "/a.jsonl";
  const std::string before = "{\"a\": \"1\"}\n{\"a\": \"2\"}\n{\"a\": \"3\"}\n";
  // One byte, and another number of records: the same size.
  std::string after = before;
  after[after.find('\n')] = ' ';
  after.replace(after.find("{\"a\": \"2\"}"), 10, "          ");
  ASSERT_EQ(after.size(), before.size());
  for (const bool keeps_time : {false, true}) {
    WriteText(path, before);
    LetTimePass();
    ASSERT_THAT(Records(Indexed(path)), SizeIs(3));
    LetTimePass();
    keeps_time ? OverwriteWithItsTime(path, after) : (void)WriteText(path, after);
    EXPECT_EQ(Records(Indexed(path)), WithoutIndex(Indexed(path))) << keeps_time;
    EXPECT_THAT(Records(Indexed(path)), SizeIs(2)) << keeps_time;
  }
}

// An index is not used for a file that was still being written when it was read.
TEST(KeptIndex, OneOfTheMomentOfAChangeIsNotBelieved) {
  const std::string path = WriteText(NewFolder() + "/a.jsonl", Lines(20));
  LetTimePass();
  ASSERT_THAT(Records(Indexed(path)), SizeIs(21));
  Forge(IndexOf(path), [](SourceIndex* index) {
    index->mutable_lines()->mutable_steps()->Truncate(1);
    index->mutable_lines()->clear_skipped();
    index->set_read(index->changed());
  });
  EXPECT_THAT(Records(Indexed(path)), SizeIs(21));
}

TEST(KeptIndex, ADamagedOneIsAsIfThereWereNone) {
  const std::string folder = NewFolder();
  for (const std::string& path :
       {WriteText(folder + "/a.jsonl", Lines(40)), WriteTar(folder + "/b.tar", Shard(15))}) {
    LetTimePass();
    const std::vector<std::string> plain = Records(Indexed(path));
    const std::string good = ReadText(IndexOf(path));
    ASSERT_TRUE(ParseSourceIndex(good).ok());
    for (size_t at = 0; at < good.size(); at += 7) {
      WriteText(IndexOf(path), good.substr(0, at));
      EXPECT_EQ(Records(Indexed(path)), plain) << "cut at " << at;
      std::string flipped = good;
      flipped[at] = static_cast<char>(flipped[at] ^ 1 << at % 8);
      WriteText(IndexOf(path), flipped);
      EXPECT_EQ(Records(Indexed(path)), plain) << "flipped at " << at;
      EXPECT_TRUE(ParseSourceIndex(ReadText(IndexOf(path))).ok());  // it was made anew
    }
  }
}

TEST(KeptIndex, NothingOutsideTheContentIsBelieved) {
  SourceIndex good;
  good.set_size(100);
  good.set_content_size(100);
  good.set_sample(std::string(32, 'a'));
  const auto message = [](SourceIndex index) {
    return std::string(ParseSourceIndex(SourceIndexBytes(index)).status().message());
  };
  EXPECT_THAT(message(good), HasSubstr("neither lines nor members"));
  SourceIndex lines = good;
  for (const uint64_t step : {0, 60, 39}) lines.mutable_lines()->add_steps(step);
  EXPECT_EQ(message(lines), "");
  for (const uint64_t step : {uint64_t{0}, uint64_t{1}, UINT64_MAX}) {
    SourceIndex longer = lines;
    longer.mutable_lines()->add_steps(step);
    EXPECT_THAT(message(longer), HasSubstr("outside the content")) << step;
  }
  SourceIndex members = good;
  IndexedMember* const member = members.mutable_members()->add_members();
  member->set_name("a/b.png");
  member->set_offset(40), member->set_size(60);
  EXPECT_EQ(message(members), "");
  member->set_size(61);
  EXPECT_THAT(message(members), HasSubstr("outside the content"));
  member->set_size(UINT64_MAX), member->set_offset(2);
  EXPECT_THAT(message(members), HasSubstr("outside the content"));
  member->set_size(1), member->set_name("../b.png");
  EXPECT_NE(message(members), "");
}

// The right to write anywhere is taken from this thread, which root has too.
class WithoutPrivileges {
 public:
  WithoutPrivileges() { Set(false); }
  ~WithoutPrivileges() { Set(true); }

 private:
  static void Set(bool all) {
    __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    ASSERT_EQ(syscall(SYS_capget, &head, data), 0);
    const uint32_t writes = uint32_t{1} << CAP_DAC_OVERRIDE;
    data[0].effective = all ? data[0].permitted : data[0].effective & ~writes;
    ASSERT_EQ(syscall(SYS_capset, &head, data), 0);
  }
};

TEST(KeptIndex, WhereItCannotBeWrittenItIsElsewhereOrNowhere) {
  const std::string folder = NewFolder(), cache = NewFolder("cache");
  const std::string path = WriteText(folder + "/a.jsonl", Lines(40));
  LetTimePass();
  const std::vector<std::string> plain = WithoutIndex(Indexed(path));
  fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
  {
    const WithoutPrivileges without;
    EXPECT_EQ(Records(Indexed(path)), plain);
    EXPECT_FALSE(fs::exists(IndexOf(path)));
    SourceOptions options = Indexed(path);
    options.index.fallback = cache + "/made/by/it";
    EXPECT_EQ(Records(options), plain);
    ASSERT_TRUE(fs::exists(options.index.fallback));
    const std::string kept = fs::directory_iterator(options.index.fallback)->path().string();
    Forge(kept, [](SourceIndex* index) {
      index->mutable_lines()->mutable_steps()->Truncate(1);
      index->mutable_lines()->clear_skipped();
    });
    EXPECT_THAT(Records(options), SizeIs(1));
    options.index.fallback = "/proc/nowhere";
    EXPECT_EQ(Records(options), plain);
  }
  fs::permissions(folder, fs::perms::owner_all);
  // Nor does something else in its place matter.
  fs::create_directories(IndexOf(path) + "/x");
  EXPECT_EQ(Records(Indexed(path)), plain);
}

TEST(KeptIndex, SomeFilesHaveNone) {
  const std::string folder = NewFolder(), own = NewFolder("own");
  const std::string path = WriteText(folder + "/a.jsonl", Lines(40));
  LetTimePass();
  SourceOptions options = Indexed(path);
  options.index.enabled = false;
  EXPECT_THAT(Records(options), SizeIs(41));
  EXPECT_THAT(Records([&] {
                SourceOptions small;
                small.path = path;  // smaller than a file has to be
                return small;
              }()),
              SizeIs(41));
  options = Indexed(path);
  options.limit = 5;  // only the beginning is read
  EXPECT_THAT(Records(options), SizeIs(5));
  EXPECT_FALSE(fs::exists(IndexOf(path)));
  options.limit = 0;
  options.index.folder = own;
  EXPECT_THAT(Records(options), SizeIs(41));
  EXPECT_FALSE(fs::exists(IndexOf(path)));
  EXPECT_EQ(std::distance(fs::directory_iterator(own), fs::directory_iterator()), 1);
  options.limit = 5;
  EXPECT_EQ(Records(options), [&] {
    options.index.enabled = false;
    return Records(options);
  }());
}

// Packed lines, and a packed tar: with an index they are unpacked when the first record is read.
TEST(KeptIndex, APackedFileThatChangesUnderItsReaderIsAnError) {
  const std::string folder = NewFolder();
  const auto tar = [&](int count) { return ReadText(WriteTar(folder + "/t.tar", Shard(count))); };
  const struct {
    const char* name;
    std::string before, after;
    size_t records;
  } kCases[] = {{"/a.jsonl.gz", Gzip(Lines(300)), Gzip(Lines(200)), 301},
                {"/b.tar.gz", Gzip(tar(90)), Gzip(tar(60)), 90},
                {"/c.tar.zst", Zstd(tar(90)), Zstd(tar(60)), 90}};
  for (const auto& c : kCases) {
    const std::string path = WriteText(folder + c.name, c.before);
    LetTimePass();
    ASSERT_THAT(Records(Indexed(path)), SizeIs(c.records));
    const auto source = OpenSource(Indexed(path));
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_EQ((*source)->size(), static_cast<int64_t>(c.records));
    WriteText(path, c.after);
    for (int time = 0; time < 2; ++time) {
      EXPECT_THAT(
          (*source)->Read(0).status().message(),
          HasSubstr(absl::StrCat(c.name + 1, ": the file has changed since it was opened")));
    }
  }
}

// Names of media alone need no bytes: such a tar is not unpacked to be looked at.
TEST(KeptIndex, APackedTarIsNotUnpackedForItsNames) {
  const std::string folder = NewFolder();
  Members pictures;
  for (int i = 0; i < 40; ++i) pictures.push_back({absl::StrCat(i, ".png"), std::string(i, 'p')});
  const std::string path =
      WriteText(folder + "/a.tar.gz", Gzip(ReadText(WriteTar(folder + "/a.tar", pictures))));
  LetTimePass();
  ASSERT_THAT(Records(Indexed(path)), SizeIs(40));
  const auto source = OpenSource(Indexed(path));
  ASSERT_TRUE(source.ok()) << source.status();
  WriteText(path, "no longer a tar");
  EXPECT_EQ((*source)->ReadFields(39)->key, "a.tar.gz:39");
  EXPECT_TRUE(absl::IsDataLoss((*source)->Read(39).status())) << (*source)->Read(39).status();
}

TEST(KeptIndex, ManyMayMakeItAtOnce) {
  const std::string path = WriteText(NewFolder() + "/a.jsonl", Lines(3000));
  LetTimePass();
  const std::vector<std::string> plain = WithoutIndex(Indexed(path));
  const auto open_often = [&] {
    bool is_right = true;
    for (int i = 0; i < 15; ++i) {
      fs::remove(IndexOf(path));
      is_right = is_right && Records(Indexed(path)) == plain;
    }
    return is_right;
  };
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(fork());
    if (children.back() == 0) _exit(open_often() ? 0 : 1);
  }
  for (const pid_t child : children) {
    int status = 1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  std::vector<std::thread> threads;
  std::vector<char> right(3, 0);
  for (char& is_right : right) threads.emplace_back([&] { is_right = open_often() ? 1 : 0; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(right, testing::Each(1));
  EXPECT_EQ(Records(Indexed(path)), plain);
  EXPECT_TRUE(ParseSourceIndex(ReadText(IndexOf(path))).ok());
}

}  // namespace
}  // namespace unival
