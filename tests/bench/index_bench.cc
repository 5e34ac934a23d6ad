// Measures opening big data the first time, when everything is read and an index is written, and
// the second time: a million rows of JSONL, the same packed, and a tar of 100,000 members.
//
//   bazel run -c opt //tests/bench:index_bench [SHARE OF THE SIZE, 1.0]
//
// "open": time until the number of records is known. "identity": until a run knows the hash of its
// data. "record": until a record in the middle was read. "own": the growth of the process's own
// memory. "peak": the largest resident memory, including pages of the data, which the system may
// take back at any time. Each case runs in a new process, and all files are in the page cache.
// Compare only ratios within one run; absolute numbers depend on the machine.
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sdk/base/files.h"
#include "sdk/base/memory_use.h"
#include "training/data/files/tar_writer.h"
#include "training/data/read/source.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

template <typename Value>
Value OrDie(absl::StatusOr<Value> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
  std::exit(1);
}

void OrDie(const absl::Status& status) {
  if (!status.ok()) OrDie<int>(status);
}

double MillisecondsSince(absl::Time start) {
  return absl::ToDoubleMilliseconds(absl::Now() - start);
}

void Measure(const std::string& path, const char* when) {
  SourceOptions options;
  options.path = path;
  options.missing_media = true;  // rows name pictures that do not exist
  const int64_t before = MemoryOfThisProcess().own;
  const absl::Time start = absl::Now();
  const auto source = OrDie(OpenSource(options));
  const double opened = MillisecondsSince(start);
  OrDie(source->Identity(/*read_all=*/false));
  const double known = MillisecondsSince(start);
  const int64_t grown = MemoryOfThisProcess().own - before;
  OrDie(source->Read(source->size() / 2));
  std::printf("%-14s %-7s %8lld records  open %7.1f ms  identity %7.1f ms  record %7.1f ms",
              fs::path(path).filename().c_str(), when, static_cast<long long>(source->size()),
              opened, known, MillisecondsSince(start));
  std::printf("  own %6.1f MB  peak %6.1f MB\n", static_cast<double>(grown) / (1 << 20),
              PeakMemoryMb());
  std::fflush(stdout);
}

void InChild(const std::string& path, const char* when) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    Measure(path, when);
    std::_Exit(0);
  }
  int status = 1;
  if (waitpid(child, &status, 0) != child || status != 0) std::exit(1);
}

void WriteRows(const std::string& path, int64_t rows) {
  std::ofstream file(path, std::ios::binary);
  for (int64_t i = 0; i < rows; ++i) {
    file << absl::StrCat("{\"image\": \"images/", i, ".jpg\", \"caption\": \"a picture of thing ",
                         i, " beside thing ", i * 7919 % rows,
                         "\", \"question\": \"what is it?\"}\n");
  }
}

void Pack(const std::string& path) {
  const std::string plain = OrDie(ReadWholeFile(path));
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(&packed[0], packed.size(), plain.data(), plain.size(), 1));
  OrDie(WriteFileAtomically(path + ".zst", {packed}));
}

void WriteMembers(const std::string& path, int64_t samples) {
  const auto tar = OrDie(TarWriter::Create(path));
  const std::string picture(4000, 'x');
  for (int64_t i = 0; i < samples; ++i) {
    OrDie(tar->Add(absl::StrCat(i, ".json"), absl::StrCat("{\"caption\": \"thing ", i, "\"}")));
    OrDie(tar->Add(absl::StrCat(i, ".jpg"), picture));
  }
  OrDie(tar->Finish());
}

void RunAll(const std::string& folder, double share) {
  const std::string rows = folder + "/rows.jsonl", tar = folder + "/members.tar";
  const auto scaled = [share](double size) { return static_cast<int64_t>(size * share); };
  WriteRows(rows, scaled(1e6));
  Pack(rows);
  WriteMembers(tar, scaled(5e4));
  absl::SleepFor(absl::Seconds(1));  // an index of a file that has just changed is not used
  for (const std::string& path : {rows, rows + ".zst", tar}) {
    const std::string index = folder + "/." + fs::path(path).filename().string() + ".index";
    for (const char* when : {"first", "second"}) InChild(path, when);
    std::printf("%-14s index   %9lld bytes beside %lld\n", fs::path(path).filename().c_str(),
                static_cast<long long>(fs::file_size(index)),
                static_cast<long long>(fs::file_size(path)));
  }
}

}  // namespace
}  // namespace unival

int main(int argc, char** argv) {
  std::string folder = (std::filesystem::temp_directory_path() / "unival-bench.XXXXXX").string();
  if (mkdtemp(&folder[0]) == nullptr) return 1;
  unival::RunAll(folder, argc > 1 ? std::atof(argv[1]) : 1.0);
  std::filesystem::remove_all(folder);
  return 0;
}
