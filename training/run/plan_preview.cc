#include "training/run/plan_preview.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_split.h"
#include "runtime/half_storage.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "training/config/loss_mean.h"
#include "training/config/optimizer_plan.h"
#include "training/data/files/output_file.h"
#include "training/data/read/output_check.h"
#include "training/run/run.h"
#include "training/run/run_setup.h"
#include "training/run/stage_dropout.h"
#include "training/run/stage_length.h"
#include "training/run/stage_sampler.h"
#include "training/run/trainable.h"

namespace unival {
namespace {

// Micro-batches that are drawn to count their rows, which takes seconds.
constexpr int64_t kMaxCounted = 10000000;

// "backbone", "connection.depth", "modality.depth".
std::string PartOf(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, absl::MaxSplits('.', 2));
  return parts[0] == "backbone" || parts.size() < 2 ? parts[0] : parts[0] + "." + parts[1];
}

// Each tensor once, under its first name.
std::vector<NamedTensor> DistinctState(const Model& model) {
  std::vector<NamedTensor> distinct;
  std::set<const c10::TensorImpl*> seen;
  for (const NamedTensor& entry : model.State()) {
    if (seen.insert(entry.tensor.unsafeGetTensorImpl()).second) distinct.push_back(entry);
  }
  return distinct;
}

int64_t Bytes(const at::Tensor& tensor) {
  return tensor.numel() * static_cast<int64_t>(tensor.element_size());
}

// How many bytes of state an optimizer keeps for an element of a parameter, tried on a small one.
absl::StatusOr<int64_t> StateBytesOfElement(const OptimizerPlan& plan) {
  constexpr int64_t kElements = 64;
  const at::Tensor parameter = at::ones({kElements}).set_requires_grad(true);
  UNIVAL_ASSIGN_OR_RETURN(
      const auto optimizer,
      CreateOptimizer(OptimizerNameOf(plan), MakeOptimizerConfig(plan), {{"tried", parameter}}));
  parameter.mutable_grad() = at::ones({kElements});
  UNIVAL_RETURN_IF_ERROR(optimizer->Step(0));
  int64_t bytes = 0;
  for (const auto& [name, tensor] : optimizer->State()) {
    if (tensor.numel() >= kElements) bytes += Bytes(tensor);
  }
  return bytes / kElements;
}

class Previewer {
 public:
  Previewer(Run* run, std::string dry_run_file)
      : run_(*run), dry_run_file_(std::move(dry_run_file)), state_(DistinctState(*run->model)) {}

  absl::StatusOr<PlanPreview> Preview() {
    PlanPreview preview;
    preview.plan = run_.plan.proto.name();
    for (int i = 0; i < run_.plan.proto.stage_size(); ++i) {
      UNIVAL_ASSIGN_OR_RETURN(StagePreview stage, PreviewStage(i));
      preview.stages.push_back(std::move(stage));
    }
    for (int i = 0; i < run_.plan.proto.evaluation_size(); ++i) {
      const EvaluationPlan& evaluation = run_.plan.proto.evaluation(i);
      preview.evaluations.push_back({evaluation.name(), evaluation.task(), evaluation.path(),
                                     run_.data.evaluations[static_cast<size_t>(i)]->size()});
    }
    for (const NamedTensor& entry : state_) {
      const bool half = run_.plan.proto.save_half() && BecomesHalf(entry.name, entry.tensor);
      preview.model_bytes += half ? 2 * entry.tensor.numel() : Bytes(entry.tensor);
    }
    if (dry_run_file_.empty()) return preview;
    UNIVAL_RETURN_IF_ERROR(WriteOutputFile(dry_run_file_, order_));
    return preview;
  }

 private:
  absl::StatusOr<StagePreview> PreviewStage(int index) {
    const Stage& plan = run_.plan.proto.stage(index);
    StagePreview stage;
    stage.name = plan.name();
    stage.steps = plan.steps();
    if (plan.validation().every() > 0) stage.validations = plan.steps() / plan.validation().every();
    const std::vector<std::string> patterns(plan.trainable().begin(), plan.trainable().end());
    UNIVAL_ASSIGN_OR_RETURN(const TrainableSet trained, SelectTrainable(*run_.model, patterns));
    stage.dropout = DropoutOf(plan, trained, run_.model->backbone().config());
    stage.activation_checkpointing = plan.activation_checkpointing();
    if (plan.has_mixed_batches()) {
      const std::string& mean = plan.mixed_batches().loss_mean();
      stage.mixed_loss_mean = mean.empty() ? LossMeanNames().front() : mean;
    }
    AddParts(trained, &stage);
    UNIVAL_RETURN_IF_ERROR(CountCheckpoint(plan, trained, &stage));
    UNIVAL_RETURN_IF_ERROR(CountRows(index, &stage));
    return stage;
  }

  void AddParts(const TrainableSet& trained, StagePreview* stage) const {
    std::map<std::string, PartPreview> parts;
    for (const NamedTensor& entry : state_) {
      if (entry.is_buffer) continue;
      PartPreview& part = parts[PartOf(entry.name)];
      part.name = PartOf(entry.name);
      (trained.Contains(entry.name) ? part.trained : part.frozen) += entry.tensor.numel();
    }
    for (auto& [name, part] : parts) stage->parts.push_back(std::move(part));
    stage->trained_tensors = static_cast<int64_t>(trained.parameters.size());
  }

