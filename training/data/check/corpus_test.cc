#include "training/data/check/corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sdk/base/test_files.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

TEST(CorpusTest, OnlyAFileWithASentenceIsACorpus) {
  const std::string file = NewFolder() + "/corpus.txt";
  for (const std::string& good : {std::string("a"), std::string("\n\n b\n"), std::string("\xff"),
                                  std::string(5000, 'x') + "\nword"}) {
    EXPECT_TRUE(CheckCorpus(WriteText(file, good)).ok()) << good.substr(0, 20);
  }
  for (const std::string& bad : {std::string(), std::string("\n\n"), std::string("\t\n \r\n"),
                                 std::string(3000, '\0'), std::string(5000, 'x')}) {
    const absl::Status status = CheckCorpus(WriteText(file, bad));
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << bad.substr(0, 20);
    EXPECT_THAT(std::string(status.message()), HasSubstr("corpus.txt: expected sentences"));
  }
}

TEST(CorpusTest, AFileOfAnySizeIsAnsweredInNoTime) {
  const std::string file = WriteText(NewFolder() + "/corpus.txt", "");
  for (const uint64_t size : {uint64_t{1} << 32, uint64_t{1} << 40}) {
    std::filesystem::resize_file(file, size);
    EXPECT_FALSE(CheckCorpus(file).ok());
  }
}

}  // namespace
}  // namespace unival
