#include "app/startup.h"

#include <alloca.h>
#include <malloc.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <tuple>

#include "app/library_variables.h"

namespace unival {
namespace {

bool IsSet(char** environment, const char* name) {
  const size_t length = std::strlen(name);
  for (char** entry = environment; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') return true;
  }
  return false;
}

// NAME=VALUE, no longer than the names and values of library_variables.cc.
struct Entry {
  char text[64];
};

bool IsMissing(char** environment, const LibraryVariable& variable) {
  return *variable.value != '\0' && !IsSet(environment, variable.name) &&
         (variable.unless == nullptr || !IsSet(environment, variable.unless)) &&
         std::strlen(variable.name) + std::strlen(variable.value) + 1 < sizeof(Entry::text);
}

// Runs before the constructors of all libraries, which read the variables. The C library's own
// state is not ready: no setenv, no allocation; and a new array of variables would not reach it. So
// a program that was started without them, by something other than `unival`, starts once more with
// them. Where that fails it goes on without.
void SettleLibraries(int, char** arguments, char** environment) {
  // Without AT_BASE the loader itself is the program, and this one is an argument of it.
  if (getauxval(AT_BASE) == 0) return;
  size_t count = 0;
  while (environment[count] != nullptr) ++count;
  const auto variables = LibraryVariables();
  std::array<Entry, std::tuple_size<decltype(variables)>::value> added;
  auto** const larger =
      static_cast<char**>(alloca((count + variables.size() + 1) * sizeof(*environment)));
  std::copy(environment, environment + count, larger);
  size_t total = count;
  for (size_t i = 0; i < variables.size(); ++i) {
    if (!IsMissing(environment, variables[i])) continue;
    char* const end = stpcpy(stpcpy(added[i].text, variables[i].name), "=");
    std::strcpy(end, variables[i].value);
    larger[total++] = added[i].text;
  }
  larger[total] = nullptr;
  if (total == count) return;
  // The path that it was started by keeps its name in lists of processes.
  execve(reinterpret_cast<const char*>(getauxval(AT_EXECFN)), arguments, larger);
  execve("/proc/self/exe", arguments, larger);
}

__attribute__((section(".preinit_array"),
               used)) void (*const settle_libraries)(int, char**, char**) = SettleLibraries;

// Data of many files keeps all of them open. Shells allow a program 1,024, until it asks for as
// many as the system allows. Beyond kEnough nothing is gained.
void AllowOpenFiles() {
  constexpr rlim_t kEnough = 1 << 17;
  struct rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kEnough) return;
  files.rlim_cur = std::min(files.rlim_max, kEnough);
  setrlimit(RLIMIT_NOFILE, &files);
}

// Sanitizers look for leaks at exit and profilers write their file: those builds end as others do.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(UNIVAL_WHOLE_EXIT)
constexpr bool kEndsEarly = false;
#else
constexpr bool kEndsEarly = true;
#endif

// Exit handlers run in the reverse order of their registration: those of plugins and of the
// program have run when this is called, and those of the libraries have not.
void EndProcess(int status, void*) {
  std::cout.flush();
  std::clog.flush();
  std::fflush(nullptr);
  _exit(status);
}

// Larger than any block of a training step.
constexpr int kKeptBytes = 1 << 30, kTopPadBytes = 64 << 20;

}  // namespace

void SettleProcess() {
  // A write that a limit of file size stops is then an error with a message, not the silent end.
  std::signal(SIGXFSZ, SIG_IGN);
  AllowOpenFiles();
  if (kEndsEarly) on_exit(EndProcess, nullptr);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  mallopt(M_TOP_PAD, kTopPadBytes);
}

}  // namespace unival
