// unival launch --processes N -- train PLAN …: one run by several processes of this host. They meet
// at a place that this process keeps open, so what one of them said last can still be read.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "app/commands.h"
#include "app/shipped.h"
#include "sdk/base/descriptor.h"
#include "sdk/base/files.h"
#include "sdk/base/own_object.h"
#include "sdk/base/process.h"
#include "sdk/base/signal_watch.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/distributed/world.h"

namespace unival {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLook = std::chrono::milliseconds(50);
// How long the other processes may take to end by themselves after one has ended with an error.
// kCheckpointGrace holds when a stop was asked for: then the error may be how that process stopped,
// and the others still write their checkpoint.
constexpr auto kGrace = std::chrono::seconds(15), kCheckpointGrace = std::chrono::seconds(600);
// Time from the request to end (SIGTERM) to the forced end (SIGKILL).
constexpr auto kMercy = std::chrono::seconds(5);

// stop_asked: whether a signal has asked for a stop. launch_signal: the signal that has yet to be
// passed on to the processes; 0: none.
volatile std::sig_atomic_t stop_asked = 0, launch_signal = 0;

// A key of the terminal sends its signal to all processes. Any other signal may have reached this
// process alone, or all of them, so it is passed on; the processes count a signal that arrives
// twice as one request (sdk/base/stop_requests.h).
void KeepSignal(int signal, siginfo_t* info, void*) {
  stop_asked = 1;
  if (info->si_code != SI_KERNEL) launch_signal = signal;
}

struct LaunchArguments {
  int processes = 0;
  std::vector<std::string> words;
};

class Launch {
 public:
  Launch(const LaunchArguments& arguments, int port)
      : arguments_(arguments), port_(port), ends_(static_cast<size_t>(arguments.processes)) {}

  absl::StatusOr<ExitCode> Run() {
    for (int rank = 0; rank < Size(); ++rank) {
      errors_.emplace_back(memfd_create("unival-launch", MFD_CLOEXEC));
      if (!errors_.back().is_open()) return SystemError("memory file", "cannot be made", errno);
      UNIVAL_ASSIGN_OR_RETURN(Process process, Process::Start(OptionsOf(rank)));
      processes_.push_back(std::move(process));
    }
    while (Running() > 0) {
      UNIVAL_RETURN_IF_ERROR(Look());
      std::this_thread::sleep_for(kLook);
    }
    return first_failure_ < 0 ? kDone : Report();
  }

 private:
  ProcessOptions OptionsOf(int rank) const {
    const int threads =
        std::max<int>(1, static_cast<int>(std::thread::hardware_concurrency()) / Size());
    ProcessOptions options;
    options.ends_with_parent = true;
    options.command = {"env",
                       absl::StrCat("RANK=", rank),
                       absl::StrCat("WORLD_SIZE=", Size()),
                       absl::StrCat("LOCAL_RANK=", rank),
                       absl::StrCat("LOCAL_WORLD_SIZE=", Size()),
                       "MASTER_ADDR=127.0.0.1",
                       absl::StrCat("MASTER_PORT=", port_),
                       "TORCHELASTIC_USE_AGENT_STORE=True"};
    if (std::getenv("OMP_NUM_THREADS") == nullptr) {
      options.command.push_back(absl::StrCat("OMP_NUM_THREADS=", threads));
    }
    options.command.push_back(ThisProgram());
    options.command.insert(options.command.end(), arguments_.words.begin(), arguments_.words.end());
    if (rank == 0) return options;
    // Only process 0 prints. The error output of the others is kept, and shown when they fail.
    options.output = "/dev/null";
    options.error_output = absl::StrCat("/proc/self/fd/", errors_.back().get());
    return options;
  }

  int Size() const { return arguments_.processes; }

  int Running() const {
    return static_cast<int>(std::count(ends_.begin(), ends_.end(), absl::nullopt));
  }

