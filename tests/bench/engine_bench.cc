// Measures inference of a model of base size (with random weights, because their values do not
// affect speed), and the packed matrix products alone, which are a lower bound of the time.
//
//   bazel run -c opt //tests/bench:engine_bench
//
// Precision: 0 the modules' own products, 1 packed float32, 2 bfloat16, 3 int8. Compare only ratios
// within one run; absolute numbers depend on the machine.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "app/startup.h"
#include "backbone/generation/generate.h"
#include "backbone/layers/packed_weights.h"
#include "backbone/model/backbone.h"
#include "backbone/model/model_config.h"
#include "sdk/base/fresh_weights.h"
#include "sdk/native/answer_set.h"

namespace unival {
namespace {

constexpr int64_t kVocabulary = 59457, kSource = 233, kSteps = 16;

Backbone& Base() {
  static auto* const model = [] {
    auto created = Backbone::Create(BaseBackboneConfig(), kVocabulary);
    (*created)->module().eval();
    return new std::shared_ptr<Backbone>(*created);
  }();
  return **model;
}

layers::PackedWeights* Packed(int64_t number) {
  static auto* const all = new std::vector<std::unique_ptr<layers::PackedWeights>>(4);
  if (number == 0) return nullptr;
  auto& packed = (*all)[number];
  if (packed == nullptr) {
    packed = std::make_unique<layers::PackedWeights>(static_cast<InferencePrecision>(number - 1));
  }
  return packed.get();
}

ModelInput Source(int64_t batch) {
  ModelInput input;
  input.source_tokens = at::randint(4, 50000, {batch, kSource}, at::kLong);
  return input;
}

// Creating the parts of a model before its weights are loaded. 0: no weight is initialised, as when
// a model directory is loaded; 1: all are.
void BM_MakeBackbone(benchmark::State& state) {
  for (auto _ : state) {
    std::unique_ptr<SkipFreshWeights> skip_fresh_weights;
    if (state.range(0) == 0) skip_fresh_weights = std::make_unique<SkipFreshWeights>();
    benchmark::DoNotOptimize(Backbone::Create(BaseBackboneConfig(), kVocabulary).ok());
  }
}
BENCHMARK(BM_MakeBackbone)
    ->ArgName("fresh")
    ->Arg(0)
    ->Arg(1)
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_Encode(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  const layers::PackedWeights::Use use(Packed(state.range(0)));
  const ModelInput input = Source(1);
  Base().Encode(input);
  for (auto _ : state) benchmark::DoNotOptimize(Base().Encode(input).states);
}

void BM_DecodeStep(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  const layers::PackedWeights::Use use(Packed(state.range(0)));
  const int64_t beam = state.range(1);
  const EncoderOutput encoded = Base().Encode(Source(1));
  const at::Tensor tokens = at::full({beam}, 7, at::kLong);
  auto decoder = Base().NewIncrementalDecoder(encoded, beam);
  int64_t step = 0;
  decoder->Step(tokens);
  for (auto _ : state) {
    if (++step == kSteps) {
      state.PauseTiming();
      decoder = Base().NewIncrementalDecoder(encoded, beam);
      decoder->Step(tokens);
      step = 1;
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize(decoder->Step(tokens));
  }
}

// Encodes and generates sixteen tokens; no row stops earlier.
void BM_Generate(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  const layers::PackedWeights::Use use(Packed(state.range(0)));
  const int64_t batch = state.range(2);
  GenerationConfig config;
  config.set_beam(static_cast<int>(state.range(1)));
  config.set_min_tokens(kSteps);
  config.set_max_tokens(kSteps);
  const ModelInput input = Source(batch);
  const auto run = [&] {
    const EncoderOutput encoded = Base().Encode(input);
    auto decoder = Base().NewIncrementalDecoder(encoded, 1);
    return Generate(*decoder, config, std::vector<GenerationRequest>(batch), {}).ok();
  };
  run();
  for (auto _ : state) benchmark::DoNotOptimize(run());
}

// Scores a closed set of answers of up to four tokens for each of `batch` records; or searches for
// the best of them. "peak_MB" is the largest resident size of the whole process so far.
AnswerSet Answers(int64_t count) {
  std::vector<std::vector<int64_t>> answers;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<int64_t> answer = {4 + i % 1000, 2000 + i};
    if (i % 3 == 0) answer.insert(answer.end(), {100, 200 + i % 7});
    answers.push_back(std::move(answer));
  }
  return AnswerSet(std::move(answers));
}

void BM_ClosedSet(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  const layers::PackedWeights::Use use(Packed(state.range(0)));
  const int64_t batch = state.range(1);
  const bool all = state.range(3) != 0;
  const AnswerSet answers = Answers(state.range(2));
  GenerationConfig config;
  config.set_score_candidates(all);
  config.set_beam(all ? 1 : 5);
  const EncoderOutput encoded = Base().Encode(Source(batch));
  const std::vector<GenerationRequest> requests(batch, {{}, {answers, {}}, 0});
  for (auto _ : state) {
    auto decoder = Base().NewIncrementalDecoder(encoded, 1);
    benchmark::DoNotOptimize(Generate(*decoder, config, requests, {}).ok());
  }
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_MB"] = static_cast<double>(usage.ru_maxrss) / 1024;
}

// Wide layers are those of the feed-forward blocks, or the projection to the vocabulary.
layers::Tolerance TolerableBits(const at::Tensor& weight) {
  const bool feeds_forward = weight.size(0) != weight.size(1) && weight.size(0) != kVocabulary;
  return feeds_forward ? layers::Tolerance::kEightBits : layers::Tolerance::kSixteenBits;
}

// Only the matrix products of one step of the decoder, or of the encoder.
void BM_Products(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  const layers::PackedWeights::Use use(Packed(state.range(0)));
  const int64_t rows = state.range(1);
  const bool is_step = rows < kSource;
  const int64_t squares = 6 * (is_step ? 6 : 4);
  std::vector<at::Tensor> weights;
  for (int64_t i = 0; i < squares; ++i) weights.push_back(at::zeros({768, 768}));
  for (int i = 0; i < 6; ++i) {
    weights.push_back(at::zeros({3072, 768}));
    weights.push_back(at::zeros({768, 3072}));
  }
  if (is_step) weights.push_back(at::zeros({kVocabulary, 768}));
  const at::Tensor narrow = at::randn({rows, 768}), wide = at::randn({rows, 3072});
  const auto run = [&] {
    for (const at::Tensor& weight : weights) {
      const at::Tensor& x = weight.size(1) == 768 ? narrow : wide;
      benchmark::DoNotOptimize(
          layers::LinearProduct(x, weight, at::Tensor(), TolerableBits(weight)));
    }
  };
  run();
  for (auto _ : state) run();
}

BENCHMARK(BM_ClosedSet)
    ->ArgNames({"precision", "batch", "answers", "all"})
    ->ArgsProduct({{1, 3}, {8}, {10, 1000}, {0, 1}})
    ->ArgsProduct({{3}, {64}, {3000}, {0, 1}})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

const std::vector<int64_t> kPrecisions = {0, 1, 2, 3};

BENCHMARK(BM_Products)
    ->ArgNames({"precision", "rows"})
    ->ArgsProduct({kPrecisions, {1, 5, kSource}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(BM_Encode)
    ->ArgName("precision")
    ->ArgsProduct({kPrecisions})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(BM_DecodeStep)
    ->ArgNames({"precision", "beam"})
    ->ArgsProduct({kPrecisions, {1, 5}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(BM_Generate)
    ->ArgNames({"precision", "beam", "batch"})
    ->ArgsProduct({kPrecisions, {5}, {1, 8}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace unival

int main(int argc, char** argv) {
  unival::SettleProcess();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
