#include "training/data/read/output_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "sdk/base/test_files.h"
#include "training/data/files/test_files.h"

namespace unival {
namespace {

using testing::HasSubstr;

std::unique_ptr<Source> Opened(const std::string& path) {
  SourceOptions options;
  options.path = path;
  options.missing_media = true;
  auto source = OpenSource(options);
  EXPECT_TRUE(source.ok()) << source.status();
  return *std::move(source);
}

TEST(OutputCheckTest, RefusesRecordsAndMediaThatTheyName) {
  const std::string folder = NewFolder();
  const std::string tar = WriteTar(folder + "/images.tar", {{"7.png", "p"}});
  const std::string picture = WriteText(folder + "/8.png", "p");
  WriteText(folder + "/a.jsonl", "{\"image\": \"images.tar:7.png\"}\n");
  WriteText(folder + "/b.jsonl", "not JSON\n{\"image\": \"8.png\"}\n{\"image\": \"gone.png\"}\n");
  const auto source = Opened(folder + "/{a,b}.jsonl");
  for (const std::string& file : {folder + "/a.jsonl", folder + "/b.jsonl", tar, picture}) {
    const absl::Status refused = CheckOutputFiles({"", file}, *source);
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << file;
    EXPECT_THAT(refused.message(), HasSubstr(file));
  }
  const std::string other = WriteText(folder + "/9.png", "of no record");
  EXPECT_EQ(CheckOutputFiles({other, folder + "/new.json"}, *source), absl::OkStatus());
}

TEST(OutputCheckTest, RefusesTheMediaOfAFolderOfClasses) {
  const std::string folder = NewFolder();
  const std::string picture = WriteText(folder + "/cat/1.png", "p");
  const std::string results = WriteText(folder + "/results.json", "{}");
  const auto source = Opened(folder);
  EXPECT_FALSE(CheckOutputFiles({picture}, *source).ok());
  EXPECT_EQ(CheckOutputFiles({results}, *source), absl::OkStatus());
}

}  // namespace
}  // namespace unival
