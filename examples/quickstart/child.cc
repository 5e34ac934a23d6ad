#include "examples/quickstart/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sdk/base/files.h"

namespace unival::quickstart {
namespace {

constexpr std::chrono::milliseconds kPoll(100);
constexpr std::chrono::seconds kShowEvery(15);

struct Child {
  const ChildRun* run;
  std::string progress_file;  // empty: this process's standard error
  pid_t pid = 0;
};

std::string Command(const ChildRun& run) {
  return absl::StrCat("`unival ", absl::StrJoin(run.arguments, " "), "`");
}

absl::Status Start(const std::string& program, Child* child) {
  std::vector<char*> argv = {const_cast<char*>("unival")};
  for (const std::string& text : child->run->arguments)
    argv.push_back(const_cast<char*>(text.c_str()));
  argv.push_back(nullptr);
  constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, child->run->output_file.c_str(), kWrite,
                                   0644);
  if (!child->progress_file.empty()) {
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, child->progress_file.c_str(), kWrite,
                                     0644);
  }
  const int error =
      posix_spawn(&child->pid, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(Command(*child->run), " cannot be started: ", std::strerror(error)));
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

absl::Status Outcome(const Child& child, int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  const std::string end = WIFSIGNALED(status)
                              ? absl::StrCat("was ended by signal ", WTERMSIG(status))
                              : absl::StrCat("ended with code ", WEXITSTATUS(status));
  const std::string said = child.progress_file.empty()
                               ? "its own message stands above"
                               : absl::StrCat(child.progress_file, " ends: ", LastLines(child, 3));
  return absl::InternalError(absl::StrCat(Command(*child.run), " ", end, "; ", said));
}

void ShowProgress(const std::vector<Child>& running) {
  for (const Child& child : running) {
    const std::string line = LastLines(child, 1);
    if (!line.empty()) std::cerr << "      " << child.run->name << ": " << line << "\n";
  }
}

// Takes the children that have ended out of `running`; the first failure stays in `status`.
void Reap(std::vector<Child>* running, absl::Status* status) {
  const auto ended = [status](const Child& child) {
    int code = 0;
    const pid_t waited = waitpid(child.pid, &code, WNOHANG);
    if (waited == 0 || (waited < 0 && errno == EINTR)) return false;
    status->Update(waited < 0 ? absl::InternalError(
                                    absl::StrCat(Command(*child.run), ": ", std::strerror(errno)))
                              : Outcome(child, code));
    return true;
  };
  running->erase(std::remove_if(running->begin(), running->end(), ended), running->end());
}

}  // namespace

std::string ThisProgram() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

absl::Status RunChildren(const std::string& program, const std::vector<ChildRun>& runs, int at_once) {
  const bool alone = at_once == 1 || runs.size() == 1;
  absl::Status status;
  std::vector<Child> running;
  auto next = runs.begin();
  auto show = std::chrono::steady_clock::now() + kShowEvery;
  while (!running.empty() || (status.ok() && next != runs.end())) {
    while (status.ok() && next != runs.end() && running.size() < static_cast<size_t>(at_once)) {
      Child child{&*next, alone ? "" : next->output_file + ".progress"};
      ++next;
      status.Update(Start(program, &child));
      if (child.pid != 0) running.push_back(std::move(child));
    }
    std::this_thread::sleep_for(kPoll);
    Reap(&running, &status);
    if (alone || std::chrono::steady_clock::now() < show) continue;
    ShowProgress(running);
    show = std::chrono::steady_clock::now() + kShowEvery;
  }
  return status;
}

}  // namespace unival::quickstart
