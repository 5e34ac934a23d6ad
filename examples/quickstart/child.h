// unival: child.h
//
// Runs `unival` with other arguments, in processes of their own: so each training run has its own
// peak memory, and its command is one that can be repeated by hand.
//
//   const ChildRun run = {
//       "connection", {"train", "plan.textproto", "--output", "run"}, "run.json"};
//   UNIVAL_RETURN_IF_ERROR(RunChildren(program, {run}, /*at_once=*/1));
#ifndef UNIVAL_EXAMPLES_QUICKSTART_CHILD_H_
#define UNIVAL_EXAMPLES_QUICKSTART_CHILD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival::quickstart {

struct ChildRun {
  std::string name;                    // for people
  std::vector<std::string> arguments;  // without the program's name
  std::string output_file;             // receives standard output
};

// Runs of `program`. At most `at_once` run at a time, started in order; waits for all. A run alone
// shows its progress on this process's standard error; runs side by side write theirs to
// OUTPUT_FILE.progress, and the last line of each is shown every few seconds. Internal with the
// command of the first that cannot be started, is killed, or ends with another exit code than 0,
// after the others have ended.
// SIGINT, SIGTERM and SIGHUP end the children first, within ten seconds or at once with a second
// request (sdk/base/stop_requests.h), and then this program as the signal does by default;
// Cancelled where the program handles it. When this program is killed, so are the children. Call
// from the main thread, one call at a time.
absl::Status RunChildren(const std::string& program, const std::vector<ChildRun>& runs,
                         int at_once);

}  // namespace unival::quickstart

#endif  // UNIVAL_EXAMPLES_QUICKSTART_CHILD_H_
