#include "sdk/base/test_shell.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "sdk/base/process.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

absl::StatusOr<ProcessEnd> EndOf(const ProcessOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(Process process, Process::Start(options));
  return process.Wait();
}

}  // namespace

ShellOutcome RunShell(const std::string& command_line, const std::string& folder) {
  const std::string place = folder.empty() ? ::testing::TempDir() : folder;
  ProcessOptions options;
  options.command = {"/bin/sh", "-c", command_line};
  options.input = "/dev/null";
  options.output = absl::StrCat(place, "/.out");
  options.error_output = absl::StrCat(place, "/.err");
  const absl::StatusOr<ProcessEnd> end = EndOf(options);
  ShellOutcome outcome;
  if (!end.ok()) {
    ADD_FAILURE() << command_line << ": " << end.status();
    return outcome;
  }
  outcome.code = end->signal == 0 ? end->code : 128 + end->signal;
  outcome.out = ReadText(options.output);
  outcome.err = ReadText(options.error_output);
  return outcome;
}

}  // namespace unival
