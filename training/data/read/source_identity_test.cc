// The identity of data that a run records: the same for a copy, different for other data; and how
// much of the data was read for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <utime.h>

#include <filesystem>
#include <fstream>

#include "training/data/files/data_identity.h"
#include "training/data/read/index_tests.h"

namespace unival {
namespace {

DataIdentity IdentityOf(const SourceOptions& options, bool read_all = false) {
  const auto source = OpenSource(options);
  EXPECT_TRUE(source.ok()) << source.status();
  if (!source.ok()) return {};
  const auto identity = (*source)->Identity(read_all);
  EXPECT_TRUE(identity.ok()) << identity.status();
  return identity.value_or(DataIdentity());
}

TEST(DataIdentity, OfACopyIsTheSameAndOfOtherDataAnother) {
  const std::string a = NewFolder("a"), b = NewFolder("b");
  for (const std::string& folder : {a, b}) {
    WriteText(folder + "/lines.jsonl", "{\"image\": \"images.tar:1.png\"}\n{\"x\": \"y\"}\n");
    WriteTar(folder + "/images.tar", {{"1.png", "bytes"}, {"2.png", "of two"}});
    LetTimePass();
  }
  for (const char* name : {"/lines.jsonl", "/images.tar"}) {
    const DataIdentity first = IdentityOf(Indexed(a + name));
    ASSERT_TRUE(first.content.has_value());
    EXPECT_EQ(*first.content, first.sampled);  // nothing was large enough to be sampled
    EXPECT_EQ(first.content, IdentityOf(Indexed(b + name)).content);
    EXPECT_EQ(first.content, IdentityOf(Indexed(a + name)).content);  // from the index
    EXPECT_EQ(first.content, IdentityOf(Indexed(a + name), /*read_all=*/true).content);
    SourceOptions limited = Indexed(a + name);
    limited.limit = 1;
    EXPECT_NE(first.content, IdentityOf(limited).content);
  }
  const DataIdentity before = IdentityOf(Indexed(a + "/lines.jsonl"));
  WriteTar(a + "/images.tar", {{"1.png", "bytes"}, {"2.png", "of twO"}});
  EXPECT_NE(IdentityOf(Indexed(a + "/images.tar")).content,
            IdentityOf(Indexed(b + "/images.tar")).content);
  EXPECT_NE(IdentityOf(Indexed(a + "/lines.jsonl")).content, before.content);
  WriteText(b + "/lines.jsonl", "{\"image\": \"images.tar:1.png\"}\n{\"x\": \"z\"}\n");
  EXPECT_NE(IdentityOf(Indexed(b + "/lines.jsonl")).content, before.content);
  EXPECT_EQ(IdentityOf(Indexed(b + "/{lines.jsonl,images.tar}")).content,
            IdentityOf(Indexed(b + "/{lines.jsonl,images.tar}"), true).content);
}

TEST(DataIdentity, OfALargeTarIsNotItsContentUnlessThatIsReadOrKnown) {
  const std::string path = NewFolder() + "/large.tar";
  WriteTar(path, {{"1.png", std::string(kWholeTar, 'x')}, {"2.png", "y"}});
  LetTimePass();
  const DataIdentity quick = IdentityOf(Indexed(path));
  EXPECT_FALSE(quick.content.has_value());
  const DataIdentity whole = IdentityOf(Indexed(path), /*read_all=*/true);
  ASSERT_TRUE(whole.content.has_value());
  EXPECT_EQ(whole.sampled, quick.sampled);
  EXPECT_EQ(IdentityOf(Indexed(path)).content, whole.content);  // its index has it now
  // Between the pieces that are sampled.
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp((kWholeTar / 64) * 5 + (kWholeTar / 128));
  file.put('z').flush();
  EXPECT_EQ(IdentityOf(Indexed(path)).sampled, whole.sampled);
  EXPECT_NE(IdentityOf(Indexed(path), true).content, whole.content);
  file.seekp(600);
  file.put('z').flush();
  EXPECT_NE(IdentityOf(Indexed(path)).sampled, whole.sampled);
}

TEST(DataIdentity, OfAFolderIsItsFilesTimesOrTheirContent) {
  const std::string folder = NewFolder("classes");
  const std::string file = WriteText(folder + "/owl/1.png", "x");
  SourceOptions options;
  options.path = folder;
  const DataIdentity before = IdentityOf(options, /*read_all=*/true);
  EXPECT_FALSE(IdentityOf(options).content.has_value());
  const struct utimbuf other_times = {1000, 1000};
  ASSERT_EQ(utime(file.c_str(), &other_times), 0);
  const DataIdentity touched = IdentityOf(options, true);
  EXPECT_EQ(touched.content, before.content);
  EXPECT_NE(touched.sampled, before.sampled);
  WriteText(file, "y");
  EXPECT_NE(IdentityOf(options, true).content, before.content);
}

// Fields are checked before a run; the content of large tars is not.
TEST(DataIdentity, FieldsAreReadWithoutTheBytesOfMedia) {
  const std::string folder = NewFolder();
  WriteTar(folder + "/a.tar", {{"1.json", "{\"n\": \"one\"}"}, {"1.png", "bytes"}});
  WriteText(folder + "/a.jsonl",
            "{\"image\": \"a.tar:1.png\", \"n\": \"one\"}\n{\"image\": \"a.tar:2.png\"}\n");
  for (const char* name : {"/a.tar", "/a.jsonl", "/a.{tar,jsonl}"}) {
    const auto source = OpenSource(Indexed(folder + name));
    ASSERT_TRUE(source.ok()) << source.status();
    const auto all = (*source)->Read(0), fields = (*source)->ReadFields(0);
    ASSERT_TRUE(all.ok() && fields.ok()) << all.status() << fields.status();
    EXPECT_EQ(all->key, fields->key);
    EXPECT_EQ(std::get<std::string>(fields->fields.at("n")), "one");
    const auto& with = std::get<MediaSource>(all->fields.at("image"));
    const auto& without = std::get<MediaSource>(fields->fields.at("image"));
    EXPECT_EQ(*with.bytes, "bytes");
    EXPECT_EQ(without.bytes, nullptr);
    EXPECT_EQ(with.name, without.name);
  }
  const auto lines = OpenSource(Indexed(folder + "/a.jsonl"));
  EXPECT_EQ((*lines)->ReadFields(1).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace unival
