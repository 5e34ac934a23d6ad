// unival: base_size_model.h - a model of base size and tasks for it, for benchmarks. Its weights
// are random, because their values do not affect speed.
#ifndef UNIVAL_TESTS_BENCH_BASE_SIZE_MODEL_H_
#define UNIVAL_TESTS_BENCH_BASE_SIZE_MODEL_H_

#include <string>

namespace unival {

// The model's folder, below the temporary folder. The first call on a machine writes it: 0.7 GB of
// float32, with an image trunk for 480 x 480 pixels.
std::string BaseSizeModel();

// A template file. "closed" answers `text` with one of `answers` lines of two words each;
// "describe" answers `text` with 16 tokens, "picture" answers `image` with 16 tokens.
std::string BenchTasks(int answers);

}  // namespace unival

#endif  // UNIVAL_TESTS_BENCH_BASE_SIZE_MODEL_H_
