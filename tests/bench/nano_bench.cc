// Measures how fast the shipped model loads and answers, and the upper bound of this machine.
//
//   bazel run -c opt //tests/bench:nano_bench
//
// BM_MatrixProduct is the upper bound: GFLOP/s of large float32 products. Compare only ratios
// within one run; absolute numbers depend on the machine.

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>

#include "modalities/io/encode.h"
#include "runtime/pipeline.h"

namespace unival {
namespace {

constexpr char kModel[] = "models/nano";

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
  std::exit(1);
}

Pipeline& SharedPipeline() {
  static Pipeline* const pipeline = OrDie(Pipeline::Create({kModel, {}, {}, {}, {}})).release();
  return *pipeline;
}

// A 64 x 64 picture of noise; its content does not affect speed.
TaskSample NoiseSample(uint64_t seed) {
  at::manual_seed(seed);
  const at::Tensor pixels = at::randint(256, {64, 64, 3}, at::TensorOptions().dtype(at::kByte));
  const std::string png =
      OrDie(EncodePng(absl::MakeConstSpan(pixels.data_ptr<uint8_t>(), 64 * 64 * 3), 64, 64, 3));
  TaskSample sample{"noise", {}};
  sample.fields["image"] = MediaSource{"noise.png", "", std::make_shared<const std::string>(png)};
  return sample;
}

void BM_MatrixProduct(benchmark::State& state) {
  const int64_t n = state.range(0);
  const at::Tensor a = at::rand({n, n}), b = at::rand({n, n});
  for (auto _ : state) benchmark::DoNotOptimize(at::mm(a, b));
  state.counters["GFLOP/s"] =
      benchmark::Counter(2.0 * n * n * n * state.iterations() / 1e9, benchmark::Counter::kIsRate);
}
BENCHMARK(BM_MatrixProduct)->Arg(128)->Arg(2048)->UseRealTime();

void BM_LoadModel(benchmark::State& state) {
  const Runtime& runtime = SharedPipeline().model().runtime();
  for (auto _ : state) OrDie(Model::Load(kModel, runtime));
}
BENCHMARK(BM_LoadModel)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_LoadModelWithoutVideo(benchmark::State& state) {
  const Runtime& runtime = SharedPipeline().model().runtime();
  ModelLoadOptions options;
  options.all_modalities = false;
  options.modalities = {"image"};
  for (auto _ : state) OrDie(Model::Load(kModel, runtime, options));
}
BENCHMARK(BM_LoadModelWithoutVideo)->Unit(benchmark::kMillisecond)->UseRealTime();

// Captions per second, including decoding of the pictures.
void BM_Caption(benchmark::State& state) {
  Pipeline& pipeline = SharedPipeline();
  std::vector<TaskSample> samples;
  for (int64_t i = 0; i < state.range(0); ++i) samples.push_back(NoiseSample(i));
  GenerationConfig generation;
  generation.set_beam(static_cast<int>(state.range(1)));
  for (auto _ : state) OrDie(pipeline.PredictBatch("image_caption", samples, generation));
  state.counters["captions/s"] =
      benchmark::Counter(state.range(0) * state.iterations(), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Caption)
    ->ArgNames({"batch", "beam"})
    ->Args({1, 1})
    ->Args({32, 1})
    ->Args({1, 5})
    ->Args({32, 5})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace unival

BENCHMARK_MAIN();
