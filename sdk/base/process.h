// unival: process.h - starts another program and waits for it. No child is left running.
//
//   UNIVAL_ASSIGN_OR_RETURN(Process run, Process::Start({{program, "train", plan}}));
//   UNIVAL_ASSIGN_OR_RETURN(const ProcessEnd end, run.Wait());
//   if (!end.ok()) return absl::InternalError(absl::StrCat(program, " ", end.Text()));
#ifndef UNIVAL_SDK_BASE_PROCESS_H_
#define UNIVAL_SDK_BASE_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"

namespace unival {

struct ProcessOptions {
  // The program and its arguments. A program without '/' is looked up in /bin and /usr/bin only.
  // PATH is not used, because it may name folders that other users write to.
  std::vector<std::string> command;
  // Files for the standard streams. Output files are created or emptied. Empty: the stream of this
  // process.
  std::string input = "", output = "", error_output = "";
  // The system kills the child (SIGKILL) when the thread that started it ends, also when this
  // process is killed.
  bool ends_with_parent = false;
};

// How a process ended.
struct ProcessEnd {
  int code = 0;    // the exit code, when no signal ended the process
  int signal = 0;  // 0: no signal ended the process

  bool ok() const { return code == 0 && signal == 0; }
  // "ended with code 3", "was ended by signal 9"
  std::string Text() const;
};

// Movable. Belongs to one thread. The destructor kills a process that still runs.
class Process {
 public:
  // Errors are those of SystemError and name the program or the file of a stream; NotFound when it
  // does not exist.
  static absl::StatusOr<Process> Start(const ProcessOptions& options);

  // Takes ownership of a child of this process.
  explicit Process(pid_t pid) : pid_(pid) {}
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Process& operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~Process();

  // 0 after Wait or Poll has returned the end.
  pid_t pid() const { return pid_; }
  // Waits for the end. May be called once only.
  absl::StatusOr<ProcessEnd> Wait();
  // The end if the process has ended; otherwise nullopt. Does not wait. Must not be called again
  // after it has returned the end.
  absl::StatusOr<absl::optional<ProcessEnd>> Poll();
  // Does nothing after Wait or Poll has returned the end.
  void Send(int signal) const;

 private:
  pid_t pid_;
};

// Runs a program and returns its whole standard output. Its standard input is empty, its error
// output is discarded, and it is killed when this process ends. Internal when it does not end with
// code 0.
absl::StatusOr<std::string> OutputOf(const std::vector<std::string>& command);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_PROCESS_H_
