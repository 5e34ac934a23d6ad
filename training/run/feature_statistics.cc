#include "training/run/feature_statistics.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "runtime/collate.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

constexpr int64_t kMostRecords = 256;  // of a source

// A deviation below this part of the mean is rounding: that number says nothing.
constexpr double kLeastDeviation = 1e-6;

// Mean and squared distance from it of all rows so far, by Chan, Golub and LeVeque (1983): one pass
// that loses no digits where the mean is large.
struct Moments {
  int64_t rows = 0;
  at::Tensor mean, squares;  // [F] double; squares is the sum of squared distances

  void Add(const at::Tensor& values) {  // [N, F] double
    const int64_t more = values.size(0);
    if (more == 0) return;
    const at::Tensor own = values.mean(0), own_squares = (values - own).square().sum(0);
    if (rows == 0) {
      rows = more, mean = own, squares = own_squares;
      return;
    }
    const at::Tensor delta = own - mean;
    const auto all = static_cast<double>(rows + more);
    mean = mean + delta * (static_cast<double>(more) / all);
    squares = squares + own_squares +
              delta.square() * (static_cast<double>(rows) * static_cast<double>(more) / all);
    rows += more;
  }
};

// The live buffers of one connection; undefined where it does not ask for statistics.
struct Statistics {
  at::Tensor mean, deviation;

  bool AreFresh() const {
    return mean.defined() && mean.eq(0).all().item<bool>() && deviation.eq(1).all().item<bool>();
  }
};

Statistics Find(const Model& model, const std::string& modality) {
  Statistics found;
  for (const NamedTensor& entry : model.State()) {
    if (entry.name == absl::StrCat("connection.", modality, ".feature_mean"))
      found.mean = entry.tensor;
    if (entry.name == absl::StrCat("connection.", modality, ".feature_std"))
      found.deviation = entry.tensor;
  }
  return found;
}

absl::Status AddItem(Modality& modality, PreparedMedia media, at::Device device, Moments* moments) {
  PreprocessedBatch batch;
  batch.samples.push_back(std::move(media.sample));
  for (at::Tensor& tensor : batch.samples[0].tensors) tensor = tensor.to(device);
  UNIVAL_ASSIGN_OR_RETURN(const ModalityFeatures features, EncodeChecked(modality, batch));
  at::Tensor values = features.values[0].to(at::kCPU, at::kDouble);
  if (features.padding.defined()) {
    const at::Tensor used = features.padding[0].logical_not().nonzero().squeeze(1);
    values = values.index_select(0, used.to(at::kCPU));
  }
  moments->Add(values);
  return absl::OkStatus();
}

absl::Status AddSource(const Model& model, Modality& modality, const std::string& id,
                       const StageSource& source, Moments* moments) {
  const int64_t size = source.source->size(), count = std::min(size, kMostRecords);
  for (int64_t i = 0; i < count; ++i) {
    const absl::StatusOr<TaskSample> sample = source.source->Read(i * size / count);
    if (!sample.ok()) continue;
    absl::StatusOr<Seq2SeqExample> example =
        source.task->MakeExample(*sample, ExampleMode::kTraining, 0);
    if (!example.ok()) continue;
    absl::StatusOr<PreparedExample> prepared = Prepare(model, *std::move(example), {});
    if (!prepared.ok()) continue;
    for (PreparedMedia& media : prepared->media) {
      if (media.modality != id) continue;
      UNIVAL_RETURN_IF_ERROR(
          Annotate(AddItem(modality, std::move(media), model.device(), moments), sample->key));
    }
  }
  return absl::OkStatus();
}

bool Uses(const StageSource& source, const std::string& modality) {
  return absl::c_linear_search(source.task->info().modalities, modality);
}

absl::Status Set(const Moments& moments, const std::string& modality, const Statistics& target) {
  if (moments.rows == 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "connection of modality \"", modality, "\": standardize_features: expected at least one ",
        "record that can be read, got none; repair the data (`unival data check` says how)"));
  }
  const at::Tensor mean = moments.mean;
  const at::Tensor deviation = (moments.squares / static_cast<double>(moments.rows)).sqrt();
  if (!(mean + deviation).isfinite().all().item<bool>()) {
    return absl::InvalidArgumentError(absl::StrCat("connection of modality \"", modality,
                                                   "\": standardize_features: the features are ",
                                                   "not finite; mend the modality's plugin"));
  }
  const at::Tensor varies = deviation > mean.abs().clamp_min(kLeastDeviation) * kLeastDeviation;
  target.mean.copy_(mean);
  target.deviation.copy_(at::where(varies, deviation, at::ones_like(deviation)));
  return absl::OkStatus();
}

// The sources of the first stage that use the modality.
std::vector<const StageSource*> SourcesOf(const RunData& data, const std::string& modality) {
  std::vector<const StageSource*> sources;
  for (const std::vector<StageSource>& stage : data.stages) {
    for (const StageSource& source : stage) {
      if (Uses(source, modality)) sources.push_back(&source);
    }
    if (!sources.empty()) break;
  }
  return sources;
}

absl::Status Measure(const RunData& data, const Model& model, const std::string& id) {
  const Statistics target = Find(model, id);
  const std::vector<const StageSource*> sources = SourcesOf(data, id);
  if (!target.AreFresh() || sources.empty()) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(Modality * modality, model.RequireModality(id));
  Moments moments;
  for (const StageSource* source : sources) {
    UNIVAL_RETURN_IF_ERROR(AddSource(model, *modality, id, *source, &moments));
  }
  return Set(moments, id, target);
}

}  // namespace

absl::Status MeasureFeatures(const RunData& data, const Model& model) {
  const at::NoGradGuard no_grad;
  for (const std::string& id : model.modality_ids()) {
    UNIVAL_RETURN_IF_ERROR(CatchTorch(absl::StrCat("features of modality \"", id, "\""),
                                      [&] { return Measure(data, model, id); }));
  }
  return absl::OkStatus();
}

}  // namespace unival
