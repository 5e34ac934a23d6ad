#include "app/output.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <sstream>

#include "app/options.h"

namespace unival {
namespace {

using ::testing::HasSubstr;
using ::testing::Lt;

TEST(OutputTest, WhatATerminalWouldActOnIsEscapedOnBothStreams) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  {
    StandardOutput output;
    std::cout << "a \x1b[31m b\n";
    // A character whose bytes arrive one by one is not split.
    std::cout << '\xc3' << '\xa9' << "\n";
    std::cerr << "\xff"
              << "\n";
    EXPECT_TRUE(output.Finish().ok());
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "a \\x1b[31m b\né\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "\\xff\n");
}

// While it exists, standard output is a device that accepts no data.
class FullOutput {
 public:
  FullOutput() : kept_(dup(STDOUT_FILENO)) {
    std::fflush(stdout);
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    dup2(full, STDOUT_FILENO);
    close(full);
  }
  ~FullOutput() {
    std::fflush(stdout);
    dup2(kept_, STDOUT_FILENO);
    close(kept_);
    std::cout.clear();
    std::clearerr(stdout);
  }

 private:
  const int kept_;
};

TEST(OutputTest, AFullDeviceIsAnErrorOfEveryCommand) {
  for (const size_t bytes : {1, 100000}) {
    testing::internal::CaptureStderr();
    int code = -1;
    {
      FullOutput full;
      Command program("program", "Prints");
      Command& command = program.AddCommand("print", "Prints");
      command.OnRun([bytes] {
        std::cout << std::string(bytes, 'x');
        return absl::OkStatus();
      });
      code = program.Run({"print"});
    }
    EXPECT_EQ(code, kFailed);
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                HasSubstr("unival: standard output: cannot be written: no space left on device"));
  }
}

TEST(OutputTest, AMessageIsEscapedAndCutWhereItIsPrinted) {
  testing::internal::CaptureStderr();
  Command program("program", "Fails");
  Command& command = program.AddCommand("fail", "Fails");
  std::string name;
  command.AddPositional("name", &name, "What the message names");
  command.OnRun([&name] {
    return absl::InvalidArgumentError(name + ": \x1b]0;title\a" + std::string(4 << 20, 'x') +
                                      "; the remedy");
  });
  EXPECT_EQ(program.Run({"fail", "file"}), kFailed);
  const std::string message = testing::internal::GetCapturedStderr();
  EXPECT_THAT(message.size(), Lt(20000));
  EXPECT_THAT(message, HasSubstr("unival: file: \\x1b]0;title\\x07xxx"));
  EXPECT_THAT(message, HasSubstr("bytes left out"));
  EXPECT_THAT(message, HasSubstr("xxx; the remedy\n"));
}

TEST(OutputTest, AWordOfMegabytesOnTheCommandLineIsCut) {
  Command program("program", "Takes a number");
  Command& command = program.AddCommand("take", "Takes a number");
  int64_t number = 0;
  command.AddOption("--number", &number, "A number");
  command.OnRun([] { return absl::OkStatus(); });
  const std::string word = std::string(4 << 20, 'y') + "\x1b[2J";
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"take", "--number", word}, {"take", "--" + word}, {word}}) {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    EXPECT_EQ(program.Run(words), kUsage);
    const std::string text =
        testing::internal::GetCapturedStderr() + testing::internal::GetCapturedStdout();
    EXPECT_THAT(text.size(), Lt(20000));
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_NE(text, "");
  }
}

}  // namespace
}  // namespace unival
