// unival: test_shell.h - command lines in tests.
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

// What /bin/sh makes of a command line; it reads nothing. What it prints lies meanwhile in the files
// .out and .err of `folder`, of which each is one command's at a time; empty: the test's temporary
// folder. One that cannot be started fails the calling test.
ShellOutcome RunShell(const std::string& command_line, const std::string& folder = "");

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_TEST_SHELL_H_