  absl::Status Look() {
    for (size_t rank = 0; rank < processes_.size(); ++rank) {
      if (ends_[rank]) continue;
      UNIVAL_ASSIGN_OR_RETURN(ends_[rank], processes_[rank].Poll());
      if (!ends_[rank] || ends_[rank]->ok()) continue;
      if (first_failure_ < 0) first_failure_ = static_cast<int>(rank);
      const bool may_have_stopped = stop_asked != 0 && ends_[rank]->signal == 0;
      const auto until = Clock::now() + (may_have_stopped ? kCheckpointGrace : kGrace);
      end_others_at_ = std::min(end_others_at_, until);
    }
    if (launch_signal != 0) SendAll(std::exchange(launch_signal, 0));
    EndOthers();
    return absl::OkStatus();
  }

  // Sends SIGTERM once: a second one would tell the processes to end without a checkpoint.
  void EndOthers() {
    const auto now = Clock::now();
    if (now < end_others_at_) return;
    if (!was_asked_) SendAll(SIGTERM);
    was_asked_ = true;
    if (now - kMercy > end_others_at_) SendAll(SIGKILL);
  }

  void SendAll(int signal) {
    for (size_t rank = 0; rank < processes_.size(); ++rank) {
      if (!ends_[rank]) processes_[rank].Send(signal);
    }
  }

  ExitCode Report() const {
    const ProcessEnd& end = *ends_[static_cast<size_t>(first_failure_)];
    for (absl::string_view line : absl::StrSplit(SaidBy(first_failure_), '\n', absl::SkipEmpty())) {
      std::cerr << "process " << first_failure_ << ": " << line << "\n";
    }
    if (end.signal != 0) {
      std::cerr << "unival: process " << first_failure_ << " of " << Size() << " " << end.Text()
                << "; --resume goes on from the last checkpoint, or begins where there is none\n";
    }
    return end.signal == 0 && end.code == kUsage ? kUsage : kFailed;
  }

  std::string SaidBy(int rank) const {
    const int file = errors_[static_cast<size_t>(rank)].get();
    lseek(file, 0, SEEK_SET);
    return ReadToEnd(file, "what the process said").value_or("");
  }

  const LaunchArguments& arguments_;
  const int port_;
  std::vector<Descriptor> errors_;  // error output of each process but 0, which has the terminal
  std::vector<Process> processes_;
  std::vector<absl::optional<ProcessEnd>> ends_;
  int first_failure_ = -1;
  Clock::time_point end_others_at_ = Clock::time_point::max();
  bool was_asked_ = false;  // whether the others were asked to end
};

absl::StatusOr<ExitCode> RunLaunch(const LaunchArguments& arguments) {
  if (arguments.words.empty() || arguments.words[0] != "train") {
    return UsageError(absl::StrCat("expected `train PLAN …` behind --, got \"",
                                   arguments.words.empty() ? "" : arguments.words[0],
                                   "\"; for example `unival launch --processes 2 -- train "
                                   "plan.textproto --output runs/a`"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const auto place, MeetingPlace::Open());
  // Never destroyed, for the same reason as in RunTrain.
  static const auto* const kWatch =
      new SignalWatch({SIGINT, SIGTERM}, KeepSignal, IgnoredSignals::kAreWatched);
  (void)kWatch;
  return Launch(arguments, place->port()).Run();
}

}  // namespace

void AddLaunchCommand(Command& program) {
  Command& command = AddShippedCommand(program, "launch");
  auto arguments = std::make_shared<LaunchArguments>();
  command.AddOption("--processes,-n", &arguments->processes, "How many").Required().Between(1, 256);
  command.AddPositional("command", &arguments->words, "Behind --: train and its arguments");
  command.SetFooter(
      "Each process has an equal share of the cores, unless OMP_NUM_THREADS is set, and rows of "
      "its own: a step\nhas the plan's batch times the number of processes. When one fails, all "
      "end, with its message.\n"
      "On several hosts, start `unival train` by torchrun, srun or mpirun instead.\n"
      "Example: unival launch --processes 2 -- train recipes/depth_adapter.textproto --output "
      "runs/depth");
  command.OnRun([arguments] { return RunLaunch(*arguments); });
}

}  // namespace unival
