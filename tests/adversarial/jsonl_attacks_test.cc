// Attacks by JSONL files and by the media that they name.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"
#include "tests/adversarial/attack.h"
#include "training/data/files/tar_writer.h"
#include "training/data/files/test_files.h"
#include "training/data/read/source.h"
#include "training/data/read/test_columns.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

absl::Status ReadAll(const std::string& path) {
  SourceOptions options;
  options.path = path;
  const auto source = OpenSource(options);
  return source.ok() ? AllColumns(**source).status() : source.status();
}

std::string Repeated(const std::string& text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

// A record with `count` columns.
std::string Columns(int count) {
  std::string record = "{";
  for (int i = 0; i < count; ++i) absl::StrAppend(&record, i == 0 ? "" : ",", "\"c", i, "\":1");
  return record + "}";
}

TEST(JsonlAttacks, RecordsThatAreNone) {
  const std::string folder = NewFolder();
  const std::vector<std::string> lines = {
      "{",
      "}",
      "[",
      "[1]",
      "1",
      "\"text\"",
      "null",
      "true",
      "{}{}",
      "{\"a\": 1",
      "{\"a\" 1}",
      "{\"a\": }",
      "{\"a\": 1,}",
      "{,}",
      "{'a': 1}",
      "{a: 1}",
      "{\"a\": 01}",
      "{\"a\": +1}",
      "{\"a\": .5}",
      "{\"a\": 0x10}",
      "{\"a\": NaN}",
      "{\"a\": Infinity}",
      "{\"a\": -Infinity}",
      "{\"a\": 1e999}",
      "{\"a\": -1e999}",
      "{\"a\": \"x}",
      "{\"a\": \"\\q\"}",
      "{\"a\": \"\\ud800\"}",
      "{\"a\": \"\\u12\"}",
      "{\"a\": \"\xff\"}",
      "{\"a\": \"\xc0\xaf\"}",
      "{\"a\": \"\xed\xa0\x80\"}",
      "{\"a\": \"\x01\"}",
      std::string("{\"a\": \"x\0y\"}", 12),
      std::string("\0\0\0\0", 4),
      "// a comment",
      "{\"a\": 1} // more",
      "{\"a\": 1, \"a\": 2}",
      "{\"a\": \"x\", \"b\": 1, \"a\": \"x\"}",
      "{\"\": 1, \"\": 2}",
      "{\"a\": [1, \"b\"]}",
      "{\"a\": [[1]]}",
      "{\"a\": [null]}",
      "{\"a\": {\"b\": 1}}",
      Repeated("[", 100000),
      Repeated("{\"a\":", 100000),
      "{\"a\": " + Repeated("[", 5000) + Repeated("]", 5000) + "}",
      Columns(10001),
      Columns(200000),
      "[" + Repeated("{\"a\": 1},", 1000) + "{}]",
      "\xff\xfe{\0\"\0a\0\"\0:\0"
      "1\0}\0",
      std::string("\xff\xfe{\0}\0", 6),
      std::string("\xfe\xff\0{\0}", 6),
      std::string("{\0\"\0a\0", 6),
      std::string("\0{\0\"\0a", 6),
      std::string("\xff\xfe\0\0{\0\0\0", 8),
      "{\"a\": 1}\r{\"a\": 2}",
      "{\"a\": \"\xf4\x90\x80\x80\"}",
      "{\"a\": \"\xe0\x80\xaf\"}",
      "{\"\xff\": 1}",
      "{\"a\": -}",
      "{\"a\": 1e}",
      "{\"a\": 1e+400}",
      "{\"a\": [1e999]}",
      "{\"a\": tru}",
      "{\"a\": \"\\u0\"}",
      "{\"a\": \"\\udc00\\ud800\"}",
  };
  for (const std::string& line : lines) {
    const Attack attack("jsonl: " + line.substr(0, 40));
    attack.Refused(ReadAll(WriteText(folder + "/a.jsonl", line + "\n")));
  }
}

TEST(JsonlAttacks, RecordsThatLookWorseThanTheyAre) {
  const std::string folder = NewFolder();
  for (const std::string& line :
       {std::string("{}"), std::string("{\"a\": 1e-999}"), std::string("{\"a\": -0}"),
        std::string("{\"\\u0000\": \"\\u0000\"}"), std::string("{\"a\": \"\\u202e\\u001b[2J\"}"),
        std::string("{\"a\": 123456789012345678901234567890}"),
        "{\"text\": \"" + Repeated(".tar:", 200000) + "\"}",
        "{\"text\": \"" + std::string(4000000, 'x') + "\"}", Columns(10000),
        std::string("\xef\xbb\xbf{}"), std::string("{\"a\": \"\\u2028\\ufeff\"}"),
        std::string("{\"\": 1}"), std::string("{\"a\": \"\xf0\x9f\x90\x88\"}"),
        std::string("{\"a\": 18446744073709551616}")}) {
    const Attack attack("jsonl: " + line.substr(0, 40));
    attack.Harmless(ReadAll(WriteText(folder + "/a.jsonl", line + "\n")));
  }
}

TEST(JsonlAttacks, MediaThatLieElsewhere) {
  const std::string folder = NewFolder(), data = folder + "/data";
  WriteText(folder + "/secret.png", "x");
  WriteText(data + "/own/1.png", "x");
  {
    auto tar = *TarWriter::Create(data + "/own.tar");
    ASSERT_TRUE(tar->Add("1.png", "x").ok() && tar->Finish().ok());
  }
  fs::copy(data + "/own.tar", folder + "/secret.tar");
  fs::create_symlink("../secret.png", data + "/link.png");
  fs::create_symlink("../secret.tar", data + "/link.tar");
  fs::create_symlink(fs::absolute(folder + "/secret.png"), data + "/absolute.png");
  fs::create_symlink("/etc/passwd", data + "/passwd");
  fs::create_symlink("/proc/self/mem", data + "/mem");
  fs::create_symlink("/dev/zero", data + "/zero");
  fs::create_symlink("circle", data + "/circle");
  fs::create_symlink("nothing", data + "/dangling");
  fs::create_directory_symlink("..", data + "/up");
  fs::create_directory_symlink("/", data + "/root");
  ASSERT_EQ(mkfifo((data + "/pipe.tar").c_str(), 0600), 0);
  fs::create_directories(data + "/folder.tar");
  for (const std::string& path : {std::string("/etc/passwd"),
                                  std::string("../secret.png"),
                                  std::string("own/../../secret.png"),
                                  std::string(".."),
                                  std::string(""),
                                  std::string("own/.."),
                                  std::string("link.png"),
                                  std::string("link.tar:1.png"),
                                  std::string("absolute.png"),
                                  std::string("passwd"),
                                  std::string("mem"),
                                  std::string("zero"),
                                  std::string("circle"),
                                  std::string("dangling"),
                                  std::string("up/secret.png"),
                                  std::string("root/etc/passwd"),
                                  std::string("up/data/own/1.png/x"),
                                  std::string("pipe.tar:1.png"),
                                  std::string("folder.tar:1.png"),
                                  std::string("own.tar:2.png"),
                                  std::string("own.tar:"),
                                  std::string(".tar:"),
                                  std::string(".tar:1.png"),
                                  std::string("none.tar:1.png"),
                                  std::string("own.tar:../1.png"),
                                  std::string("own.tar:own.tar:1.png"),
                                  std::string("own\\u0000.png"),
                                  std::string(5000, 'n'),
                                  Repeated("n/", 3000) + "x",
                                  Repeated("own/../", 1000) + "own/1.png"}) {
    const Attack attack("media: " + path.substr(0, 40));
    attack.Refused(
        ReadAll(WriteText(data + "/a.jsonl", absl::StrCat("{\"image\": \"", path, "\"}\n"))));
  }
  for (const char* value : {"1", "[\"own/1.png\"]", "{\"path\": \"own/1.png\"}", "true"}) {
    const Attack attack(absl::StrCat("media: ", value));
    attack.Refused(
        ReadAll(WriteText(data + "/a.jsonl", absl::StrCat("{\"image\": ", value, "}\n"))));
  }
}

TEST(JsonlAttacks, FilesThatAreNone) {
  const std::string folder = NewFolder();
  ASSERT_EQ(mkfifo((folder + "/pipe.jsonl").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo((folder + "/pipe.tar").c_str(), 0600), 0);
  fs::create_symlink("pipe.jsonl", folder + "/link.jsonl");
  fs::create_symlink("/dev/zero", folder + "/zero.jsonl");
  fs::create_symlink("/dev/full", folder + "/full.tar");
  fs::create_symlink("circle.jsonl", folder + "/circle.jsonl");
  fs::create_directories(folder + "/folder.jsonl");
  WriteText(folder + "/empty.jsonl", "");
  WriteText(folder + "/blank.jsonl", "\n \n\t\r\n");
  WriteText(folder + "/sparse.jsonl", "");
  WriteText(folder + "/sparse.tar", "");
  fs::resize_file(folder + "/sparse.jsonl", uint64_t{1} << 40);
  fs::resize_file(folder + "/sparse.tar", uint64_t{1} << 40);
  for (const std::string& name :
       {std::string("pipe.jsonl"), std::string("pipe.tar"), std::string("link.jsonl"),
        std::string("zero.jsonl"), std::string("full.tar"), std::string("circle.jsonl"),
        std::string("folder.jsonl"), std::string("empty.jsonl"), std::string("blank.jsonl"),
        std::string("sparse.jsonl"), std::string("sparse.tar"), std::string("none.jsonl"),
        std::string("none.csv"), std::string(300, 'n') + ".jsonl",
        std::string("empty.jsonl/x.jsonl")}) {
    const Attack attack("file: " + name.substr(0, 40));
    attack.Refused(ReadAll(folder + "/" + name));
  }
}

}  // namespace
}  // namespace unival
