#include "examples/quickstart/child.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <iostream>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sdk/base/files.h"
#include "sdk/base/process.h"
#include "sdk/base/signal_watch.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/stop_requests.h"

namespace unival::quickstart {
namespace {

constexpr std::chrono::milliseconds kPoll(100);
constexpr std::chrono::seconds kShowEvery(15);
// Time for a child to write its checkpoint after it was asked to end.
constexpr std::chrono::seconds kGrace(10);

struct Child {
  const ChildRun* run;
  std::string progress_file;  // empty: this process's standard error
  Process process;
};

std::string Command(const ChildRun& run) {
  return absl::StrCat("`unival ", absl::StrJoin(run.arguments, " "), "`");
}

absl::StatusOr<Child> Start(const std::string& program, const ChildRun& run, bool alone) {
  ProcessOptions options;
  options.command = {program};
  options.command.insert(options.command.end(), run.arguments.begin(), run.arguments.end());
  options.output = run.output_file;
  if (!alone) options.error_output = run.output_file + ".progress";
  options.ends_with_parent = true;
  UNIVAL_ASSIGN_OR_RETURN(Process process, Annotate(Process::Start(options), Command(run)));
  return Child{&run, options.error_output, std::move(process)};
}

// The last `count` lines of what the child wrote on standard error.
std::string LastLines(const Child& child, size_t count) {
  const absl::StatusOr<std::string> text = ReadWholeFile(child.progress_file);
  if (!text.ok()) return "";
  std::vector<std::string> lines = absl::StrSplit(absl::StripAsciiWhitespace(*text), '\n');
  if (lines.size() > count)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  return absl::StrJoin(lines, "\n");
}

absl::Status Outcome(const Child& child, const ProcessEnd& end) {
  if (end.ok()) return absl::OkStatus();
  const std::string said = child.progress_file.empty()
                               ? "its own message stands above"
                               : absl::StrCat(child.progress_file, " ends: ", LastLines(child, 3));
  return absl::InternalError(absl::StrCat(Command(*child.run), " ", end.Text(), "; ", said));
}

void ShowProgress(const std::vector<Child>& running) {
  for (const Child& child : running) {
    const std::string line = LastLines(child, 1);
    if (!line.empty()) std::cerr << "      " << child.run->name << ": " << line << "\n";
  }
}

// Takes the children that have ended out of `running`; the first failure stays in `status`.
void Reap(std::vector<Child>* running, absl::Status* status) {
  for (auto child = running->begin(); child != running->end();) {
    const auto end = child->process.Poll();
    if (end.ok() && !end->has_value()) {
      ++child;
      continue;
    }
    status->Update(end.ok() ? Outcome(*child, **end)
                            : Annotate(end.status(), Command(*child->run)));
    child = running->erase(child);
  }
}

std::atomic<int> last_signal{0};
StopRequests stop_requests;

void NoteSignal(int signal, siginfo_t*, void*) {
  last_signal = signal;
  stop_requests.Add();
}

void SendAll(const std::vector<Child>& running, int signal) {
  for (const Child& child : running) child.process.Send(signal);
}

// Asks all to end, which lets training write a checkpoint, and kills them after a while or when a
// further signal asks for haste.
void EndAll(std::vector<Child>* running) {
  const int seen = stop_requests.count();
  const auto latest = std::chrono::steady_clock::now() + kGrace;
  absl::Status ignored;
  SendAll(*running, SIGTERM);
  while (!running->empty()) {
    const bool late = std::chrono::steady_clock::now() >= latest || stop_requests.count() > seen;
    if (late) SendAll(*running, SIGKILL);
    std::this_thread::sleep_for(kPoll);
    Reap(running, &ignored);
  }
}

// Runs all, or those before a failure or signal.
absl::Status RunUnderWatch(const std::string& program, const std::vector<ChildRun>& runs,
                           int at_once) {
  const bool alone = at_once == 1 || runs.size() == 1;
  absl::Status status;
  std::vector<Child> running;
  auto next = runs.begin();
  auto show = std::chrono::steady_clock::now() + kShowEvery;
  while (!running.empty() || (status.ok() && next != runs.end())) {
    while (status.ok() && next != runs.end() && running.size() < static_cast<size_t>(at_once)) {
      absl::StatusOr<Child> child = Start(program, *next++, alone);
      status.Update(child.status());
      if (child.ok()) running.push_back(*std::move(child));
    }
    std::this_thread::sleep_for(kPoll);
    Reap(&running, &status);
    if (stop_requests.count() > 0) {
      EndAll(&running);
      return status;
    }
    if (alone || std::chrono::steady_clock::now() < show) continue;
    ShowProgress(running);
    show = std::chrono::steady_clock::now() + kShowEvery;
  }
  return status;
}

}  // namespace

absl::Status RunChildren(const std::string& program, const std::vector<ChildRun>& runs,
                         int at_once) {
  absl::Status status;
  last_signal = 0;
  stop_requests.Reset();
  {
    // Signals are only noted, so that children can be ended first.
    const SignalWatch watch({SIGINT, SIGTERM, SIGHUP}, NoteSignal, IgnoredSignals::kStayIgnored);
    status = RunUnderWatch(program, runs, at_once);
  }
  const int signal = last_signal.exchange(0);
  if (signal == 0) return status;
  // No child is left: now do what the signal asked for, so that the caller's shell sees it.
  std::raise(signal);
  return absl::CancelledError(absl::StrCat("interrupted by signal ", signal));
}

}  // namespace unival::quickstart
