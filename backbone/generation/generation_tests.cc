#include "backbone/generation/generation_tests.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <utility>

namespace unival::generation_tests {

TableDecoder::TableDecoder(int64_t samples, Table table, int64_t max_steps)
    : samples_(samples), max_steps_(max_steps), table_(std::move(table)), histories_(samples) {
  ids_.resize(samples);
  std::iota(ids_.begin(), ids_.end(), 0);
}

at::Tensor TableDecoder::Step(const at::Tensor& tokens) {
  ++steps_;
  EXPECT_EQ(tokens.numel(), static_cast<int64_t>(histories_.size()));
  at::Tensor logits = at::empty({tokens.numel(), kVocabulary});
  for (int64_t row = 0; row < tokens.numel(); ++row) {
    histories_[row].push_back(tokens.data_ptr<int64_t>()[row]);
    const int64_t sample = ids_[row / (histories_.size() / ids_.size())];
    for (int64_t token = 0; token < kVocabulary; ++token) {
      logits.data_ptr<float>()[row * kVocabulary + token] = table_(sample, histories_[row], token);
    }
  }
  rows_computed_ += tokens.numel();
  return column_major ? logits.t().contiguous().t() : logits;
}

void TableDecoder::Reorder(const at::Tensor& rows, const at::Tensor& samples) {
  std::vector<Tokens> histories;
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < rows.numel(); ++i) {
    histories.push_back(histories_.at(rows.data_ptr<int64_t>()[i]));
  }
  for (int64_t i = 0; i < samples.numel(); ++i) {
    ids.push_back(ids_.at(samples.data_ptr<int64_t>()[i]));
  }
  histories_ = std::move(histories);
  ids_ = std::move(ids);
  ASSERT_EQ(histories_.size() % ids_.size(), 0u);
}

float RandomLogit(int64_t sample, const Tokens& history, int64_t token) {
  uint64_t h = 1469598103934665603ULL ^ static_cast<uint64_t>(sample * 977 + token);
  for (int64_t t : history) h = (h ^ static_cast<uint64_t>(t + 1)) * 1099511628211ULL;
  h ^= h >> 29;
  h *= 0xBF58476D1CE4E5B9ULL;
  h ^= h >> 32;
  return static_cast<float>(h % 10007) / 10007.0f * 4.0f;
}

double LogProbability(int64_t sample, const Tokens& history, int64_t token) {
  double sum = 0;
  for (int64_t t = 0; t < kVocabulary; ++t) sum += std::exp(RandomLogit(sample, history, t));
  return RandomLogit(sample, history, token) - std::log(sum);
}

double SequenceScore(int64_t sample, const Tokens& prefix, const Tokens& tokens) {
  Tokens history = {0};
  double score = 0;
  Tokens all = prefix;
  all.insert(all.end(), tokens.begin(), tokens.end());
  all.push_back(kEos);
  for (size_t i = 0; i < all.size(); ++i) {
    if (i >= prefix.size()) score += LogProbability(sample, history, all[i]);
    history.push_back(all[i]);
  }
  return score;
}

std::vector<std::vector<Hypothesis>> Search(TableDecoder& decoder, const GenerationConfig& config,
                                            const std::vector<GenerationRequest>& requests,
                                            const GenerationOptions& options) {
  auto found = Generate(decoder, config, requests, SpecialTokens(), options);
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? *found : std::vector<std::vector<Hypothesis>>(requests.size());
}

std::vector<Hypothesis> SearchOne(TableDecoder& decoder, const GenerationConfig& config,
                                  const GenerationRequest& request) {
  return Search(decoder, config, {request})[0];
}

GenerationConfig Config(int beam, int max_tokens) {
  GenerationConfig config;
  config.set_beam(beam);
  config.set_max_tokens(max_tokens);
  config.set_n_best(beam);
  return config;
}

}  // namespace unival::generation_tests
