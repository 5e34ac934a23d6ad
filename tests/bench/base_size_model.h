// unival: base_size_model.h - a model of base size and tasks for it, as benchmarks need them: what
// its weights are does not matter for speed, so they are random.
#ifndef UNIVAL_TESTS_BENCH_BASE_SIZE_MODEL_H_
#define UNIVAL_TESTS_BENCH_BASE_SIZE_MODEL_H_

#include <string>

namespace unival {

// Written the first time on a machine, below the temporary folder: 0.7 GB of float32, with an image
// trunk for 480 x 480 pixels.
std::string BaseSizeModel();

// A template file. "closed" answers `text` with one of `answers` lines of two words each;
// "describe" answers `text` with 16 tokens, "picture" answers `image` with 16 tokens.
std::string BenchTasks(int answers);

}  // namespace unival

#endif  // UNIVAL_TESTS_BENCH_BASE_SIZE_MODEL_H_
