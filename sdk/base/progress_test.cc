#include "sdk/base/progress.h"

#include <gtest/gtest.h>

#include "sdk/base/test_files.h"

namespace unival {
namespace {

// Records what a ProgressLine writes; the test sets its clock.
class ProgressTest : public ::testing::Test {
 protected:
  ProgressOptions Options(bool terminal) {
    file_ = std::fopen(path_.c_str(), "wb");
    return {false, file_, terminal, [this] { return now_; }};
  }
  std::string Written() {
    std::fclose(file_);
    return ReadText(path_);
  }

  const std::string path_ = NewFolder() + "/written";
  std::FILE* file_ = nullptr;
  double now_ = 100;
};

TEST_F(ProgressTest, ATerminalsLineIsRewrittenAndEnded) {
  {
    ProgressLine line(Options(true));
    line.Show("one");
    line.Show("too soon");
    now_ += 1;
    line.Show("two");
  }
  EXPECT_EQ(Written(), "\r\033[Kone\r\033[Ktwo\n");
}

TEST_F(ProgressTest, AWarningIsWrittenWhereProgressIsNot) {
  {
    ProgressOptions options = Options(false);
    options.quiet = true;
    ProgressLine line(options);
    line.Show("one");
    line.Say("two");
    line.Warn("three");
    options.warnings = false;
    ProgressLine(options).Warn("four");
  }
  EXPECT_EQ(Written(), "warning: three\n");
}

TEST_F(ProgressTest, ALogGetsALineEveryFiveSeconds) {
  {
    ProgressLine line(Options(false));
    for (int second = 0; second < 11; ++second, now_ += 1) line.Show(std::to_string(second));
  }
  EXPECT_EQ(Written(), "0\n5\n10\n");
}

TEST_F(ProgressTest, ACountHasShareAndTimeLeft) {
  {
    ProgressLine line(Options(false));
    line.Count("evaluating", 0, 400);
    now_ += 60;
    line.Count("evaluating", 100, 400);
    now_ += 1;
    line.Count("evaluating", 101, 400);
    now_ += 179;
    line.Count("evaluating", 400, 400);
  }
  EXPECT_EQ(Written(),
            "evaluating: 0 of 400 (0 %)\n"
            "evaluating: 100 of 400 (25 %), 3m00s left\n"
            "evaluating: 400 of 400, took 4m00s\n");
}

TEST_F(ProgressTest, AnotherCountBeginsItsOwnPace) {
  {
    ProgressLine line(Options(false));
    line.Count("train", 1, 1);
    now_ += 600;
    line.Count("eval", 1, 2);
    now_ += 2;
    line.Count("eval", 2, 2);
  }
  EXPECT_EQ(Written(), "train: 1 of 1, took 0s\neval: 1 of 2 (50 %)\neval: 2 of 2, took 2s\n");
}

TEST_F(ProgressTest, ACountNamesWhatIsInWork) {
  {
    ProgressLine line(Options(false));
    line.Count("comparing", 0, 2, "first.json");
    now_ += 10;
    line.Count("comparing", 1, 2, "second.json");
  }
  EXPECT_EQ(Written(),
            "comparing: 0 of 2 (0 %): first.json\n"
            "comparing: 1 of 2 (50 %), 10s left: second.json\n");
}

TEST_F(ProgressTest, AClearedLineLeavesNothing) {
  {
    ProgressLine line(Options(true));
    line.Show("one");
    line.Clear();
  }
  EXPECT_EQ(Written(), "\r\033[Kone\r\033[K");
}

TEST_F(ProgressTest, AQuietLineWritesNothing) {
  {
    ProgressOptions options = Options(true);
    options.quiet = true;
    ProgressLine line(options);
    line.Count("a", 0, 2);
    line.Say("b");
  }
  EXPECT_EQ(Written(), "");
}

TEST(DurationText, HasTheTwoLargestUnits) {
  EXPECT_EQ(DurationText(0.4), "0s");
  EXPECT_EQ(DurationText(59.6), "1m00s");
  EXPECT_EQ(DurationText(3599), "59m59s");
  EXPECT_EQ(DurationText(3900), "1h05m");
}

}  // namespace
}  // namespace unival
