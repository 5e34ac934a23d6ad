#include "training/run/training_step.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backbone/model/backbone.h"
#include "runtime/collate.h"
#include "runtime/decoding.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "training/config/plan.h"
#include "training/run/non_finite.h"
#include "training/run/part_times.h"

namespace unival {
namespace {

// Autocast for the forward pass of one micro-batch.
class ReducedPrecision {
 public:
  explicit ReducedPrecision(bool enabled) : enabled_(enabled) {
    if (!enabled_) return;
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
    Set(true);
  }
  ~ReducedPrecision() {
    if (!enabled_) return;
    Set(false);
    at::autocast::clear_cache();
  }
  ReducedPrecision(const ReducedPrecision&) = delete;
  ReducedPrecision& operator=(const ReducedPrecision&) = delete;

 private:
  static void Set(bool on) {
    at::autocast::set_cpu_enabled(on);
    if (at::hasCUDA()) at::autocast::set_enabled(on);
  }
  const bool enabled_;
};

at::Tensor Forward(const Model& model, const ModelInput& input, const TargetRows& target) {
  Backbone& backbone = model.backbone();
  DecodeOptions options;
  options.code_rows = target.code_rows;
  return backbone.Decode(backbone.Encode(input), target.previous, options);
}

// Rows whose task masks its loss follow their closed set, the others may say anything.
at::Tensor AllowedOf(absl::Span<const PreparedExample> examples, const at::Tensor& labels,
                     const VocabularyView& vocabulary) {
  const auto masks = [](const PreparedExample& row) { return row.example.mask_loss; };
  if (std::none_of(examples.begin(), examples.end(), masks)) return {};
  std::vector<at::Tensor> rows;
  for (size_t row = 0; row < examples.size(); ++row) {
    const Seq2SeqExample& example = examples[row].example;
    rows.push_back(AllowedByAnswers(labels.narrow(0, static_cast<int64_t>(row), 1),
                                    example.mask_loss ? example.constraint.answers : AnswerSet(),
                                    vocabulary.size(), vocabulary.pad()));
  }
  return at::cat(rows);
}

at::Tensor WeightsOf(absl::Span<const PreparedExample> examples) {
  std::vector<double> weights;
  for (const PreparedExample& row : examples) weights.push_back(row.example.loss_weight);
  const auto is_one = [](double weight) { return weight == 1; };
  if (std::all_of(weights.begin(), weights.end(), is_one)) return {};
  return at::tensor(weights, at::kFloat);
}

// Each row again behind all rows.
at::Tensor Twice(const at::Tensor& x) { return x.defined() ? at::cat({x, x}) : x; }

// With R-Drop (Liang et al., 2021) a batch is passed twice, and what is dropped differs.
absl::StatusOr<LossResult> Loss(const Model& model, const ModelInput& input,
                                const TargetRows& target, const StepOptions& options) {
  const bool passes_twice = options.loss.rdrop_alpha > 0;
  at::Tensor logits;
  {
    ReducedPrecision precision(options.bfloat16);
    logits = Forward(model, input, target);
    if (passes_twice) logits = at::cat({logits, Forward(model, input, target)});
  }
  return ComputeLoss(logits.to(at::kFloat), passes_twice ? Twice(target.labels) : target.labels,
                     options.loss, options.update,
                     passes_twice
                         ? LossMasks{Twice(target.masks.allowed), Twice(target.masks.confidence)}
                         : target.masks);
}

at::Tensor Mean(const LossResult& result) {
  return result.loss / static_cast<double>(result.sample_size);
}

// Fills `step` with what all processes have; `loss` is this one's, per token. Returns the weight of
// its mean in that of all.
absl::StatusOr<double> Share(const StepOptions& options, const LossResult& result, double loss,
                             StepLoss* step) {
  const double encoder_seconds = step->encoder_seconds;
  const auto own = static_cast<double>(result.sample_size);
  StepSums sums;
  sums.loss = loss * own;
  sums.sample_size = own;
  sums.tokens = static_cast<double>(result.tokens);
  sums.correct = static_cast<double>(result.correct);
  if (!options.share) {
    *step = {loss, result.tokens, result.correct, encoder_seconds};
    return 1;
  }
  UNIVAL_RETURN_IF_ERROR(options.share(&sums));
  *step = MeanOf(sums);
  step->encoder_seconds = encoder_seconds;
  return own / sums.sample_size;
}

// What backward starts from, of this process; fills `step`.
absl::StatusOr<at::Tensor> Objective(const LossResult& result, const StepOptions& options,
                                     StepLoss* step) {
  if (options.mixed) {
    StepSums sums = SumsOf(result, *options.mixed);
    if (options.share) UNIVAL_RETURN_IF_ERROR(options.share(&sums));
    const double encoder_seconds = step->encoder_seconds;
    *step = MeanOf(sums);
    step->encoder_seconds = encoder_seconds;
    const at::Tensor weights = RowWeights(result.row_tokens, sums, *options.mixed);
    return (result.row_loss * weights).sum() * options.scale;
  }
  const at::Tensor mean = Mean(result);
  UNIVAL_ASSIGN_OR_RETURN(const double weight, Share(options, result, mean.item<double>(), step));
  return mean * (options.scale * weight);
}

}  // namespace

LossConfig MakeLoss(const LossPlan& plan, const VocabularyView& vocabulary) {
  LossConfig loss;
  loss.label_smoothing = plan.label_smoothing();
  loss.encouraging = plan.encouraging();
  loss.log_end = LogEnd(plan);
  loss.drop_worst_ratio = plan.drop_worst_ratio();
  loss.drop_worst_after = plan.drop_worst_after();
  loss.rdrop_alpha = plan.rdrop_alpha();
  loss.pad = vocabulary.pad();
  loss.eos = vocabulary.eos();
  return loss;
}

absl::Status EncodePending(const Model& model, const std::map<std::string, FeatureCache*>& frozen,
                           TrainingBatch* batch, int64_t* encoder_calls, int64_t* cache_hits) {
  at::NoGradGuard no_grad;
  for (const PendingFeatures& pending : batch->pending) {
    PreparedMedia& media = batch->examples[pending.row].media[pending.media_index];
    FeatureCache* cache = frozen.at(media.modality);
    // Another row of this batch, or an earlier batch, may have added the same item to the cache
    // since the loader looked.
    if (cache != nullptr) media.features = cache->Find(pending.key);
    if (media.features) {
      ++*cache_hits;
      continue;
    }
    UNIVAL_ASSIGN_OR_RETURN(Modality * modality, model.RequireModality(media.modality));
    PreprocessedBatch one;
    one.samples.push_back(std::move(media.sample));
    for (at::Tensor& tensor : one.samples[0].tensors) tensor = tensor.to(model.device());
    UNIVAL_ASSIGN_OR_RETURN(ModalityFeatures features, EncodeChecked(*modality, one));
    ++*encoder_calls;
    if (cache != nullptr) {
      ModalityFeatures stored{features.values.cpu(), features.padding, features.positions};
      if (stored.padding.defined()) stored.padding = stored.padding.cpu();
      if (stored.positions.defined()) stored.positions = stored.positions.cpu();
      UNIVAL_RETURN_IF_ERROR(cache->Add(pending.key, stored));
    }
    media.features = std::move(features);
    media.sample.tensors.clear();
  }
  return absl::OkStatus();
}

TargetRows MakeTargetRows(const Model& model, absl::Span<const PreparedExample> examples) {
  const VocabularyView& vocabulary = model.vocabulary();
  std::vector<std::vector<int64_t>> previous, labels;
  for (const PreparedExample& prepared : examples) {
    TargetTokens row = LayOutTarget(prepared.example, vocabulary);
    previous.push_back(std::move(row.previous));
    labels.push_back(std::move(row.labels));
  }
  TargetRows rows;
  rows.previous = PadTokens(previous, vocabulary.pad()).to(model.device());
  rows.labels = PadTokens(labels, vocabulary.pad()).to(model.device());
  rows.code_rows = CodeRowsOf(examples);
  if (rows.code_rows.defined()) rows.code_rows = rows.code_rows.to(model.device());
  rows.masks.allowed = AllowedOf(examples, rows.labels, vocabulary);
  rows.masks.confidence = WeightsOf(examples);
  if (rows.masks.confidence.defined()) {
    rows.masks.confidence = rows.masks.confidence.to(model.device());
  }
  return rows;
}

absl::StatusOr<StepLoss> ForwardBackward(const Model& model,
                                         absl::Span<const PreparedExample> examples,
                                         const StepOptions& options) {
  at::manual_seed(options.seed);
  const TargetRows target = MakeTargetRows(model, examples);
  StepLoss step;
  const auto encode = [&] {
    const PartTimer timer(&step.encoder_seconds);
    return MakeModelInput(model, examples);
  };
  UNIVAL_ASSIGN_OR_RETURN(ModelInput input, encode());
  return CatchTorch("training step", [&]() -> absl::StatusOr<StepLoss> {
    UNIVAL_ASSIGN_OR_RETURN(const LossResult result, Loss(model, input, target, options));
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor objective, Objective(result, options, &step));
    if (!std::isfinite(step.loss)) {
      return NonFiniteError(absl::StrCat("the loss is ", step.loss));
    }
    if (!objective.requires_grad()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the loss of ", examples[0].example.key,
          " depends on nothing that the stage trains; take its source out of the stage, or train a "
          "part that it uses"));
    }
    objective.backward();
    return step;
  });
}

std::vector<std::string> KeysOf(absl::Span<const PreparedExample> examples) {
  std::vector<std::string> keys;
  for (const PreparedExample& row : examples) keys.push_back(row.example.key);
  return keys;
}

std::vector<std::string> NonFiniteRecords(const Model& model,
                                          absl::Span<const PreparedExample> examples,
                                          const StepOptions& options) {
  const at::NoGradGuard no_grad;
  std::vector<std::string> to_blame;
  for (const PreparedExample& example : examples) {
    const absl::Span<const PreparedExample> alone(&example, 1);
    const absl::StatusOr<bool> finite = CatchTorch("one record", [&]() -> absl::StatusOr<bool> {
      UNIVAL_ASSIGN_OR_RETURN(const ModelInput input, MakeModelInput(model, alone));
      UNIVAL_ASSIGN_OR_RETURN(const LossResult result,
                              Loss(model, input, MakeTargetRows(model, alone), options));
      return std::isfinite(Mean(result).item<double>());
    });
    if (finite.ok() && !*finite) to_blame.push_back(example.example.key);
  }
  return to_blame;
}

}  // namespace unival
