#include "training/merging/reestimate.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/collate.h"
#include "runtime/record_check.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/media.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/task_source.h"
#include "training/merging/running_statistics.h"

namespace unival {
namespace {

// The encoder of one modality, and media that wait for a batch.
struct EncoderStatistics {
  Modality* modality;
  RunningStatistics statistics;
  PreprocessedBatch waiting;
};

class Reestimator {
 public:
  Reestimator(Pipeline& pipeline, const ReestimationOptions& options)
      : pipeline_(pipeline), options_(options) {}

  absl::Status Add(const ReestimationData& data) {
    UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline_.task(data.task));
    UNIVAL_ASSIGN_OR_RETURN(const auto source,
                            OpenFittingSource(*task, pipeline_.model().known_modalities(),
                                              {data.data, data.columns, data.limit}));
    EvaluationResult readable;
    readable.name = source->path();
    readable.samples = source->size();
    for (int64_t i = 0; i < source->size(); ++i) {
      UNIVAL_RETURN_IF_ERROR(AddRecord(*task, *source, i, &readable));
      if (options_.progress) options_.progress(i + 1, source->size());
    }
    return CheckReadable(readable);
  }

  absl::StatusOr<MeasuredStatistics> Finish() {
    MeasuredStatistics measured;
    for (auto& [id, encoder] : encoders_) {
      if (encoder.statistics.batches() == 0) UNIVAL_RETURN_IF_ERROR(Pass(id, &encoder));
      UNIVAL_RETURN_IF_ERROR(CatchTorch(
          "running statistics", [&] { return encoder.statistics.AddTo(&measured.tensors); }));
    }
    if (!measured.tensors.empty()) return measured;
    const std::vector<std::string> ids = pipeline_.model().modality_ids();
    return absl::FailedPreconditionError(
        absl::StrCat("reestimate: expected media of a modality whose encoder has running ",
                     "statistics, got none; the model has ", absl::StrJoin(ids, ", "),
                     "; leave it out, or name records of another task"));
  }

 private:
  absl::Status AddRecord(const Task& task, const Source& source, int64_t row,
                         EvaluationResult* readable) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.Read(row));
    UNIVAL_ASSIGN_OR_RETURN(Seq2SeqExample example,
                            task.MakeExample(sample, ExampleMode::kPrediction, 0));
    absl::StatusOr<PreparedExample> prepared = Prepare(pipeline_.model(), std::move(example), {});
    if (!prepared.ok()) {
      if (!IsMediaError(prepared.status())) return prepared.status();
      if (readable->unreadable++ == 0) {
        readable->first_unreadable = AtRecord(sample.key, prepared.status());
      }
      return absl::OkStatus();
    }
    for (PreparedMedia& media : prepared->media) {
      UNIVAL_RETURN_IF_ERROR(Annotate(AddItem(std::move(media)), sample.key));
    }
    return absl::OkStatus();
  }

  absl::Status AddItem(PreparedMedia media) {
    auto found = encoders_.find(media.modality);
    if (found == encoders_.end()) {
      UNIVAL_ASSIGN_OR_RETURN(Modality * modality,
                              pipeline_.model().RequireModality(media.modality));
      const std::shared_ptr<torch::nn::Module> module = modality->module();
      if (module == nullptr) return absl::OkStatus();
      RunningStatistics statistics(*module, absl::StrCat("modality.", media.modality, "."));
      if (statistics.empty()) return absl::OkStatus();
      found =
          encoders_.emplace(media.modality, EncoderStatistics{modality, std::move(statistics), {}})
              .first;
    }
    EncoderStatistics& encoder = found->second;
    for (at::Tensor& tensor : media.sample.tensors) {
      tensor = tensor.to(pipeline_.model().device());
    }
    encoder.waiting.samples.push_back(std::move(media.sample));
    const auto full = static_cast<size_t>(std::max(1, options_.batch));
    return encoder.waiting.samples.size() < full ? absl::OkStatus() : Pass(found->first, &encoder);
  }

  static absl::Status Pass(const std::string& id, EncoderStatistics* encoder) {
    const absl::Status status =
        CatchTorch(absl::StrCat("statistics of modality \"", id, "\""), [&] {
          return encoder->statistics.AddBatch(
              [&] { return EncodeChecked(*encoder->modality, encoder->waiting).status(); });
        });
    encoder->waiting.samples.clear();
    return status;
  }

  Pipeline& pipeline_;
  const ReestimationOptions& options_;
  std::map<std::string, EncoderStatistics> encoders_;
};

std::string NamesOfData(const std::vector<ReestimationData>& data) {
  return absl::StrJoin(data, " and ", [](std::string* out, const ReestimationData& one) {
    absl::StrAppend(out, one.task, " on ", one.data);
  });
}

}  // namespace

absl::StatusOr<MeasuredStatistics> ReestimateStatistics(Pipeline& pipeline,
                                                        const std::vector<ReestimationData>& data,
                                                        const ReestimationOptions& options) {
  Reestimator reestimator(pipeline, options);
  for (const ReestimationData& one : data) UNIVAL_RETURN_IF_ERROR(reestimator.Add(one));
  UNIVAL_ASSIGN_OR_RETURN(MeasuredStatistics measured, reestimator.Finish());
  measured.from = NamesOfData(data);
  return measured;
}

}  // namespace unival
