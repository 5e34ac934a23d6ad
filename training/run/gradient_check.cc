#include "training/run/gradient_check.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ne.h>

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "runtime/collate.h"
#include "training/run/training_step.h"

namespace unival {
namespace {

// Of one record alone a gradient may be zero by chance, of these hardly.
constexpr int64_t kAskedRecords = 3;

bool HasGradient(const TrainableSet& trained) {
  return absl::c_any_of(trained.parameters, [](const NamedTensor& entry) {
    return entry.tensor.grad().defined() && entry.tensor.grad().ne(0).any().item<bool>();
  });
}

enum class Answer { kNone, kGradient, kUnusable };

Answer AskRecord(const Model& model, const TrainableSet& trained, const Task& task,
                 const TaskSample& sample, const StepOptions& options) {
  absl::StatusOr<Seq2SeqExample> example = task.MakeExample(sample, ExampleMode::kTraining, 0);
  if (!example.ok()) return Answer::kUnusable;
  const absl::StatusOr<PreparedExample> prepared = Prepare(model, *std::move(example), {});
  if (!prepared.ok()) return Answer::kUnusable;
  const absl::Status step = ForwardBackward(model, {*prepared}, options).status();
  if (absl::IsFailedPrecondition(step)) return Answer::kNone;
  if (!step.ok()) return Answer::kUnusable;
  return HasGradient(trained) ? Answer::kGradient : Answer::kNone;
}

}  // namespace

bool GivesGradient(const Model& model, const TrainableSet& trained, const Task& task,
                   const Source& source, const LossConfig& loss) {
  StepOptions options;
  options.loss = loss;
  ApplyTrainable(model, trained);
  SetTrainingModes(model, {});
  int64_t asked = 0;
  bool gives = false;
  const int64_t tried = std::min(source.size(), 4 * kAskedRecords);
  for (int64_t i = 0; i < tried && asked < kAskedRecords && !gives; ++i) {
    const absl::StatusOr<TaskSample> sample = source.Read(i);
    if (!sample.ok()) continue;
    const Answer answer = AskRecord(model, trained, task, *sample, options);
    if (answer != Answer::kUnusable) ++asked;
    gives = answer == Answer::kGradient;
  }
  ApplyTrainable(model, {});
  return gives || asked == 0;
}

}  // namespace unival
