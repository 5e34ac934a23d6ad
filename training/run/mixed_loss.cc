#include "training/run/mixed_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

namespace unival {
namespace {

// Numbers of a [B] tensor.
std::vector<double> NumbersOf(const at::Tensor& values) {
  const at::Tensor cpu = values.detach().to(at::kCPU, at::kDouble).contiguous();
  return {cpu.data_ptr<double>(), cpu.data_ptr<double>() + cpu.numel()};
}

// The mean over sources is that of what each lost in all processes.
void SettleSources(double* loss, double* count, const std::vector<StepSums::Source>& sources) {
  *loss = *count = 0;
  for (const StepSums::Source& source : sources) {
    if (source.tokens == 0) continue;
    *loss += source.loss / source.tokens;
    ++*count;
  }
}

}  // namespace

StepSums NoSums(LossMean mean, int sources) {
  StepSums sums;
  sums.mean = mean;
  sums.sources.resize(static_cast<size_t>(sources));
  return sums;
}

StepSums SumsOf(const LossResult& result, const MixedRows& rows) {
  StepSums sums = NoSums(rows.mean, rows.sources);
  sums.tokens = static_cast<double>(result.tokens);
  sums.correct = static_cast<double>(result.correct);
  const std::vector<double> losses = NumbersOf(result.row_loss);
  const std::vector<double> tokens = NumbersOf(result.row_tokens);
  for (size_t row = 0; row < losses.size(); ++row) {
    if (tokens[row] == 0) continue;
    StepSums::Source& source = sums.sources[static_cast<size_t>(rows.source_of[row])];
    source.loss += losses[row];
    source.tokens += tokens[row];
    const bool is_by_row = rows.mean == LossMean::kRows;
    sums.loss += is_by_row ? losses[row] / tokens[row] : losses[row];
    sums.sample_size += is_by_row ? 1 : tokens[row];
  }
  return sums;
}

StepLoss MeanOf(const StepSums& sums) {
  double loss = sums.loss, count = sums.sample_size;
  if (sums.mean == LossMean::kSources) SettleSources(&loss, &count, sums.sources);
  StepLoss step;
  step.loss = loss / count;
  step.tokens = static_cast<int64_t>(sums.tokens);
  step.correct = static_cast<int64_t>(sums.correct);
  for (size_t i = 0; i < sums.sources.size(); ++i) {
    const StepSums::Source& source = sums.sources[i];
    if (source.tokens > 0) step.source_loss[static_cast<int>(i)] = source.loss / source.tokens;
  }
  return step;
}

at::Tensor RowWeights(const at::Tensor& row_tokens, const StepSums& sums, const MixedRows& rows) {
  double loss = 0, count = sums.sample_size;
  if (rows.mean == LossMean::kSources) SettleSources(&loss, &count, sums.sources);
  std::vector<double> weights;
  for (const double tokens : NumbersOf(row_tokens)) {
    const auto source = static_cast<size_t>(rows.source_of[weights.size()]);
    const double size = rows.mean == LossMean::kTokens ? 1
                        : rows.mean == LossMean::kRows ? tokens
                                                       : sums.sources[source].tokens;
    weights.push_back(tokens == 0 ? 0 : 1 / (size * count));
  }
  return at::tensor(weights, at::kDouble).to(row_tokens.options());
}

}  // namespace unival
