// Runs a fuzz target without a fuzzer: on every file of the folders in the arguments, and on seeded
// mutations of these files.
//
//   --mutations=N   so many of each file (2000)
//   --seconds=N     instead: mutations of files drawn at random, until the time is over
//   --seed=N        draws others
//   --findings=DIR  an input that ends the process, or takes a minute, is kept there
//
// With clang's fuzzer the same targets link -fsanitize=fuzzer instead (--config=libfuzzer).
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "sdk/base/files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// The entry points of the sanitizers, when the program is built with one.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kMostSeconds = 60;  // of one input
constexpr size_t kMostBytes = 1 << 20;

std::string finding;               // where to keep a finding; empty: findings are not kept
const std::string* now = nullptr;  // the current input
int64_t executions = 0;

// Uses only functions that a signal handler may call.
void Keep() {
  if (now == nullptr || finding.empty()) return;
  const int file = open(finding.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  size_t written = 0;
  while (file >= 0 && written < now->size()) {
    const ssize_t count = write(file, now->data() + written, now->size() - written);
    if (count <= 0) break;
    written += static_cast<size_t>(count);
  }
  now = nullptr;
}

void KeepAndEnd(int number) {
  Keep();
  signal(number, SIG_DFL);
  raise(number);
}

void KeepFindings(const char* folder, unsigned seed) {
  std::filesystem::create_directories(folder);
  finding = std::string(folder) + "/seed" + std::to_string(seed);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(&Keep);
  signal(SIGABRT, &KeepAndEnd);
  signal(SIGALRM, &KeepAndEnd);
  // The address sanitizer handles the other signals itself.
  if (__sanitizer_set_death_callback == nullptr) {
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) signal(number, &KeepAndEnd);
  }
}

void Run(const std::string& bytes) {
  now = &bytes;
  alarm(kMostSeconds);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  alarm(0);
  now = nullptr;
  ++executions;
}

// Flips a bit, sets a random byte, cuts the end, repeats a range, or changes a digit.
void Mutate(std::mt19937& random, std::string& bytes) {
  if (bytes.empty()) return;
  const size_t at = random() % bytes.size();
  switch (random() % 5) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
      break;
    case 1:
      bytes[at] = static_cast<char>(random());
      break;
    case 2:
      bytes.resize(at);
      break;
    case 3:
      bytes.insert(at, bytes.substr(at, random() % 32));
      break;
    default: {
      const size_t digit = bytes.find_first_of("0123456789", at);
      if (digit != std::string::npos) bytes[digit] = static_cast<char>('0' + random() % 10);
    }
  }
}

// Inserts numbers that often break parsers, inserts a range of another file, or removes a range.
void MutateMore(std::mt19937& random, const std::vector<std::string>& files, std::string& bytes) {
  static const std::string kNumbers[] = {std::string("\0\0\0\0", 4),
                                         "\xff\xff\xff\xff",
                                         "\xff\xff\xff\x7f",
                                         "\x80",
                                         "-1",
                                         "99999999999999999999",
                                         "1e308",
                                         "nan",
                                         "\xff",
                                         "{",
                                         "\"",
                                         "\n"};
  const size_t at = bytes.empty() ? 0 : random() % bytes.size();
  const std::string& other = files[random() % files.size()];
  switch (random() % 3) {
    case 0: {
      const std::string& number = kNumbers[random() % std::size(kNumbers)];
      bytes.replace(at, random() % 2 == 0 ? number.size() : 0, number);
      break;
    }
    case 1: {
      const size_t from = other.empty() ? 0 : random() % other.size();
      bytes.insert(at, other.substr(from, random() % 256));
      break;
    }
    default:
      bytes.erase(at, random() % 64);
  }
}

std::vector<std::string> Corpus(const std::vector<const char*>& folders) {
  std::vector<std::filesystem::path> paths;
  for (const char* folder : folders) {
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> files;
  for (const auto& path : paths) files.push_back(unival::ReadWholeFile(path).value());
  return files;
}

void RunMutations(const std::vector<std::string>& files, int mutations, std::mt19937& random) {
  for (const std::string& bytes : files) {
    Run(bytes);
    for (int round = 0; round < mutations; ++round) {
      std::string mutated = bytes;
      for (uint32_t changes = 0; changes <= random() % 4; ++changes) Mutate(random, mutated);
      Run(mutated);
    }
  }
}

void RunSeconds(const std::vector<std::string>& files, int seconds, std::mt19937& random) {
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  while (Clock::now() < end) {
    std::string mutated = files[random() % files.size()];
    const uint32_t changes = 1 + random() % 8;
    for (uint32_t i = 0; i < changes; ++i) {
      if (random() % 3 == 0) {
        MutateMore(random, files, mutated);
      } else {
        Mutate(random, mutated);
      }
    }
    mutated.resize(std::min(mutated.size(), kMostBytes));
    Run(mutated);
  }
}

}  // namespace

int main(int argc, char** argv) {
  int mutations = 2000, seconds = 0;
  unsigned seed = 1;
  std::vector<const char*> folders;
  const char* findings = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (std::sscanf(argv[i], "--mutations=%d", &mutations) == 1) continue;
    if (std::sscanf(argv[i], "--seconds=%d", &seconds) == 1) continue;
    if (std::sscanf(argv[i], "--seed=%u", &seed) == 1) continue;
    if (word.rfind("--findings=", 0) == 0) {
      findings = argv[i] + 11;
    } else {
      folders.push_back(argv[i]);
    }
  }
  if (findings != nullptr) KeepFindings(findings, seed);
  const std::vector<std::string> files = Corpus(folders);
  if (files.empty()) return 1;
  std::mt19937 random(seed);
  if (seconds > 0) {
    RunSeconds(files, seconds, random);
  } else {
    RunMutations(files, mutations, random);
  }
  std::printf("%zu files, %lld executions\n", files.size(), static_cast<long long>(executions));
  return 0;
}
