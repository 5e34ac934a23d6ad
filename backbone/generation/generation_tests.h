// unival: generation_tests.h - a decoder whose answers are known, for the tests of generation.
#ifndef UNIVAL_BACKBONE_GENERATION_GENERATION_TESTS_H_
#define UNIVAL_BACKBONE_GENERATION_GENERATION_TESTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "backbone/generation/generate.h"

namespace unival::generation_tests {

constexpr int64_t kVocabulary = 12;
constexpr int64_t kEos = 2;
using Tokens = std::vector<int64_t>;

// Logits as a pure function of sample and history, so that any mistake in reordering shows.
class TableDecoder : public IncrementalDecoder {
 public:
  using Table = std::function<float(int64_t sample, const Tokens& history, int64_t token)>;

  TableDecoder(int64_t samples, Table table, int64_t max_steps = 64);

  int64_t batch_size() const override { return samples_; }
  int64_t max_steps() const override { return max_steps_; }
  at::Tensor Step(const at::Tensor& tokens) override;
  void Reorder(const at::Tensor& rows, const at::Tensor& samples) override;

  bool column_major = false;  // strides as large products have them

  int64_t steps() const { return steps_; }
  int64_t rows_computed() const { return rows_computed_; }

 private:
  int64_t samples_, max_steps_;
  Table table_;
  std::vector<Tokens> histories_;
  std::vector<int64_t> ids_;
  int64_t steps_ = 0, rows_computed_ = 0;
};

// Pseudo-random, but sharp enough to have a clear order.
float RandomLogit(int64_t sample, const Tokens& history, int64_t token);

// Under RandomLogit: of one token, and of `tokens` and the end together, behind `prefix`.
double LogProbability(int64_t sample, const Tokens& history, int64_t token);
double SequenceScore(int64_t sample, const Tokens& prefix, const Tokens& tokens);

std::vector<std::vector<Hypothesis>> Search(TableDecoder& decoder, const GenerationConfig& config,
                                            const std::vector<GenerationRequest>& requests,
                                            const GenerationOptions& options = {});
std::vector<Hypothesis> SearchOne(TableDecoder& decoder, const GenerationConfig& config,
                                  const GenerationRequest& request);

GenerationConfig Config(int beam, int max_tokens);

}  // namespace unival::generation_tests

#endif  // UNIVAL_BACKBONE_GENERATION_GENERATION_TESTS_H_
