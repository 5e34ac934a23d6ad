// Attacks by the sentencepiece file of a model: values that the library uses without a check.

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/adversarial/command_attack.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// A protobuf field with bytes.
std::string Field(int number, const std::string& bytes) {
  std::string field(1, static_cast<char>(number << 3 | 2));
  size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7) field += static_cast<char>(0x80 | (size & 0x7f));
  return field + static_cast<char>(size) + bytes;
}

std::string Bytes32(uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

// A table that replaces "a" by "b": a double array in which the children of the root begin at 256
// and the leaf of "a" is at 512, and the text. `offset` is the offset in the node of "a", `text`
// the value of its leaf.
std::string Table(uint32_t offset, uint32_t text, const std::string& texts) {
  constexpr uint32_t kA = 256 ^ 'a', kCount = 768, kHasEnd = 1 << 8, kEnd = uint32_t{1} << 31;
  std::vector<uint32_t> units(kCount);
  for (uint32_t i = 0; i < kCount; ++i) units[i] = i & 0xff;
  units[0] = 256 << 10;
  units[kA] = 'a' | kHasEnd | offset << 10;
  units[512] = kEnd | text;
  std::string trie;
  for (const uint32_t unit : units) trie += Bytes32(unit);
  return Bytes32(static_cast<uint32_t>(trie.size())) + trie + texts;
}

constexpr uint32_t kSoundOffset = 512 ^ 256 ^ 'a';

// The model nano with these bytes appended to its tokenizer file, and a correct hash in the
// manifest.
std::string ModelWith(const std::string& more) {
  static int number = 0;
  const Program& place = Workplace();
  const std::string name = absl::StrCat("models/spelled", ++number);
  fs::copy(place.Path("models/nano"), place.Path(name), fs::copy_options::recursive);
  const std::string file = place.Path(name + "/tokenizer/tokenizer.model");
  WriteText(file, ReadText(file) + more);
  const std::string told = place.Run("prompts speak " + name + " a").err;
  const std::regex hashes("sha256 ([0-9a-f]{64}), the manifest has \"([0-9a-f]{64})\"");
  std::smatch found;
  EXPECT_TRUE(std::regex_search(told, found, hashes)) << told;
  std::string manifest = ReadText(place.Path(name + "/manifest.textproto"));
  const size_t at = manifest.find(found.str(2));
  EXPECT_NE(at, std::string::npos);
  WriteText(place.Path(name + "/manifest.textproto"), manifest.replace(at, 64, found.str(1)));
  return name;
}

TEST(TokenizerAttacks, TablesOfCharactersThatReachBeyondThemselves) {
  constexpr int kNormalizer = 3, kDenormalizer = 5, kTable = 2;
  const std::string texts("b\0", 2), sound = Table(kSoundOffset, 0, texts);
  Try(Workplace(), {"a sound table",
                    "unival predict " + ModelWith(Field(kNormalizer, Field(kTable, sound))) +
                        " picture.png --task image_caption",
                    {0},
                    ""});
  const std::vector<std::pair<std::string, std::string>> tables = {
      {"children far away", Table(0x1fffff, 0, texts)},
      {"children behind the end", Table(768 ^ 256 ^ 'a', 0, texts)},
      {"a text far away", Table(kSoundOffset, 0x7fffff00, texts)},
      {"a text behind the end", Table(kSoundOffset, 2, texts)},
      {"a text without an end", Table(kSoundOffset, 0, "b")},
      {"an end that is a node", Table(256 ^ 'a', 0, texts)},
      {"a trie of half an entry", Bytes32(5) + "abcdefgh"},
      {"a trie longer than all", Bytes32(1000) + "abcd"},
      {"a trie of nothing", Bytes32(0) + texts},
      {"half a length", "ab"}};
  for (const auto& [name, table] : tables) {
    for (const std::string& more :
         {Field(kNormalizer, Field(kTable, table)), Field(kDenormalizer, Field(kTable, table)),
          Field(kNormalizer, Field(kTable, table)) + Field(kNormalizer, Field(1, "x"))}) {
      Try(Workplace(), {name,
                        "unival predict " + ModelWith(more) + " picture.png --task image_caption",
                        {1},
                        "table of characters"});
    }
  }
}

}  // namespace
}  // namespace unival
