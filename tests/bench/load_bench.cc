// Measures a model of base size (with random weights, because their values do not affect speed):
// loading, with its lower bound, and closed sets of answers.
//
//   bazel run -c opt //tests/bench:load_bench
//
// The first run on a machine writes 0.7 GB below the temporary folder; later runs read it. Compare
// only ratios within one run; absolute numbers depend on the machine. "peak_MB" is the largest
// resident size of the process during that line. It includes mapped weights and memory that the
// allocator kept from earlier lines; to measure one line, run it alone (--benchmark_filter).

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "app/startup.h"
#include "backbone/storage/model_directory.h"
#include "runtime/pipeline.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/memory_use.h"
#include "tests/bench/base_size_model.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr int kRecords = 64, kAnswers = 3000;

template <typename T>
T Value(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::cerr << value.status() << "\n";
  std::exit(1);
}

std::vector<std::string> WeightFiles() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(BaseSizeModel())) {
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path().string());
  }
  return files;
}

PipelineOptions Options() {
  PipelineOptions options;
  options.model = BaseSizeModel();
  options.templates = {BenchTasks(kAnswers)};
  options.load.all_modalities = true;
  return options;
}

// The lower bound for loading when every byte is read: one pass over the mapped files.
void BM_ReadFiles(benchmark::State& state) {
  for (auto _ : state) {
    uint64_t sum = 0;
    for (const std::string& file : WeightFiles()) {
      const auto mapped = Value(MappedFile::Open(file));
      const auto* words = reinterpret_cast<const uint64_t*>(mapped->bytes().data());
      sum = std::accumulate(words, words + mapped->bytes().size() / sizeof(uint64_t), sum);
    }
    benchmark::DoNotOptimize(sum);
  }
}

// The same with a hash of every file, one after the other.
void BM_HashFiles(benchmark::State& state) {
  for (auto _ : state) {
    for (const std::string& file : WeightFiles()) benchmark::DoNotOptimize(Sha256OfPath(file).ok());
  }
}

void BM_Load(benchmark::State& state) {
  PipelineOptions options = Options();
  options.hash_memory = absl::StrCat(BaseSizeModel(), ".hashes");
  options.verify = state.range(0) == 0;
  Value(Pipeline::Create(options));  // after this, the hashes are cached
  for (auto _ : state) benchmark::DoNotOptimize(Value(Pipeline::Create(options)));
}

// 64 records of 230 words and 3,000 answers: all scored, or the best found by beam search.
void BM_ClosedSet(benchmark::State& state) {
  PipelineOptions options = Options();
  options.precision = state.range(1) == 0 ? "float32" : "int8";
  options.load.all_modalities = false;
  const auto pipeline = Value(Pipeline::Create(options));
  std::vector<TaskSample> samples(kRecords);
  for (int i = 0; i < kRecords; ++i) {
    samples[i].key = absl::StrCat(i);
    std::string text;
    for (int word = 0; word < 110; ++word) absl::StrAppend(&text, (i + word) % 10, " ");
    samples[i].fields["text"] = text;
  }
  GenerationConfig generation;
  generation.set_score_candidates(state.range(0) != 0);
  Value(pipeline->Predict("closed", samples[0], generation));  // packs the weights
  std::ofstream("/proc/self/clear_refs") << "5";               // resets the peak
  for (auto _ : state) {
    benchmark::DoNotOptimize(Value(pipeline->PredictBatch("closed", samples, generation)));
  }
  state.counters["peak_MB"] = PeakMemoryMb();
}

BENCHMARK(BM_ReadFiles)->Iterations(3)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_HashFiles)->Iterations(3)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Load)
    ->ArgName("remembered")
    ->Arg(0)
    ->Arg(1)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(BM_ClosedSet)
    ->ArgNames({"all", "int8"})
    ->ArgsProduct({{1, 0}, {1, 0}})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace unival

int main(int argc, char** argv) {
  unival::SettleProcess();
  unival::BaseSizeModel();  // written before anything is measured
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
