#include "training/run/first_record.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backbone/model/backbone.h"
#include "runtime/collate.h"
#include "runtime/record_check.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

// What the backbone says of the record's media: a position grid that is too small for the pictures,
// a sequence that is too long for it. Media that cannot be decoded, and modalities that do not
// work, are met where their turn comes.
absl::Status CheckEncodes(const Model& model, const PreparedExample& prepared) {
  return CatchTorch("its media do not fit the model", [&] {
    const at::NoGradGuard no_grad;
    const absl::StatusOr<ModelInput> input = MakeModelInput(model, {prepared});
    if (input.ok()) model.backbone().Encode(*input, /*keep_hidden=*/false);
  });
}

}  // namespace

absl::Status CheckFirstMedia(const Model& model, const Task& task, const Source& source,
                             ExampleMode mode) {
  constexpr int64_t kMostRecords = 10;
  for (int64_t i = 0; i < std::min(source.size(), kMostRecords); ++i) {
    const absl::StatusOr<TaskSample> sample = source.Read(i);
    if (!sample.ok()) continue;
    absl::StatusOr<Seq2SeqExample> example = task.MakeExample(*sample, mode, 0);
    // One record that is too long is counted when its turn comes.
    if (!example.ok() || !CheckLengths(model, *example, LengthOf::kPrompt).ok()) continue;
    const absl::StatusOr<PreparedExample> prepared = Prepare(model, *std::move(example), {});
    if (prepared.ok()) return Annotate(CheckEncodes(model, *prepared), sample->key);
  }
  return absl::OkStatus();
}

absl::Status CheckFirstRecord(const Model& model, const Task& task, const Source& source) {
  UNIVAL_ASSIGN_OR_RETURN(TaskSample sample, source.Read(0));
  UNIVAL_ASSIGN_OR_RETURN(Seq2SeqExample example,
                          task.MakeExample(sample, ExampleMode::kTraining, 0));
  if (example.target.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(sample.key, ": the target is empty"));
  }
  return CheckFirstMedia(model, task, source, ExampleMode::kTraining);
}

}  // namespace unival
