#include "training/data/files/output_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sdk/base/test_files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

TEST(OutputFileTest, AFileThatIsReadIsRefusedUnderEveryName) {
  const std::string folder = NewFolder();
  const std::string read = WriteText(folder + "/read.jsonl", "{}\n");
  fs::create_symlink(read, folder + "/soft");
  fs::create_hard_link(read, folder + "/hard");
  const std::string around = folder + "/../" + fs::path(folder).filename().string();
  for (const std::string& file :
       {read, folder + "/soft", folder + "/hard", around + "/read.jsonl"}) {
    const absl::Status refused = CheckOutputFiles({"", file}, {read});
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << file;
    EXPECT_THAT(refused.message(), AllOf(HasSubstr(file), HasSubstr(read), HasSubstr("choose")));
  }
}

TEST(OutputFileTest, APatternMeansAllItsFilesAndAFolderAllBelowIt) {
  const std::string folder = NewFolder();
  WriteText(folder + "/s-0.jsonl", "{}\n");
  WriteText(folder + "/s-1.jsonl", "{}\n");
  fs::create_directories(folder + "/model/templates");
  WriteText(folder + "/model/templates/set.textproto", "");
  const std::string elsewhere = WriteText(folder + "/weights", "w");
  fs::create_symlink(elsewhere, folder + "/model/backbone");
  const std::string pattern = folder + "/s-{0,1}.jsonl", model = folder + "/model";
  EXPECT_FALSE(CheckOutputFiles({folder + "/s-1.jsonl"}, {pattern}).ok());
  EXPECT_FALSE(CheckOutputFiles({folder + "/s-0.jsonl"}, {folder + "/*.jsonl"}).ok());
  EXPECT_FALSE(CheckOutputFiles({model + "/templates/set.textproto"}, {pattern, model}).ok());
  EXPECT_FALSE(CheckOutputFiles({elsewhere}, {pattern, model}).ok());
}

TEST(OutputFileTest, FilesBesideWhatIsReadAreWritten) {
  const std::string folder = NewFolder();
  const std::string read = WriteText(folder + "/read.jsonl", "{}\n");
  const std::string earlier = WriteText(folder + "/answers.jsonl", "earlier");
  EXPECT_EQ(CheckOutputFiles({earlier, folder + "/new.json"}, {read, "nothing-{0..3}.tar"}),
            absl::OkStatus());
  EXPECT_EQ(WriteOutputFile(earlier, "now"), absl::OkStatus());
  EXPECT_EQ(ReadText(earlier), "now");
  EXPECT_TRUE(absl::IsNotFound(CheckOutputFiles({folder + "/gone/new.json"}, {read})));
}

TEST(OutputFileTest, ADeviceIsNoFileThatCouldBeLost) {
  EXPECT_EQ(CheckOutputFiles({"/dev/null"}, {"/dev/null"}), absl::OkStatus());
}

}  // namespace
}  // namespace unival
