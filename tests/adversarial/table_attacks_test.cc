// Attacks by tables of the reference and by packed data files.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
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
  options.columns = {{"image", "0"}};
  const auto source = OpenSource(options);
  return source.ok() ? AllColumns(**source).status() : source.status();
}

absl::StatusOr<TaskSample> First(const std::string& path) {
  SourceOptions options;
  options.path = path;
  const auto source = OpenSource(options);
  return source.ok() ? (*source)->Read(0) : source.status();
}

std::string Repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(TableAttacks, LinesThatAreNone) {
  const std::string folder = NewFolder();
  WriteText(folder + "/../secret.png", "x");
  std::filesystem::create_symlink("../secret.png", folder + "/link.png");
  const std::string media = absl::Base64Escape(std::string(100, 'm'));
  for (const std::string& text : std::vector<std::string>{"",
                                                          "\n\n",
                                                          "\tx\n",
                                                          "..\tx\n",
                                                          "/etc/passwd\tx\n",
                                                          "link.png\tx\n",
                                                          "none.png\tx\n",
                                                          "caf\xe9.png\tx\n",
                                                          media + "\tcaf\xe9\n",
                                                          media + "\t\xed\xa0\x80\n",
                                                          media + "\t\xc0\xaf\n",
                                                          media.substr(0, 65) + "\tx\n",
                                                          std::string(200, '=') + "\tx\n",
                                                          "\xff\xfe"
                                                          "0",
                                                          std::string("0\0\t\0x\0", 6),
                                                          std::string("\0"
                                                                      "0\0\t\0x",
                                                                      6),
                                                          media + Repeated("\t", 10001),
                                                          Repeated("\t", 30 << 20),
                                                          std::string(65 << 20, 'A'),
                                                          "1,2,3,4\tx\n",
                                                          "a.tar:b\tx\n",
                                                          ".tar:\tx\n"}) {
    const Attack attack("table: " + absl::CEscape(text.substr(0, 40)));
    attack.Refused(ReadAll(WriteText(folder + "/a.tsv", text)));
  }
}

TEST(TableAttacks, NumbersThatAreNoneAreTexts) {
  const std::string folder = NewFolder();
  for (const std::string& text :
       {std::string("nan,nan,nan,nan"), std::string("1,2,inf,4"), std::string("1e999,1,1,1"),
        std::string("-inf,0,0,0"), std::string("1,2,3,"), std::string("\"1,2,3,4\""),
        std::string("\x1b[2J"), std::string("a\0b", 3), Repeated("1,", 100000)}) {
    const auto sample = First(WriteText(folder + "/a.tsv", text + "\n"));
    const Attack attack("table: " + absl::CEscape(text.substr(0, 40)));
    attack.Harmless(sample.status());
    ASSERT_TRUE(sample.ok());
    EXPECT_EQ(std::get<std::string>(sample->fields.at("0")), text);
  }
}

TEST(PackedAttacks, FilesThatCannotBeUnpacked) {
  const std::string folder = NewFolder();
  const std::string line = "{\"0\": \"x\"}\n", good = Gzip(Repeated(line, 1000));
  std::string wrong_sum = good, wrong_length = good;
  wrong_sum[good.size() - 8] ^= 1;
  wrong_length[good.size() - 1] ^= 1;
  const std::vector<std::pair<std::string, std::string>> files = {
      {"nothing", ""},
      {"a mark alone", "\x1f\x8b"},
      {"a name without end", "\x1f\x8b\x08\x08" + std::string(1 << 20, 'n')},
      {"another method", "\x1f\x8b\x07" + std::string(100, 'x')},
      {"a cut file", good.substr(0, good.size() / 2)},
      {"a cut sum", good.substr(0, good.size() - 3)},
      {"a wrong sum", wrong_sum},
      {"a wrong length", wrong_length},
      {"a second member that is cut", good + good.substr(0, 20)},
      {"a second member that is none", good + "\x1f\x8bxxxxxxxxxxxxxxxxxxx"},
      {"members without content", Repeated(Gzip(""), 20000)},
      {"packed twice", Gzip(good)},
      {"a Zstandard mark alone", "\x28\xb5\x2f\xfd"},
      {"Zstandard that is none", "\x28\xb5\x2f\xfd" + std::string(1000, '\xff')},
      {"Zstandard of a window of 3 TiB", "\x28\xb5\x2f\xfd\x04\xf8" + std::string(100, '\1')},
      {"bzip2", "BZh9" + std::string(100, ' ') + "x"},
      {"zlib without gzip", "x\x9c" + std::string(100, 'x')},
  };
  for (const auto& [name, bytes] : files) {
    for (const char* kind : {"/a.jsonl.gz", "/a.tar.gz", "/a.tsv.zst"}) {
      const Attack attack(absl::StrCat("packed: ", name, " as ", kind));
      attack.Refused(ReadAll(WriteText(folder + kind, bytes)));
    }
  }
}

TEST(PackedAttacks, FilesThatLookWorseThanTheyAre) {
  const std::string folder = NewFolder();
  WriteText(folder + "/x", "a medium");
  const std::string line = "{\"0\": \"x\"}\n", good = Gzip(line);
  for (const auto& [name, bytes] : std::vector<std::pair<std::string, std::string>>{
           {"two members", good + good},
           {"an empty member between", good + Gzip("") + good},
           {"padding", good + std::string(4096, '\0')},
           {"garbage behind", good + "garbage"},
           {"not packed", line},
           {"just a mebibyte", Gzip(std::string((1 << 20) - line.size(), '\n') + line)}}) {
    const Attack attack("packed: " + name);
    attack.Harmless(ReadAll(WriteText(folder + "/a.jsonl.gz", bytes)));
  }
}

}  // namespace
}  // namespace unival
