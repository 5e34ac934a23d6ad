// unival: mixed_loss.h
//
// The loss of a micro-batch with rows of several sources: a mean over its tokens, its rows or its
// sources, as the plan says, of all processes that share the step.
//
//   StepSums sums = SumsOf(result, mixing);            // of this process
//   UNIVAL_RETURN_IF_ERROR(options.share(&sums));      // of all
//   const StepLoss step = MeanOf(sums);
//   (result.row_loss * RowWeights(result.row_tokens, sums, mixing)).sum().backward();
//
// Thread-safe.
#ifndef UNIVAL_TRAINING_RUN_MIXED_LOSS_H_
#define UNIVAL_TRAINING_RUN_MIXED_LOSS_H_

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "training/config/loss_mean.h"
#include "training/loss/loss.h"

namespace unival {

struct MixedRows {
  LossMean mean = LossMean::kTokens;
  std::vector<int> source_of;  // each row's, from 0 to below `sources`
  int sources = 0;             // of the stage
};

// One micro-batch, of this process or of all that share the step.
struct StepSums {
  struct Source {
    double loss = 0, tokens = 0;  // over the tokens that count
  };

  double loss = 0;  // summed over `sample_size`
  double sample_size = 0;
  double tokens = 0;
  double correct = 0;
  std::vector<Source> sources;  // by source, of mixed rows; else empty
  LossMean mean = LossMean::kTokens;
};

// Of all processes that share the step.
struct StepLoss {
  double loss = 0;  // per token; of mixed rows per what their mean is over
  int64_t tokens = 0;
  int64_t correct = 0;
  double encoder_seconds = 0;              // forward through encoders
  std::map<int, double> source_loss = {};  // per token, of mixed rows by source
};

// Zeros, as a process without rows has them.
StepSums NoSums(LossMean mean, int sources);
// `result`: with rows (LossConfig::by_row), one for each of `rows`.
StepSums SumsOf(const LossResult& result, const MixedRows& rows);
// `sums`: of all processes.
StepLoss MeanOf(const StepSums& sums);
// [B] float32 like `row_tokens`: what each row's sum counts for in the loss of all processes, whose
// sums are `sums`. 0 for a row without tokens.
at::Tensor RowWeights(const at::Tensor& row_tokens, const StepSums& sums, const MixedRows& rows);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_MIXED_LOSS_H_
