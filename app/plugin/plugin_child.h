// unival: plugin_child.h
//
// Runs foreign code in a child process, which is this program started again, so that a crash or
// damaged memory cannot end this process. What the child reported before its end is kept. The
// parent ends the child when a call takes too long or the child's memory grows too large.
//
// Parent:
//   UNIVAL_ASSIGN_OR_RETURN(ChildRun run, RunPluginChild({"check", "--", "libimu.so"}, {}));
//   if (!run.problem.empty()) std::cerr << run.problem;   // "was ended by signal 11 in encode"
// Child, behind main's first line:
//   ChildReport report;
//   report.Calls("encode");
//   report.Say(R"({"rows": 3})");
//   report.Finish();
#ifndef UNIVAL_APP_PLUGIN_PLUGIN_CHILD_H_
#define UNIVAL_APP_PLUGIN_PLUGIN_CHILD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace unival {

// The first word of a child's command line; main hands the rest to RunAsPluginChild.
inline constexpr char kPluginChild[] = "plugin-child";

struct ChildLimits {
  double seconds_per_call = 60;  // from one reported call to the next
  int64_t mib = 8192;            // resident memory of the child and of all that it has started
};

struct ChildRun {
  std::vector<std::string> said;  // in order, one text each
  bool finished = false;          // it called Finish
  std::string call;               // the last call that it reported
  // Empty when it finished and ended with code 0. Otherwise it says how the child ended, and in
  // which call.
  std::string problem;
};

// Starts the child with these words and waits for its end. Afterwards it ends every process that
// the child has started, and every other child of this process as well. The child's error output is
// this process's, and its input is empty. An error only when the child cannot be started.
absl::StatusOr<ChildRun> RunPluginChild(const std::vector<std::string>& words,
                                        const ChildLimits& limits);

// The child's side; one object per process, thread-safe. It writes the report to standard output.
// What other code prints there goes to standard error from then on.
class ChildReport {
 public:
  ChildReport();
  // Records the next call, so that the parent knows it if it never returns. Allocates no memory.
  void Calls(absl::string_view call);
  // One text without line ends.
  void Say(const std::string& text);
  // Nothing more will be said.
  void Finish();

 private:
  int file_ = -1;
  absl::Mutex mutex_;
  uint64_t calls_ = 0;  // guarded by mutex_
  int64_t end_ = 0;     // of what was said; guarded by mutex_
};

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_PLUGIN_CHILD_H_
