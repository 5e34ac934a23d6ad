#include "app/startup.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace unival {
namespace {

constexpr char kVariable[] = "OPENBLAS_CORETYPE=";
constexpr size_t kVariableLength = sizeof(kVariable) - 1;

// Nobody reads these while libraries start up.
constexpr const char* kUnread[] = {
    "_=", "OLDPWD=", "SHLVL=", "LS_COLORS=", "PWD=", "LOGNAME=", "MAIL=", "TERM="};

// The entry of the environment that made room, and what stood there.
char** borrowed_entry = nullptr;
char* borrowed_text = nullptr;

bool StartsWith(const char* text, const char* prefix) {
  return std::strncmp(text, prefix, std::strlen(prefix)) == 0;
}

char** FindUnread(char** environment) {
  for (const char* name : kUnread) {
    for (char** entry = environment; *entry != nullptr; ++entry) {
      if (StartsWith(*entry, name)) return entry;
    }
  }
  return nullptr;
}

// Runs before the constructors of all libraries. The C library's own state is not ready: no setenv,
// no allocation. So one entry of the environment that nobody reads is lent to the variable and
// given back in main. Where there is none, OpenBLAS's own choice stands.
void NameBlasKernels(int, char**, char** environment) {
  static char text[64];
  const char* core = BlasCoreType();
  if (*core == '\0' || kVariableLength + std::strlen(core) >= sizeof(text)) return;
  for (char** entry = environment; *entry != nullptr; ++entry) {
    if (StartsWith(*entry, kVariable)) return;
  }
  char** entry = FindUnread(environment);
  if (entry == nullptr) return;
  std::strcpy(text, kVariable);
  std::strcpy(text + kVariableLength, core);
  borrowed_entry = entry;
  borrowed_text = *entry;
  *entry = text;
}

__attribute__((section(".preinit_array"),
               used)) void (*const name_blas_kernels)(int, char**, char**) = NameBlasKernels;

// Data of many files keeps all of them open. Shells allow a program 1,024, until it asks for as
// many as the system allows. Beyond kEnough nothing is gained.
void AllowOpenFiles() {
  constexpr rlim_t kEnough = 1 << 17;
  struct rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kEnough) return;
  files.rlim_cur = std::min(files.rlim_max, kEnough);
  setrlimit(RLIMIT_NOFILE, &files);
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
  if (borrowed_entry != nullptr) {
    *borrowed_entry = borrowed_text;
    borrowed_entry = nullptr;
    setenv("OPENBLAS_CORETYPE", BlasCoreType(), 1);
  }
  // A write that a limit of file size stops is then an error with a message, not the silent end.
  std::signal(SIGXFSZ, SIG_IGN);
  AllowOpenFiles();
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  mallopt(M_TOP_PAD, kTopPadBytes);
}

}  // namespace unival
