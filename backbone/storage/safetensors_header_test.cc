#include "backbone/storage/safetensors_header.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

std::string File(const std::string& json, size_t data_bytes) {
  std::string file;
  for (uint64_t size = json.size(), i = 0; i < 8; ++i, size >>= 8) {
    file.push_back(static_cast<char>(size & 0xff));
  }
  return file + json + std::string(data_bytes, '\0');
}

std::string Entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return absl::StrCat("\"", name, "\":{\"dtype\":\"", dtype, "\",\"shape\":", shape,
                      ",\"data_offsets\":", offsets, "}");
}

void ExpectRefused(const std::string& file, const std::string& words) {
  const auto header = ParseSafetensorsHeader(file);
  EXPECT_EQ(header.status().code(), absl::StatusCode::kInvalidArgument) << words;
  EXPECT_NE(header.status().message().find(words), absl::string_view::npos)
      << "no \"" << words << "\" in: " << header.status();
}

void ExpectEntryRefused(const std::string& entry, size_t data_bytes, const std::string& words) {
  ExpectRefused(File("{" + entry + "}", data_bytes), words);
}

TEST(SafetensorsHeader, ReadsTensorsAndMetadata) {
  const std::string json =
      "{\"__metadata__\":{\"format\":\"pt\"}," + Entry("b", "F32", "[2]", "[8,16]") + "," +
      Entry("a", "I64", "[]", "[0,8]") + "," + Entry("none", "F16", "[0,3]", "[16,16]") + "}  ";
  const auto header = ParseSafetensorsHeader(File(json, 16));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->tensors.size(), 3u);
  EXPECT_EQ(header->tensors.at("a").begin, static_cast<int64_t>(8 + json.size()));
  EXPECT_EQ(header->tensors.at("b").shape, std::vector<int64_t>({2}));
  EXPECT_EQ(header->metadata.at("format"), "pt");
}

TEST(SafetensorsHeader, WhatItSerializesItReads) {
  SafetensorsHeader header;
  header.metadata["note"] = "\"quoted\" \xc3\xa9";
  header.tensors["w"] = {SafetensorsDtype::kBF16, {2, 3}, 0, 12};
  const std::string text = SerializeSafetensorsHeader(header);
  EXPECT_EQ(text.size() % 64, 0u);
  const auto read = ParseSafetensorsHeader(text + std::string(12, 'x'));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->metadata, header.metadata);
  EXPECT_EQ(read->tensors.at("w").begin, static_cast<int64_t>(text.size()));
}

TEST(SafetensorsHeader, RefusesSizesThatLie) {
  ExpectRefused("", "0 bytes, too few");
  ExpectRefused("1234567", "7 bytes, too few");
  ExpectRefused(std::string(8, '\xff'), "truncated, or not safetensors");
  ExpectRefused(File("{}", 0).substr(0, 9), "said to have 2 bytes");
  ExpectRefused(File("{}", 1), "end at byte 10, the file at 11");
}

TEST(SafetensorsHeader, RefusesWhatIsNoJsonObject) {
  ExpectRefused(File("", 0), "not JSON");
  ExpectRefused(File("{\"a\":", 0), "not JSON");
  ExpectRefused(File("\xff\xfe", 0), "not JSON");
  ExpectRefused(File("[]", 0), "not a JSON object");
  ExpectRefused(File("{\"a\":" + std::string(100000, '['), 0), "");
  ExpectRefused(File("{\"a\":" + std::string(50, '[') + std::string(50, ']') + "}", 0),
                "nested too deeply");
}

TEST(SafetensorsHeader, RefusesTheSameNameTwice) {
  const std::string entry = Entry("a", "U8", "[1]", "[0,1]");
  ExpectEntryRefused(entry + "," + entry, 1, "\"a\" is there twice");
}

TEST(SafetensorsHeader, RefusesWrongFields) {
  ExpectEntryRefused("\"a\":1", 0, "expected exactly the fields");
  ExpectEntryRefused("\"a\":{\"dtype\":\"U8\",\"shape\":[0]}", 0, "expected exactly the fields");
  ExpectEntryRefused(Entry("a", "F8", "[1]", "[0,1]"), 1, "dtype \\\"F8\\\" is not one of F64 F32");
  ExpectEntryRefused(Entry("a", "U8", "1", "[0,1]"), 1, "shape is not a list");
  ExpectEntryRefused(Entry("a", "U8", "[-1]", "[0,1]"), 1, "shape is not a list");
  ExpectEntryRefused(Entry("a", "U8", "[1.5]", "[0,1]"), 1, "shape is not a list");
  ExpectEntryRefused(Entry("a", "U8", "[9223372036854775808]", "[0,1]"), 1, "shape is not a list");
  ExpectEntryRefused(Entry("a", "U8", "[1]", "[0,1,2]"), 1, "do not lie within");
  ExpectEntryRefused("\"__metadata__\":1", 0, "__metadata__ is not");
  ExpectEntryRefused("\"__metadata__\":{\"a\":1}", 0, "is not a string");
}

TEST(SafetensorsHeader, RefusesOffsetsThatDoNotFit) {
  ExpectEntryRefused(Entry("a", "U8", "[2]", "[0,2]"), 1, "do not lie within the 1 bytes");
  ExpectEntryRefused(Entry("a", "U8", "[1]", "[1,0]"), 1, "do not lie within");
  ExpectEntryRefused(Entry("a", "F32", "[2]", "[0,4]"), 4, "needs 8 bytes, data_offsets hold 4");
  ExpectEntryRefused(Entry("a", "F32", "[4611686018427387904,4]", "[0,4]"), 4, "too many elements");
  ExpectEntryRefused(Entry("a", "F32", "[4611686018427387904,4,0]", "[0,0]"), 0,
                     "too many elements");
}

TEST(SafetensorsHeader, RefusesOverlapsAndHoles) {
  const std::string a = Entry("a", "U8", "[2]", "[0,2]");
  ExpectEntryRefused(a + "," + Entry("b", "U8", "[2]", "[1,3]"), 3, "neither overlap nor leave");
  ExpectEntryRefused(a + "," + Entry("b", "U8", "[2]", "[0,2]"), 2, "neither overlap nor leave");
  ExpectEntryRefused(a + "," + Entry("b", "U8", "[2]", "[3,5]"), 5, "neither overlap nor leave");
  ExpectEntryRefused(a, 3, "the tensors end at byte");
}

TEST(SafetensorsHeader, NamesInMessagesAreEscapedAndShort) {
  const std::string name = "\\u0007" + std::string(5000, 'x');
  const auto header =
      ParseSafetensorsHeader(File("{" + Entry(name, "F8", "[1]", "[0,1]") + "}", 1));
  EXPECT_LT(header.status().message().size(), 500u);
  EXPECT_EQ(header.status().message().find('\x07'), absl::string_view::npos);
}

}  // namespace
}  // namespace unival
