// unival: child.h
//
// Runs this program again with other arguments, in a process of its own: so each training run has
// its own peak memory, and its command is one that can be repeated by hand.
//
//   UNIVAL_RETURN_IF_ERROR(RunChild({"train", "plan.textproto", "--output", "run"}, "run.json"));
#ifndef UNIVAL_APP_QUICKSTART_CHILD_H_
#define UNIVAL_APP_QUICKSTART_CHILD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival::quickstart {

// Path of the running program.
std::string ThisProgram();

// Waits for the end; standard output goes to `output_file`, standard error to this process's.
// Internal with the command when the program cannot be started, is killed, or ends with another
// exit code than 0.
absl::Status RunChild(const std::vector<std::string>& arguments, const std::string& output_file);

}  // namespace unival::quickstart

#endif  // UNIVAL_APP_QUICKSTART_CHILD_H_
