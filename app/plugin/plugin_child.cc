#include "app/plugin/plugin_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "app/plugin/process_tree.h"
#include "sdk/base/descriptor.h"
#include "sdk/base/files.h"
#include "sdk/base/own_object.h"
#include "sdk/base/process.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using Clock = std::chrono::steady_clock;

// The report is a file in memory, because a pipe can fill up, and a crash loses what is still in a
// buffer. The call in progress stands at its beginning and is overwritten by the next one; the
// texts follow, one a line.
struct CallInProgress {
  uint64_t number = 0;
  char text[1016] = {};
};
constexpr int64_t kTextsBegin = sizeof(CallInProgress);
constexpr char kEnd[] = "end";
constexpr double kStartSeconds = 60;

void WriteAt(int file, const char* data, size_t size, int64_t offset) {
  while (size > 0) {
    const ssize_t written = pwrite(file, data, size, offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // the parent finds the report incomplete
    data += written, offset += written, size -= static_cast<size_t>(written);
  }
}

CallInProgress ReadCall(int file) {
  CallInProgress call;
  if (pread(file, &call, sizeof(call), 0) != sizeof(call)) return {};
  call.text[sizeof(call.text) - 1] = '\0';
  return call;
}

std::string ReadTexts(int file) {
  struct stat info;
  if (fstat(file, &info) != 0 || info.st_size <= kTextsBegin) return "";
  std::string texts(static_cast<size_t>(info.st_size - kTextsBegin), '\0');
  const ssize_t count = pread(file, texts.data(), texts.size(), kTextsBegin);
  texts.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
  return texts;
}

std::string SignalText(int signal) {
  struct Name {
    int signal;
    const char* name;
  };
  constexpr Name kNames[] = {{SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGFPE, "SIGFPE"},
                             {SIGILL, "SIGILL"},   {SIGBUS, "SIGBUS"},   {SIGTRAP, "SIGTRAP"},
                             {SIGKILL, "SIGKILL"}, {SIGTERM, "SIGTERM"}, {SIGPIPE, "SIGPIPE"},
                             {SIGSYS, "SIGSYS"},   {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"}};
  for (const Name& known : kNames) {
    if (known.signal == signal)
      return absl::StrCat(signal, " (", known.name, ", ", strsignal(signal), ")");
  }
  return absl::StrCat(signal);
}

// Why the child must be ended now; empty: it may go on. `since`: when the call in progress began;
// `allowed`: seconds that it may take.
std::string Excess(Clock::time_point since, double allowed, const ChildLimits& limits) {
  const double seconds = std::chrono::duration<double>(Clock::now() - since).count();
  if (seconds > allowed) return absl::StrCat("was ended after ", allowed, " s");
  const int64_t mib = DescendantsMib();
  if (mib > limits.mib)
    return absl::StrCat("was ended at ", mib, " MiB of memory, allowed ", limits.mib);
  return "";
}

// Waits for the child's end, and ends the child when it exceeds a limit. Returns how it ended;
// empty: with code 0.
absl::StatusOr<std::string> Watch(Process& child, int file, const ChildLimits& limits) {
  uint64_t number = 0;
  Clock::time_point since = Clock::now();
  std::string excess;
  while (true) {
    UNIVAL_ASSIGN_OR_RETURN(const absl::optional<ProcessEnd> end, child.Poll());
    if (end.has_value()) {
      if (!excess.empty() || end->ok()) return excess;
      return end->signal != 0 ? absl::StrCat("was ended by signal ", SignalText(end->signal))
                              : absl::StrCat("ended the process with code ", end->code);
    }
    const uint64_t now = ReadCall(file).number;
    if (now != number) since = Clock::now();
    number = now;
    // Before its first call the child is starting up, which takes time that is not the plugin's
    // fault.
    const double allowed =
        number == 0 ? std::max(kStartSeconds, limits.seconds_per_call) : limits.seconds_per_call;
    if (excess.empty()) excess = Excess(since, allowed, limits);
    if (!excess.empty()) {
      kill(-child.pid(), SIGKILL);  // with the processes of its group
      child.Send(SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

absl::StatusOr<ChildRun> RunPluginChild(const std::vector<std::string>& words,
                                        const ChildLimits& limits) {
  const Descriptor report(memfd_create("unival-plugin-report", MFD_CLOEXEC));
  if (!report.is_open()) return SystemError("report of a child", "cannot be made", errno);
  ProcessOptions options;
  options.command = {ThisProgram(), kPluginChild};
  options.command.insert(options.command.end(), words.begin(), words.end());
  options.input = "/dev/null";
  options.output = absl::StrCat("/proc/self/fd/", report.get());
  options.ends_with_parent = true;
  AdoptOrphans();
  UNIVAL_ASSIGN_OR_RETURN(Process child, Process::Start(options));
  const absl::StatusOr<std::string> ended = Watch(child, report.get(), limits);
  EndDescendants();  // what the plugin has started
  UNIVAL_ASSIGN_OR_RETURN(const std::string ending, ended);
  ChildRun run;
  run.said = absl::StrSplit(ReadTexts(report.get()), '\n', absl::SkipEmpty());
  run.finished = !run.said.empty() && run.said.back() == kEnd;
  if (run.finished) run.said.pop_back();
  run.call = ReadCall(report.get()).text;
  if (run.finished && ending.empty()) return run;
  run.problem = absl::StrCat(ending.empty() ? "ended the process with code 0" : ending, " in ",
                             run.call.empty() ? "its start" : run.call);
  return run;
}

ChildReport::ChildReport() : end_(kTextsBegin) {
  std::fflush(stdout);
  file_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  setpgid(0, 0);
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

void ChildReport::Calls(absl::string_view text) {
  const absl::MutexLock lock(&mutex_);
  CallInProgress call;
  call.number = ++calls_;
  std::memcpy(call.text, text.data(), std::min(text.size(), sizeof(call.text) - 1));
  WriteAt(file_, reinterpret_cast<const char*>(&call), sizeof(call), 0);
}

void ChildReport::Say(const std::string& text) {
  const std::string line = absl::StrCat(text, "\n");
  const absl::MutexLock lock(&mutex_);
  WriteAt(file_, line.data(), line.size(), end_);
  end_ += static_cast<int64_t>(line.size());
}

void ChildReport::Finish() {
  Say(kEnd);
  Calls("the end of the process, where static objects are destroyed");
}

}  // namespace unival
