// unival: process.h - starts another program, waits for it, and leaves none behind.
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
  // The program and its arguments. A program without '/' is sought in the folders of the system's
  // own programs, /bin and /usr/bin, and nowhere else: PATH may name folders that others write to.
  std::vector<std::string> command;
  // Files for the standard streams; those written are made or emptied. Empty: this process's own.
  std::string input = "", output = "", error_output = "";
  // The system kills the process (SIGKILL) when the thread that started it ends, however it ends:
  // also when this process is killed.
  bool ends_with_parent = false;
};

// How a process ended.
struct ProcessEnd {
  int code = 0;    // its exit code, when no signal ended it
  int signal = 0;  // 0: it ended by itself

  bool ok() const { return code == 0 && signal == 0; }
  // "ended with code 3", "was ended by signal 9"
  std::string Text() const;
};

// Movable. Belongs to one thread. A process that still runs when its object goes is killed.
class Process {
 public:
  // SystemError names the program or the file of a stream: NotFound where there is none.
  static absl::StatusOr<Process> Start(const ProcessOptions& options);

  // Takes charge of a child of this process.
  explicit Process(pid_t pid) : pid_(pid) {}
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Process& operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~Process();

  // 0 once the end was seen.
  pid_t pid() const { return pid_; }
  // Waits for the end. Once only.
  absl::StatusOr<ProcessEnd> Wait();
  // The end when it has come; does not wait. Not to be called after it gave one.
  absl::StatusOr<absl::optional<ProcessEnd>> Poll();
  // Nothing happens once the end was seen.
  void Send(int signal) const;

 private:
  pid_t pid_;
};

// What a program writes on its standard output, read to the end. It reads nothing, its error output
// is discarded, and it is killed when this process ends. Internal for an end other than code 0.
absl::StatusOr<std::string> OutputOf(const std::vector<std::string>& command);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_PROCESS_H_
