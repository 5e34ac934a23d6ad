// unival: test_shell.h - runs command lines in tests.
//
//   const ShellOutcome outcome = RunShell("nm -D --defined-only " + library);
//   EXPECT_EQ(outcome.code, 0) << outcome.err;
#ifndef UNIVAL_SDK_BASE_TEST_SHELL_H_
#define UNIVAL_SDK_BASE_TEST_SHELL_H_

#include <string>

namespace unival {

struct ShellOutcome {
  int code = -1;  // exit code; 128 + signal when the shell was ended by one
  std::string out, err;
};

// Runs a command line with /bin/sh and empty standard input. The output is kept in the files .out
// and .err of `folder` during the run, so use a folder for one command at a time. An empty `folder`
// means the test's temporary folder. If the shell cannot be started, the calling test fails.
ShellOutcome RunShell(const std::string& command_line, const std::string& folder = "");

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_TEST_SHELL_H_
