#include "app/startup.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

namespace unival {
namespace {

// Nobody reads these while libraries start up.
constexpr const char* kUnread[] = {
    "_=", "OLDPWD=", "SHLVL=", "LS_COLORS=", "PWD=", "LOGNAME=", "MAIL=", "TERM="};

// A variable that a library reads when it is loaded.
struct Setting {
  char text[64] = "";  // NAME=VALUE; empty: the library's own choice stands
  size_t name_length = 0;
  // The entry of the environment that made room, and what stood there.
  char** entry = nullptr;
  char* lent = nullptr;
};
Setting blas_kernels, openmp_spins;

bool StartsWith(const char* text, const char* prefix) {
  return std::strncmp(text, prefix, std::strlen(prefix)) == 0;
}

bool IsSet(char** environment, const char* name) {
  for (char** entry = environment; *entry != nullptr; ++entry) {
    if (StartsWith(*entry, name)) return true;
  }
  return false;
}

char** FindUnread(char** environment) {
  for (const char* name : kUnread) {
    for (char** entry = environment; *entry != nullptr; ++entry) {
      if (StartsWith(*entry, name)) return entry;
    }
  }
  return nullptr;
}

// `name` ends with "=". One entry of the environment that nobody reads is lent to the variable and
// given back in main. Where there is none, or the user has set it, nothing happens.
void Lend(char** environment, const char* name, const char* value, Setting* setting) {
  const size_t length = std::strlen(name);
  if (*value == '\0' || length + std::strlen(value) >= sizeof(setting->text)) return;
  char** entry = FindUnread(environment);
  if (entry == nullptr || IsSet(environment, name)) return;
  std::strcpy(setting->text, name);
  std::strcpy(setting->text + length, value);
  setting->name_length = length - 1;
  setting->entry = entry;
  setting->lent = *entry;
  *entry = setting->text;
}

// Makes what was lent visible, for programs that this one starts.
void GiveBack(Setting* setting) {
  if (setting->entry == nullptr) return;
  *setting->entry = setting->lent;
  setting->entry = nullptr;
  char name[sizeof(setting->text)] = "";
  std::memcpy(name, setting->text, setting->name_length);
  setenv(name, setting->text + setting->name_length + 1, 1);
}

// How often a thread looks for work before it sleeps. Of its own, libgomp looks 300,000 times, 13
// milliseconds or more, and keeps a core busy through all that one thread does alone; a tenth of a
// millisecond outlasts the gaps between the products of a layer.
constexpr char kSpins[] = "2000";

// Runs before the constructors of all libraries. The C library's own state is not ready: no setenv,
// no allocation.
void SettleLibraries(int, char**, char** environment) {
  Lend(environment, "OPENBLAS_CORETYPE=", BlasCoreType(), &blas_kernels);
  if (!IsSet(environment, "OMP_WAIT_POLICY=")) {
    Lend(environment, "GOMP_SPINCOUNT=", kSpins, &openmp_spins);
  }
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

const char* BlasCoreType() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bf16")) return "Cooperlake";
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return "SkylakeX";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return "";
}

void SettleProcess() {
  GiveBack(&blas_kernels);
  GiveBack(&openmp_spins);
  // A write that a limit of file size stops is then an error with a message, not the silent end.
  std::signal(SIGXFSZ, SIG_IGN);
  AllowOpenFiles();
  if (kEndsEarly) on_exit(EndProcess, nullptr);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  mallopt(M_TOP_PAD, kTopPadBytes);
}

}  // namespace unival