  // What differs from the start, whichever stage moved it, and what the optimizer keeps.
  absl::Status CountCheckpoint(const Stage& plan, const TrainableSet& trained,
                               StagePreview* stage) {
    moved_.insert(trained.names.begin(), trained.names.end());
    int64_t averaged = 0;
    for (const NamedTensor& entry : state_) {
      const std::string owner = entry.name.substr(0, entry.name.rfind('.') + 1);
      const bool moves = entry.is_buffer ? trained.Touches(owner) : trained.Contains(entry.name);
      if (entry.is_buffer && moves) moved_.insert(entry.name);
      if (moved_.count(entry.name) > 0) stage->checkpoint_bytes += Bytes(entry.tensor);
      if (moves && entry.tensor.is_floating_point()) averaged += 4 * entry.tensor.numel();
    }
    UNIVAL_ASSIGN_OR_RETURN(const int64_t bytes, StateBytesOfElement(plan.optimizer()));
    stage->checkpoint_bytes += bytes * trained.scalar_count;
    if (plan.optimizer().ema_decay() > 0) stage->checkpoint_bytes += averaged;
    return absl::OkStatus();
  }

  std::map<std::string, std::string> AugmentOf(const StageSource& source) const {
    std::map<std::string, std::string> augment;
    if (!source.augment) return augment;
    for (const std::string& id : source.task->info().modalities) augment[id];
    for (const ModalityConfig& config : run_.model->manifest().modality()) {
      const auto found = augment.find(config.id());
      const auto option = config.options().find("augment");
      if (found != augment.end() && option != config.options().end())
        found->second = option->second;
    }
    return augment;
  }

  absl::Status CountRows(int index, StagePreview* stage) {
    const Stage& plan = run_.plan.proto.stage(index);
    if (plan.steps() > kMaxCounted / plan.micro_batches()) {
      return InvalidArgument(run_.plan.file, ": stage \"", plan.name(), "\": ", plan.steps(),
                             " steps of ", plan.micro_batches(), " micro-batches: at most ",
                             kMaxCounted,
                             " are drawn to count their rows; look at fewer by --steps");
    }
    const std::vector<StageSource>& sources = run_.data.stages[static_cast<size_t>(index)];
    for (size_t i = 0; i < sources.size(); ++i) {
      const SourcePlan& source = plan.source(static_cast<int>(i));
      stage->sources.push_back({source.name(), source.task(), source.path(), source.unlock_step(),
                                source.unlock_after_plateau(), sources[i].source->size(), 0, 0,
                                AugmentOf(sources[i])});
    }
    UNIVAL_ASSIGN_OR_RETURN(BalancedSampler sampler,
                            MakeStageSampler(run_.plan.proto, index, sources, {}));
    for (int64_t step = 0; step < plan.steps(); ++step) {
      for (int micro = 0; micro < plan.micro_batches(); ++micro) {
        const MicroBatch batch = sampler.Next(step);
        for (size_t i = 0; i < batch.source_rows.size(); ++i) {
          stage->sources[i].micro_batches += batch.source_rows[i] > 0 ? 1 : 0;
          stage->sources[i].rows += batch.source_rows[i];
        }
        if (dry_run_file_.empty()) continue;
        UNIVAL_RETURN_IF_ERROR(AddToOrder(plan.name(), step, micro, sources, batch));
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddToOrder(const std::string& stage, int64_t step, int micro,
                          const std::vector<StageSource>& sources, const MicroBatch& batch) {
    for (size_t row = 0; row < batch.indices.size(); ++row) {
      const int64_t index = batch.indices[row];
      const StageSource& source = sources[static_cast<size_t>(batch.sources[row])];
      std::string& key = keys_[{source.field, index}];
      if (key.empty()) {
        UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.source->Read(index));
        key = sample.key;
      }
      const nlohmann::ordered_json line = {{"stage", stage},       {"step", step + 1},
                                           {"micro_batch", micro}, {"source", source.name},
                                           {"record", index},      {"key", key}};
      order_ += JsonText(line) + "\n";
    }
    return absl::OkStatus();
  }

  Run& run_;
  const std::string dry_run_file_;
  const std::vector<NamedTensor> state_;
  std::set<std::string> moved_;  // by any stage so far
  std::map<std::pair<std::string, int64_t>, std::string> keys_;
  std::string order_;
};

absl::StatusOr<PlanPreview> PreviewRun(Run* run, const std::string& dry_run_file) {
  UNIVAL_RETURN_IF_ERROR(LoadRunPlan(run));
  const std::vector<std::string> written = {dry_run_file};
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles(written, FilesOfPlan(run->plan)));
  UNIVAL_RETURN_IF_ERROR(BuildRun(run));
  UNIVAL_ASSIGN_OR_RETURN(run->data, OpenRunData(run->plan, *run->pipeline, *run->model,
                                                 /*is_checked=*/false, run->options.index));
  for (const auto& source : run->data.opened) {
    UNIVAL_RETURN_IF_ERROR(CheckOutputFiles(written, *source));
  }
  UNIVAL_RETURN_IF_ERROR(ResolveEpochs(run->data, &run->plan));
  return Previewer(run, dry_run_file).Preview();
}

}  // namespace

int64_t StagePreview::rows() const {
  int64_t sum = 0;
  for (const SourcePreview& source : sources) sum += source.rows;
  return sum;
}

int64_t StagePreview::trained() const {
  int64_t sum = 0;
  for (const PartPreview& part : parts) sum += part.trained;
  return sum;
}

int64_t StagePreview::frozen() const {
  int64_t sum = 0;
  for (const PartPreview& part : parts) sum += part.frozen;
  return sum;
}

absl::StatusOr<PlanPreview> PreviewPlan(const TrainOptions& options, const Runtime& runtime,
                                        const std::string& dry_run_file) {
  Run run(options, runtime);
  return CatchTorch("plan", [&] { return PreviewRun(&run, dry_run_file); });
}

}  // namespace unival
