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

// What /bin/sh makes of a command line, whose standard input is empty. Its output lies meanwhile in
// the files .out and .err of `folder`, so a folder serves one command at a time; an empty `folder`
// is the test's temporary one. A shell that cannot be started fails the calling test.
ShellOutcome RunShell(const std::string& command_line, const std::string& folder = "");

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_TEST_SHELL_H_
