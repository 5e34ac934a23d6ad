#include "app/plugin/process_tree.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "sdk/base/files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// The numbers at the beginning of a file; none where the file is gone because its process has
// ended.
std::vector<int64_t> NumbersIn(const std::string& file) {
  std::vector<int64_t> numbers;
  const std::string text = ReadWholeFile(file).value_or("");
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    int64_t number = 0;
    if (!absl::SimpleAtoi(word, &number)) break;
    numbers.push_back(number);
  }
  return numbers;
}

// The children of all threads of a process: the system lists them thread by thread.
std::vector<pid_t> ChildrenOf(pid_t process) {
  std::vector<pid_t> children;
  std::error_code error;
  const std::string threads = absl::StrCat("/proc/", process, "/task");
  for (fs::directory_iterator thread(threads, error), end; !error && thread != end;
       thread.increment(error)) {
    for (const int64_t child : NumbersIn(thread->path() / "children"))
      children.push_back(static_cast<pid_t>(child));
  }
  return children;
}

int64_t ResidentPages(pid_t process) {
  const std::vector<int64_t> numbers = NumbersIn(absl::StrCat("/proc/", process, "/statm"));
  return numbers.size() > 1 ? numbers[1] : 0;  // behind all pages
}

// All descendants of this process, without the process itself.
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
  constexpr int kMostRounds = 1000;  // in case one keeps starting others
  for (int round = 0; round < kMostRounds; ++round) {
    const std::vector<pid_t> all = Descendants();
    if (all.empty()) return;
    for (const pid_t process : all) kill(process, SIGKILL);
    for (const pid_t child : ChildrenOf(getpid())) waitpid(child, nullptr, 0);
  }
}

}  // namespace unival
