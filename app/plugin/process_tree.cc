#include "app/plugin/process_tree.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// Each thread has its own list.
std::vector<pid_t> ChildrenOf(pid_t process) {
  std::vector<pid_t> children;
  std::error_code error;
  const std::string threads = absl::StrCat("/proc/", process, "/task");
  for (fs::directory_iterator thread(threads, error), end; !error && thread != end;
       thread.increment(error)) {
    std::ifstream list(thread->path() / "children");
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

int64_t ResidentPages(pid_t process) {
  std::ifstream file(absl::StrCat("/proc/", process, "/statm"));
  int64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident;
}

// Of this process, its children and theirs; it is not among them.
std::vector<pid_t> Descendants() {
  std::vector<pid_t> found = ChildrenOf(getpid());
  for (size_t i = 0; i < found.size(); ++i) {
    const std::vector<pid_t> children = ChildrenOf(found[i]);
    found.insert(found.end(), children.begin(), children.end());
  }
  return found;
}

}  // namespace

void AdoptOrphans() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

int64_t DescendantsMib() {
  int64_t pages = 0;
  for (const pid_t process : Descendants()) pages += ResidentPages(process);
  return pages * sysconf(_SC_PAGESIZE) / (1 << 20);
}

void EndDescendants() {
  constexpr int kMostRounds = 1000;  // one that keeps starting others
  for (int round = 0; round < kMostRounds; ++round) {
    const std::vector<pid_t> all = Descendants();
    if (all.empty()) return;
    for (const pid_t process : all) kill(process, SIGKILL);
    for (const pid_t child : ChildrenOf(getpid())) waitpid(child, nullptr, 0);
  }
}

}  // namespace unival
