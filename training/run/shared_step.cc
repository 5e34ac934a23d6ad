#include "training/run/shared_step.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "backbone/storage/safetensors.h"
#include "sdk/base/random.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "training/run/non_finite.h"

namespace unival {

absl::Status SharedStep::Share(BatchCounts* counts, std::vector<std::string>* failures) {
  std::vector<double> sums = {
      static_cast<double>(counts->rows),       static_cast<double>(counts->examples),
      static_cast<double>(counts->cache_hits), static_cast<double>(counts->encoder_calls),
      static_cast<double>(counts->stop),       static_cast<double>(failures->size())};
  UNIVAL_RETURN_IF_ERROR(world_.Sum(&sums));
  counts->rows = static_cast<int64_t>(sums[0]);
  counts->examples = static_cast<int64_t>(sums[1]);
  counts->cache_hits = static_cast<int64_t>(sums[2]);
  counts->encoder_calls = static_cast<int64_t>(sums[3]);
  counts->stop = sums[4] > 0;
  return sums[5] == 0 ? absl::OkStatus() : GatherLines(failures);
}

absl::Status SharedStep::GatherLines(std::vector<std::string>* lines) {
  const std::string between(1, '\0');
  UNIVAL_ASSIGN_OR_RETURN(const auto texts, world_.Gather(absl::StrJoin(*lines, between)));
  lines->clear();
  for (const std::string& text : texts) {
    if (text.empty()) continue;
    for (absl::string_view line : absl::StrSplit(text, '\0')) lines->emplace_back(line);
  }
  return absl::OkStatus();
}

absl::Status SharedStep::TakeFromFirst(ValidationState* state, bool* is_best) {
  std::vector<std::string> judges = {state->judge};
  if (!world_.is_first()) judges.clear(), *state = ValidationState(), *is_best = false;
  UNIVAL_RETURN_IF_ERROR(GatherLines(&judges));
  state->judge = judges.empty() ? "" : judges[0];
  // Of the others all are zero, so that the sum is what process 0 has. What is no number stays so.
  std::vector<double> values = {static_cast<double>(state->any),
                                state->last,
                                state->best,
                                static_cast<double>(state->best_step),
                                static_cast<double>(state->worse),
                                static_cast<double>(*is_best)};
  UNIVAL_RETURN_IF_ERROR(world_.Sum(&values));
  state->any = values[0] != 0;
  state->last = values[1];
  state->best = values[2];
  state->best_step = static_cast<int64_t>(values[3]);
  state->worse = static_cast<int64_t>(values[4]);
  *is_best = values[5] != 0;
  return absl::OkStatus();
}

absl::Status SharedStep::ShareSums(StepSums* sums) {
  std::vector<double> values = {sums->loss, sums->sample_size, sums->tokens, sums->correct};
  for (const StepSums::Source& source : sums->sources) {
    values.push_back(source.loss);
    values.push_back(source.tokens);
  }
  UNIVAL_RETURN_IF_ERROR(world_.Sum(&values));
  sums->loss = values[0];
  sums->sample_size = values[1];
  sums->tokens = values[2];
  sums->correct = values[3];
  for (size_t i = 0; i < sums->sources.size(); ++i)
    sums->sources[i] = {values[4 + 2 * i], values[5 + 2 * i]};
  return absl::OkStatus();
}

SharedStep::SharedStep(World* world, const std::vector<NamedTensor>& parameters,
                       const std::vector<NamedTensor>& buffers)
    : world_(*world), gradients_(world, parameters) {
  for (const NamedTensor& buffer : buffers) {
    if (buffer.tensor.is_floating_point()) buffers_.push_back(buffer);
  }
}

void SharedStep::Prepare(bool is_last, StepOptions* options) {
  if (is_last) gradients_.Begin();
  options->share = [this](StepSums* sums) { return ShareSums(sums); };
  options->seed = Mix(options->seed, static_cast<uint64_t>(world_.rank()));
}

absl::StatusOr<StepLoss> SharedStep::NoRows(const StepOptions& options) {
  StepSums sums;
  if (options.mixed) sums = NoSums(options.mixed->mean, options.mixed->sources);
  UNIVAL_RETURN_IF_ERROR(ShareSums(&sums));
  const StepLoss step = MeanOf(sums);
  if (std::isfinite(step.loss)) return step;
  return NonFiniteError(absl::StrCat("the loss is ", step.loss));
}

absl::Status SharedStep::Finish() {
  UNIVAL_RETURN_IF_ERROR(gradients_.Finish());
  return CatchTorch("statistics of all processes", [&]() -> absl::Status {
    at::NoGradGuard no_grad;
    for (const NamedTensor& buffer : buffers_) {
      at::Tensor sum = buffer.tensor.to(at::kCPU).contiguous().clone();
      UNIVAL_RETURN_IF_ERROR(world_.Sum(sum));
      buffer.tensor.copy_(sum / static_cast<double>(world_.size()));
    }
    return absl::OkStatus();
  });
}

absl::Status SharedStep::CheckAlike(const Model& model, const std::set<std::string>& trained) {
  std::map<std::string, at::Tensor> tensors;
  for (const NamedTensor& entry : model.State()) {
    if (entry.is_buffer || trained.count(entry.name) > 0) tensors[entry.name] = entry.tensor;
  }
  UNIVAL_ASSIGN_OR_RETURN(const std::string own, TensorsSha256(tensors));
  UNIVAL_ASSIGN_OR_RETURN(const auto hashes, world_.Gather(own));
  std::vector<std::string> others;
  for (size_t rank = 1; rank < hashes.size(); ++rank) {
    if (hashes[rank] != hashes[0]) others.push_back(absl::StrCat(rank));
  }
  if (others.empty()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the weights of process ", absl::StrJoin(others, ", "),
      " are no longer those of process 0: the hosts compute differently, or memory is damaged; go "
      "on with --resume on hosts of one kind. Nothing was overwritten."));
}

}  // namespace unival
