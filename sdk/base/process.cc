#include "sdk/base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sdk/base/descriptor.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr char kNothing[] = "/dev/null";

// Standard input, output and error output. A descriptor that is not open means: inherit the stream.
using Streams = std::array<Descriptor, 3>;

struct Pipe {
  Descriptor read, write;
};

absl::StatusOr<Pipe> NewPipe(const std::string& program) {
  int ends[2];
  // O_CLOEXEC: another thread may start a program at the same time; it must not inherit the pipe.
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError(program, "cannot make a pipe", errno);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

absl::Status OpenStream(const std::string& path, int flags, Descriptor* stream) {
  if (path.empty()) return absl::OkStatus();
  *stream = Descriptor(open(path.c_str(), flags | O_CLOEXEC, 0644));
  return stream->is_open() ? absl::OkStatus() : SystemError(path, "cannot be opened", errno);
}

// Runs in the new process and starts the program. It may only do what is safe after fork in a
// program with threads. Writes errno to `failed` when the program cannot be started.
[[noreturn]] void Become(const char* file, char* const* arguments, const Streams& streams,
                         bool ends_with_parent, pid_t parent, int failed) {
  sigset_t none;  // the new process must not block the signals that this one blocks
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (ends_with_parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);  // the parent ended before prctl took effect
  }
  bool placed = true;
  for (int target = 0; target < static_cast<int>(streams.size()) && placed; ++target) {
    const int stream = streams[target].get();
    if (stream < 0) continue;
    // dup2 of a descriptor onto itself does nothing, so its close-on-exec flag is cleared instead.
    placed = stream == target ? fcntl(target, F_SETFD, 0) == 0 : dup2(stream, target) == target;
  }
  if (placed) execv(file, arguments);
  const int error = errno;
  const ssize_t written = write(failed, &error, sizeof(error));
  _exit(written == sizeof(error) ? 127 : 126);
}

// 0, or the errno of the new process if it could not start the program.
int StartError(const Pipe& failed) {
  int error = 0;
  ssize_t count = 0;
  do {
    count = read(failed.read.get(), &error, sizeof(error));
  } while (count < 0 && errno == EINTR);
  return count == sizeof(error) ? error : 0;
}

// The file of a program. Environment variables are not used.
std::string FileOf(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  std::string folders(confstr(_CS_PATH, nullptr, 0), '\0');
  folders.resize(std::max<size_t>(1, confstr(_CS_PATH, &folders[0], folders.size())) - 1);
  for (const absl::string_view folder : absl::StrSplit(folders, ':', absl::SkipEmpty())) {
    const std::string file = absl::StrCat(folder, "/", program);
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return absl::StrCat("/bin/", program);  // does not exist either; execv reports the error
}

absl::StatusOr<pid_t> StartWith(const std::vector<std::string>& command, const Streams& streams,
                                bool ends_with_parent) {
  if (command.empty()) return InvalidArgument("no program to start");
  const std::string file = FileOf(command[0]);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  UNIVAL_ASSIGN_OR_RETURN(Pipe failed, NewPipe(command[0]));
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return SystemError(command[0], "cannot be started", errno);
  if (child == 0) {
    Become(file.c_str(), arguments.data(), streams, ends_with_parent, parent, failed.write.get());
  }
  failed.write.Close();
  const int error = StartError(failed);
  if (error == 0) return child;
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return SystemError(command[0], "cannot be started", error);
}

}  // namespace

std::string ProcessEnd::Text() const {
  return signal != 0 ? absl::StrCat("was ended by signal ", signal)
                     : absl::StrCat("ended with code ", code);
}

absl::StatusOr<Process> Process::Start(const ProcessOptions& options) {
  constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
  Streams streams;
  UNIVAL_RETURN_IF_ERROR(OpenStream(options.input, O_RDONLY, &streams[STDIN_FILENO]));
  UNIVAL_RETURN_IF_ERROR(OpenStream(options.output, kWrite, &streams[STDOUT_FILENO]));
  UNIVAL_RETURN_IF_ERROR(OpenStream(options.error_output, kWrite, &streams[STDERR_FILENO]));
  UNIVAL_ASSIGN_OR_RETURN(const pid_t pid,
                          StartWith(options.command, streams, options.ends_with_parent));
  return Process(pid);
}

Process::~Process() {
  if (pid_ == 0) return;
  Send(SIGKILL);
  Wait().IgnoreError();
}

absl::StatusOr<ProcessEnd> Process::Wait() {
  siginfo_t info;
  while (pid_ != 0 && waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) < 0) {
    if (errno != EINTR) return SystemError(absl::StrCat("process ", pid_), "cannot wait", errno);
  }
  UNIVAL_ASSIGN_OR_RETURN(const absl::optional<ProcessEnd> end, Poll());
  return *end;
}

absl::StatusOr<absl::optional<ProcessEnd>> Process::Poll() {
  if (pid_ == 0) return absl::FailedPreconditionError("the end of this process was given already");
  int status = 0;
  const pid_t ended = waitpid(pid_, &status, WNOHANG);
  if (ended == 0) return absl::optional<ProcessEnd>();
  if (ended < 0) return SystemError(absl::StrCat("process ", pid_), "cannot wait", errno);
  pid_ = 0;
  ProcessEnd end;
  if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return absl::optional<ProcessEnd>(end);
}

void Process::Send(int signal) const {
  if (pid_ != 0) kill(pid_, signal);
}

absl::StatusOr<std::string> OutputOf(const std::vector<std::string>& command) {
  if (command.empty()) return InvalidArgument("no program to start");
  UNIVAL_ASSIGN_OR_RETURN(Pipe output, NewPipe(command[0]));
  Streams streams;
  UNIVAL_RETURN_IF_ERROR(OpenStream(kNothing, O_RDONLY, &streams[STDIN_FILENO]));
  UNIVAL_RETURN_IF_ERROR(OpenStream(kNothing, O_WRONLY, &streams[STDERR_FILENO]));
  streams[STDOUT_FILENO] = std::move(output.write);
  UNIVAL_ASSIGN_OR_RETURN(const pid_t pid, StartWith(command, streams, /*ends_with_parent=*/true));
  Process process(pid);
  streams[STDOUT_FILENO].Close();
  UNIVAL_ASSIGN_OR_RETURN(std::string bytes, ReadToEnd(output.read.get(), command[0]));
  UNIVAL_ASSIGN_OR_RETURN(const ProcessEnd end, process.Wait());
  if (end.ok()) return bytes;
  return absl::InternalError(absl::StrCat(command[0], " ", end.Text(), ", expected code 0"));
}

}  // namespace unival
