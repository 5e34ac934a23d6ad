// Attacks by tar shards that are made from a good one.

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/test_files.h"
#include "tests/adversarial/attack.h"
#include "training/data/files/test_files.h"
#include "training/data/read/source.h"
#include "training/data/read/test_columns.h"

namespace unival {
namespace {

absl::Status ReadAll(const std::string& path) {
  SourceOptions options;
  options.path = path;
  const auto source = OpenSource(options);
  return source.ok() ? AllColumns(**source).status() : source.status();
}

void SetChecksum(std::string* header) {
  header->replace(148, 8, "        ");
  unsigned sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>((*header)[i]);
  header->replace(148, 8, absl::StrFormat("%06o", sum) + std::string("\0 ", 2));
}

// One member: header and padded content. `size`: the size in the header; `link`: the target of a
// link.
std::string Member(const std::string& name, const std::string& bytes, char type = '0',
                   const std::string& size = "", const std::string& link = "") {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(157, link.size(), link);
  header.replace(100, 7, "0000644");
  const std::string octal = absl::StrFormat("%011o", bytes.size());
  header.replace(124, 11, size.empty() ? octal : size.substr(0, 11));
  header[156] = type;
  header.replace(257, 8, std::string("ustar\00000", 8));
  SetChecksum(&header);
  std::string content = bytes;
  content.resize((bytes.size() + 511) / 512 * 512, '\0');
  return header + content;
}

// The same header with the checksum of old programs, which is computed from signed bytes.
std::string SignedSum(std::string member) {
  member.replace(148, 8, "        ");
  int sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += static_cast<signed char>(member[i]);
  return member.replace(148, 8, absl::StrFormat("%06o", sum) + std::string("\0 ", 2));
}

const std::string& End() {
  static const auto* const kEnd = new std::string(1024, '\0');
  return *kEnd;
}

std::string Link(const std::string& name, const std::string& target) {
  return Member(name, "", '1', "", target);
}

std::string Pax(const std::string& records) { return Member("pax", records, 'x'); }

TEST(TarAttacks, ArchivesThatAreNone) {
  const std::string folder = NewFolder();
  const std::string good = Member("1.json", "{}") + Member("1.png", std::string(700, 'p'));
  std::string wrong_sum = good;
  wrong_sum[3] = 'x';
  std::string base256 = Member("1.png", "x");
  base256[124] = '\x80';
  for (int i = 125; i < 136; ++i) base256[i] = '\xff';
  SetChecksum(&base256);
  std::string negative = Member("1.png", "x");
  for (int i = 124; i < 136; ++i) negative[i] = '\xff';
  SetChecksum(&negative);
  const std::vector<std::pair<std::string, std::string>> archives = {
      {"nothing", ""},
      {"a byte", "x"},
      {"511 bytes", std::string(511, '\0')},
      {"zeros only", End()},
      {"text", std::string(2048, 'a')},
      {"gzip", "\x1f\x8b\x08" + std::string(600, 'x')},
      {"bzip2", "BZh9" + std::string(600, 'x')},
      {"xz", std::string("\xfd"
                         "7zXZ\0",
                         6) +
                 std::string(600, 'x')},
      {"zstd", "\x28\xb5\x2f\xfd" + std::string(600, 'x')},
      {"zip", "PK\x03\x04" + std::string(600, 'x')},
      {"a header cut", good.substr(0, 300)},
      {"a body cut", good.substr(0, good.size() - 600)},
      {"the last header cut", good + good.substr(0, 100)},
      {"a wrong checksum", wrong_sum},
      {"a size in letters", Member("1.png", "x", '0', "zzzzzzzzzzz")},
      {"a size beyond the file", Member("1.png", "x", '0', "77777777777")},
      {"a size of all bits", base256},
      {"a negative size", negative},
      {"a hard link", Member("1.png", "", '1') + good},
      {"a link", Member("1.png", "", '2') + good},
      {"a hard link to itself", Link("1.png", "1.png") + good},
      {"a hard link to a member behind it", Link("2.png", "1.png") + good},
      {"a hard link to what is outside", Link("2.png", "../1.png") + good},
      {"a hard link to an absolute path", Link("2.png", "/etc/passwd") + good},
      {"a hard link with a name twice", good + Link("1.png", "1.png")},
      {"a hard link with a path up", good + Link("../2.png", "1.png")},
      {"a long link to nothing", Member("k", "none", 'K') + Member("2.png", "", '1') + good},
      {"pax: a link to nothing", Pax("17 linkpath=none\n") + Member("2.png", "", '1') + good},
      {"pax: a sparse file", Pax("22 GNU.sparse.major=1\n") + Member("1.png", "x") + good},
      {"pax: an old sparse file", Pax("24 GNU.sparse.map=0,5,9\n") + Member("1.png", "x") + good},
      {"a name that goes on in another volume", Member("1.png", "x", 'M') + good},
      {"a member's filling cut", good.substr(0, good.size() - 1)},
      {"cut behind the header of a long name", good + Member("long", "x.png", 'L')},
      {"a second archive that is cut", good + End() + good.substr(0, 700)},
      {"a second archive with the same names", good + End() + good},
      {"a text that is no UTF-8", Member("1.png", "x") + Member("1.txt", "caf\xe9")},
      {"a text in UTF-16", Member("1.png", "x") + Member("1.txt",
                                                         "\xff\xfe"
                                                         "a")},
      {"a record in Latin-1", Member("1.png", "x") + Member("1.json", "{\"a\": \"\xe9\"}")},
      {"a device", Member("1.png", "", '3') + good},
      {"a pipe", Member("1.png", "", '6') + good},
      {"a sparse member", Member("1.png", "x", 'S') + good},
      {"a type of letters", Member("1.png", "x", 'Z') + good},
      {"a path up", Member("../1.png", "x")},
      {"a path up inside", Member("a/../../1.png", "x")},
      {"an absolute path", Member("/etc/1.png", "x")},
      {"no name", Member("", "x")},
      {"a name twice", Member("1.png", "x") + Member("1.png", "y")},
      {"a name twice by ./", Member("1.png", "x") + Member("./1.png", "y")},
      {"a long name up", Member("long", "../../x.png", 'L') + Member("x", "x")},
      {"pax: a path up", Pax("18 path=../../x.1\n") + Member("x", "x")},
      {"pax: no length", Pax("path=x.png\n") + Member("x.png", "x")},
      {"pax: a length of 0", Pax("0 path=x.png\n") + Member("x.png", "x")},
      {"pax: a length beyond", Pax("999 path=x.png\n") + Member("x.png", "x")},
      {"pax: a negative length", Pax("-5 path=x.png\n") + Member("x.png", "x")},
      {"pax: a size beyond", Pax("22 size=999999999999\n") + Member("x.png", "x")},
      {"pax: a size in letters", Pax("12 size=zz\n\n") + Member("x.png", "x")},
      {"a record that is no JSON", Member("1.json", "{") + Member("1.png", "x")},
      {"a record with a key twice",
       Member("1.json", "{\"a\": 1, \"a\": 2}") + Member("1.png", "x")},
      {"two media of a column", Member("1.jpg", "x") + Member("1.png", "y")},
      {"a column twice", Member("1.json", "{\"text\": \"a\"}") + Member("1.txt", "b")},
      {"samples without media", good + Member("2.json", "{}")},
      {"samples without records", good + Member("2.png", "x")},
      {"extensions that nobody asks for", Member("1.exe", "x") + Member("2.npy", "x")},
      {"files of systems only", Member(".DS_Store", "x") + Member("a/._1.png", "x")},
  };
  for (const auto& [name, bytes] : archives) {
    const Attack attack("tar: " + name);
    attack.Refused(ReadAll(WriteText(folder + "/a.tar", bytes)));
  }
}

// The remedy is one that works for a member of this type.
TEST(TarAttacks, WhatIsNoFileIsCalledWhatItIs) {
  const std::string folder = NewFolder();
  const std::vector<std::pair<char, std::string>> types = {
      {'2', "\"1.png\" is a symbolic link; expected a regular file: pack the file"},
      {'3', "\"1.png\" is a device; expected a regular file: leave it out with `tar --exclude`"},
      {'4', "\"1.png\" is a device; expected a regular file: leave it out with `tar --exclude`"},
      {'6', "\"1.png\" is a named pipe; expected a regular file: leave it out with `tar --ex"},
      {'S', "\"1.png\" is a sparse file; expected a regular file: pack it without --sparse"},
      {'Z', "\"1.png\" is of an unknown type; expected a regular file: leave it out"}};
  for (const auto& [type, expected] : types) {
    const absl::Status status =
        ReadAll(WriteText(folder + "/a.tar", Member("1.png", "", type) + End()));
    EXPECT_NE(status.message().find(expected), absl::string_view::npos) << type << status;
  }
}

TEST(TarAttacks, ArchivesThatLookWorseThanTheyAre) {
  const std::string folder = NewFolder();
  const std::string good = Member("1.json", "{}") + Member("1.png", "x");
  const std::vector<std::pair<std::string, std::string>> archives = {
      {"no end", good},
      {"an extension that nobody asks for", Member("1.exe", "x") + Member("2.exe", "x") + good},
      {"a class as a number", Member("1.cls", "7\n") + good},
      {"an end, then garbage", good + End() + std::string(512, 'g')},
      {"a folder", Member("a/", "", '5') + good},
      {"a global comment", Member("pax", "20 comment=something\n", 'g') + good},
      {"a README", Member("README", "about") + good},
      {"files of a system", Member("._1.png", "x") + Member("__MACOSX/x", "") + good},
      {"a member without bytes",
       Member("2.txt", "") + Member("2.json", "{}") + Member("2.png", "x") + good},
      {"bytes in a name", Member("\xff\x1b[2J.json", "{}") + Member("\xff\x1b[2J.png", "x")},
      {"a label", Member("label", "", 'V') + good},
      {"a list of a folder's files", Member("a/", "Y1.png\0", 'D') + good},
      {"a folder of before there were folders", Member("a/", "", '\0') + good},
      {"a checksum of bytes with signs",
       SignedSum(Member("caf\xe9/1.json", "{}")) + Member("caf\xe9/1.png", "x")},
      {"blank blocks without end", good + std::string(3 << 20, '\0')},
      {"a megabyte of blank blocks, then garbage", good + std::string(1 << 20, '\0') + "garbage"},
  };
  for (const auto& [name, bytes] : archives) {
    const Attack attack("tar: " + name);
    attack.Harmless(ReadAll(WriteText(folder + "/a.tar", bytes)));
  }
}

// Accepted archives are read completely: links have the bytes of their target, and concatenated
// archives have the records of both.
TEST(TarAttacks, NothingIsLostOfWhatIsTaken) {
  SourceOptions options;
  options.path = WriteText(
      NewFolder() + "/a.tar",
      Member("1.json", "{}") + Member("1.png", "first") + End() + std::string(8192, '\0') +
          Member("2.json", "{}") + Link("2.png", "1.png") + Member("k", "./1.png", 'K') +
          Member("3.png", "", '1') + Pax("18 linkpath=2.png\n") + Member("4.png", "", '1') +
          Member("3.json", "{}") + Member("4.json", "{}"));
  const auto source = OpenSource(options);
  const Attack attack("tar: links, and an archive behind another");
  attack.Harmless(source.status());
  ASSERT_TRUE(source.ok());
  ASSERT_EQ((*source)->size(), 4);
  for (int64_t i = 0; i < 4; ++i) {
    const auto sample = (*source)->Read(i);
    ASSERT_TRUE(sample.ok()) << sample.status();
    EXPECT_EQ(*std::get<MediaSource>(sample->fields.at("image")).bytes, "first") << i;
  }
}

}  // namespace
}  // namespace unival
