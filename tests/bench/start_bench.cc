// Measures whole commands, from the start of the process to its end, because that is what a user
// waits for.
//
//   bazel run -c opt //tests/bench:start_bench                    # this tree's unival
//   bazel run -c opt //tests/bench:start_bench -- OLD NEW         # two programs, in turn
//
// For each command, the minimum of five starts, after one start that is not counted: "CPU", the
// processor time of all its threads; "wall"; and "peak", the largest resident memory, including
// pages of mapped files. Files are in the page cache, and hashes are cached. The last line is the
// lower bound: reading all bytes of the model once. Compare only ratios within one run.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sdk/base/mapped_file.h"
#include "tests/bench/base_size_model.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr int kRuns = 5;

struct Cost {
  double cpu_ms = 1e9, wall_ms = 1e9, peak_mb = 1e9;
};

double Milliseconds(const timeval& time) { return 1e3 * time.tv_sec + 1e-3 * time.tv_usec; }

// The words of `command` after the program's name.
void Execute(const std::string& program, const std::string& command) {
  std::vector<std::string> words = absl::StrSplit(command, '|');
  words.insert(words.begin(), program);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  execv(program.c_str(), arguments.data());
  std::_Exit(127);
}

Cost Run(const std::string& program, const std::string& command, int expected) {
  const absl::Time start = absl::Now();
  const pid_t child = fork();
  if (child == 0) Execute(program, command);
  int status = 0;
  rusage used = {};
  if (wait4(child, &status, 0, &used) != child || !WIFEXITED(status) ||
      WEXITSTATUS(status) != expected) {
    std::fprintf(stderr, "%s %s: ended with %d\n", program.c_str(), command.c_str(), status);
    std::exit(1);
  }
  return {Milliseconds(used.ru_utime) + Milliseconds(used.ru_stime),
          absl::ToDoubleMilliseconds(absl::Now() - start),
          static_cast<double>(used.ru_maxrss) / 1024};
}

void Measure(const std::vector<std::string>& programs, const std::string& what,
             const std::string& command, int expected = 0) {
  std::vector<Cost> least(programs.size());
  for (int run = -1; run < kRuns; ++run) {
    for (size_t i = 0; i < programs.size(); ++i) {
      const Cost cost = Run(programs[i], command, expected);
      if (run < 0) continue;
      least[i].cpu_ms = std::min(least[i].cpu_ms, cost.cpu_ms);
      least[i].wall_ms = std::min(least[i].wall_ms, cost.wall_ms);
      least[i].peak_mb = std::min(least[i].peak_mb, cost.peak_mb);
    }
  }
  std::printf("%-34s", what.c_str());
  for (const Cost& cost : least) {
    std::printf("  CPU %6.0f ms  wall %6.0f ms  peak %5.0f MB", cost.cpu_ms, cost.wall_ms,
                cost.peak_mb);
  }
  if (least.size() == 2) std::printf("  ratio %.2f", least[1].cpu_ms / least[0].cpu_ms);
  std::printf("\n");
  std::fflush(stdout);
}

void MeasureReading(const std::string& model) {
  double best = 1e9;
  for (int run = 0; run < kRuns; ++run) {
    const absl::Time start = absl::Now();
    uint64_t sum = 0;
    for (const auto& entry : fs::directory_iterator(model)) {
      if (entry.path().extension() != ".safetensors") continue;
      const auto file = MappedFile::Open(entry.path().string());
      if (!file.ok()) std::exit(1);
      const auto* words = reinterpret_cast<const uint64_t*>((*file)->bytes().data());
      const size_t count = (*file)->bytes().size() / sizeof(uint64_t);
      for (size_t i = 0; i < count; ++i) sum += words[i];
    }
    best = std::min(best, absl::ToDoubleMilliseconds(absl::Now() - start) + (sum == 1 ? 1 : 0));
  }
  std::printf("%-34s  wall %6.0f ms\n", "reading all bytes of the model", best);
}

int Main(int argc, char** argv) {
  std::vector<std::string> programs(argv + 1, argv + argc);
  if (programs.empty()) programs = {fs::absolute("app/unival").string()};
  const std::string model = BaseSizeModel(), tasks = BenchTasks(3000);
  const std::string image = "--image|tests/golden/media/mix_640x427.jpg";
  const std::string base = absl::StrCat("predict|", model, "|--templates|", tasks, "|--task|");
  Measure(programs, "--help", "--help");
  Measure(programs, "an unknown option (start, end)", "predict|--none", 2);
  Measure(programs, "models/base, a picture",
          absl::StrCat("predict|models/base|--task|image_caption|", image));
  Measure(programs, "inspect, base size", absl::StrCat("inspect|", model));
  for (const char* beam : {"1", "5"}) {
    const std::string search = absl::StrCat("|--beam|", beam);
    const std::string named = absl::StrCat(", 16 tokens, beam ", beam);
    Measure(programs, "text" + named, absl::StrCat(base, "describe|--text|a red circle", search));
    Measure(programs, "picture" + named, absl::StrCat(base, "picture|", image, search));
  }
  MeasureReading(model);
  return 0;
}

}  // namespace
}  // namespace unival

int main(int argc, char** argv) { return unival::Main(argc, argv); }
