// unival: program.h - runs the built `unival` program like a user, in its own folder.
//
//   Program program(NewFolder("work"));
//   Outcome outcome = program.Run("eval models/tiny --task none --data x.jsonl");
//   EXPECT_EQ(outcome.code, 1);
#ifndef UNIVAL_TESTS_INTEGRATION_CLI_PROGRAM_H_
#define UNIVAL_TESTS_INTEGRATION_CLI_PROGRAM_H_

#include <string>

#include "sdk/base/test_files.h"
#include "sdk/base/test_shell.h"

namespace unival {

using Outcome = ShellOutcome;

class Program {
 public:
  explicit Program(std::string folder) : folder_(std::move(folder)) {}

  // Runs `unival` with these shell arguments in the folder; $DEPTH_PLUGIN is the depth plugin.
  Outcome Run(const std::string& command_line) const;
  // Runs any command line; `unival` is found in PATH.
  Outcome Shell(const std::string& command_line) const;

  const std::string& folder() const { return folder_; }
  std::string Path(const std::string& relative) const { return folder_ + "/" + relative; }

 private:
  const std::string folder_;
};

// A folder with a tiny pretrained model (models/tiny), recipes, templates and data
// (data/{image,depth}); made once per process, by the program's own commands. Fails the calling
// test when a command fails.
const Program& TinyWorkplace();

}  // namespace unival

#endif  // UNIVAL_TESTS_INTEGRATION_CLI_PROGRAM_H_
