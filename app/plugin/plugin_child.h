// unival: plugin_child.h
//
// Foreign code is looked at in a child process, which is this program started again: what it does
// to its process, it does to that one. What the child said until then survives whatever ends it,
// and the parent ends it when a call takes too long or the process grows too large.
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
  double seconds_per_call = 60;  // from one thing that the child says it does to the next
  int64_t mib = 8192;            // resident memory of the process and of all that it starts
};

struct ChildRun {
  std::vector<std::string> said;  // in order, one text each
  bool finished = false;          // it said all that it had to say
  std::string call;               // what it was doing at last
  // Empty: it finished and ended with code 0. Else how it ended and in which call.
  std::string problem;
};

// Starts the child with these words and waits for its end; nothing that it has started goes on
// behind that. Its error output is this process's; it reads nothing. An error only when it cannot
// be started. Every other child of this process is ended, too.
absl::StatusOr<ChildRun> RunPluginChild(const std::vector<std::string>& words,
                                        const ChildLimits& limits);

// The child's side. Thread-safe. One per process: takes over the standard output, where what others
// print to it goes to the error output from then on.
class ChildReport {
 public:
  ChildReport();
  // What is done next, for the case that it is the last thing; takes no memory.
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
