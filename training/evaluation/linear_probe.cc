#include "training/evaluation/linear_probe.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/optim/lbfgs.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/collate.h"
#include "runtime/record_check.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "training/evaluation/evaluate.h"

namespace unival {
namespace {

// Class numbers by target tokens, in the order in which training shows them.
using Classes = std::map<std::vector<int64_t>, int64_t>;

struct EncodedRecords {
  std::vector<at::Tensor> values;  // one [N, F] a record, without padding
  std::vector<int64_t> labels;     // -1: no class of the training records
  int64_t unreadable = 0;          // media missing or not to be decoded; in neither list
  std::string first_unreadable;
};

class Encoder {
 public:
  Encoder(Pipeline& pipeline, const Task& task, const ProbeOptions& options)
      : model_(pipeline.model()), task_(task), options_(options) {}

  absl::StatusOr<EncodedRecords> Encode(const Source& source, bool new_classes) {
    at::NoGradGuard no_grad;
    EncodedRecords records;
    const int64_t batch = std::max(1, options_.batch);
    const int64_t most = options_.most_records > 0 ? options_.most_records : source.size();
    const int64_t count = std::min(source.size(), most);
    for (int64_t begin = 0; begin < count; begin += batch) {
      std::vector<int64_t> rows;
      for (int64_t i = begin; i < std::min(count, begin + batch); ++i)
        rows.push_back(i * source.size() / count);
      UNIVAL_RETURN_IF_ERROR(AddBatch(source, rows, new_classes, &records));
      if (options_.progress) options_.progress(std::min(count, begin + batch), count);
    }
    EvaluationResult readable;
    readable.name = source.path();
    readable.samples = count;
    readable.unreadable = records.unreadable;
    readable.first_unreadable = records.first_unreadable;
    UNIVAL_RETURN_IF_ERROR(CheckReadable(readable));
    return records;
  }

  const Classes& classes() const { return classes_; }

 private:
  absl::Status AddBatch(const Source& source, const std::vector<int64_t>& rows, bool new_classes,
                        EncodedRecords* records) {
    PreprocessedBatch batch;
    std::string modality;
    for (int64_t row : rows) {
      UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.Read(row));
      UNIVAL_ASSIGN_OR_RETURN(Seq2SeqExample example,
                              task_.MakeExample(sample, ExampleMode::kTraining, 0));
      if (example.media.size() != 1) {
        return absl::InvalidArgumentError(absl::StrCat(
            "probe of task \"", task_.info().name, "\": expected one media item a record, got ",
            example.media.size(), " in ", sample.key, "; choose another task"));
      }
      const std::vector<int64_t> target = example.target;
      absl::StatusOr<PreparedExample> prepared = Prepare(model_, std::move(example), {});
      if (!prepared.ok()) {
        if (!IsMediaError(prepared.status())) return prepared.status();
        if (records->unreadable++ == 0) {
          records->first_unreadable = AtRecord(sample.key, prepared.status());
        }
        continue;
      }
      records->labels.push_back(ClassOf(target, new_classes));
      modality = prepared->media[0].modality;
      batch.samples.push_back(std::move(prepared->media[0].sample));
      for (at::Tensor& tensor : batch.samples.back().tensors) tensor = tensor.to(model_.device());
    }
    if (batch.samples.empty()) return absl::OkStatus();
    UNIVAL_ASSIGN_OR_RETURN(Modality * encoder, model_.RequireModality(modality));
    UNIVAL_ASSIGN_OR_RETURN(const ModalityFeatures features, EncodeChecked(*encoder, batch));
    return CatchTorch("probe: features", [&] { AddRows(features, records); });
  }

  static void AddRows(const ModalityFeatures& features, EncodedRecords* records) {
    const at::Tensor values = features.values.to(at::kCPU, at::kDouble);
    for (int64_t row = 0; row < values.size(0); ++row) {
      const at::Tensor own = values[row];
      records->values.push_back(
          features.padding.defined()
              ? own.index_select(
                    0, features.padding[row].logical_not().nonzero().squeeze(1).to(at::kCPU))
              : own);
    }
  }

  int64_t ClassOf(const std::vector<int64_t>& target, bool new_classes) {
    const auto found = classes_.find(target);
    if (found != classes_.end()) return found->second;
    if (!new_classes) return -1;
    const auto number = static_cast<int64_t>(classes_.size());
    return classes_[target] = number;
  }

  const Model& model_;
  const Task& task_;
  const ProbeOptions& options_;
  Classes classes_;
};

at::Tensor Pooled(const std::vector<at::Tensor>& values) {
  std::vector<at::Tensor> rows;
  for (const at::Tensor& own : values) rows.push_back(own.mean(0));
  return at::stack(rows);
}

// Undefined where samples differ in their number of positions.
at::Tensor Joined(const std::vector<at::Tensor>& values) {
  const auto same = [&](const at::Tensor& own) { return own.sizes() == values[0].sizes(); };
  if (!std::all_of(values.begin(), values.end(), same)) return {};
  return at::stack(values).flatten(1);
}

ProbeScore Score(const at::Tensor& train, const EncodedRecords& train_records,
                 const at::Tensor& test, const EncodedRecords& test_records, int64_t classes,
                 const ProbeOptions& options) {
  const at::Tensor answers =
      FitAndClassify(train, at::tensor(train_records.labels, at::kLong), classes, test, options);
  const at::Tensor right = answers.eq(at::tensor(test_records.labels, at::kLong));
  const auto asked = static_cast<double>(right.numel() + test_records.unreadable);
  return {static_cast<double>(right.sum().item<int64_t>()) / asked, train.size(1)};
}

}  // namespace

at::Tensor FitAndClassify(const at::Tensor& train, const at::Tensor& labels, int64_t classes,
                          const at::Tensor& test, const ProbeOptions& options) {
  const at::Tensor mean = train.mean(0);
  const at::Tensor scale = train.std(0, /*unbiased=*/false).clamp_min(1e-6);
  const at::Tensor inputs = (train - mean) / scale;
  at::Tensor weight = at::zeros({train.size(1), classes}, train.options()).requires_grad_();
  at::Tensor bias = at::zeros({classes}, train.options()).requires_grad_();
  torch::optim::LBFGS optimizer({weight, bias}, torch::optim::LBFGSOptions(1.0)
                                                    .max_iter(options.max_iterations)
                                                    .line_search_fn("strong_wolfe"));
  optimizer.step([&] {
    optimizer.zero_grad();
    const at::Tensor loss = at::cross_entropy_loss(at::addmm(bias, inputs, weight), labels) +
                            0.5 * options.l2 * weight.square().sum();
    loss.backward();
    return loss;
  });
  at::NoGradGuard no_grad;
  return at::addmm(bias, (test - mean) / scale, weight).argmax(1);
}

absl::StatusOr<ProbeResult> LinearProbe(Pipeline& pipeline, const std::string& task_name,
                                        const Source& train, const Source& test,
                                        const ProbeOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline.task(task_name));
  pipeline.model().SetTraining(false);
  Encoder encoder(pipeline, *task, options);
  UNIVAL_ASSIGN_OR_RETURN(const EncodedRecords learned, encoder.Encode(train, true));
  UNIVAL_ASSIGN_OR_RETURN(const EncodedRecords asked, encoder.Encode(test, false));
  const auto classes = static_cast<int64_t>(encoder.classes().size());
  if (classes < 2) {
    return absl::FailedPreconditionError(
        absl::StrCat("probe of task \"", task_name, "\": ", train.path(),
                     ": expected at least two different targets, got ", classes,
                     "; choose a task that tells records apart"));
  }
  return CatchTorch("probe: classifier", [&] {
    const auto test_records = static_cast<int64_t>(asked.labels.size()) + asked.unreadable;
    ProbeResult result{classes, static_cast<int64_t>(learned.labels.size()), test_records, {}, {}};
    result.pooled =
        Score(Pooled(learned.values), learned, Pooled(asked.values), asked, classes, options);
    const at::Tensor from = Joined(learned.values), to = Joined(asked.values);
    if (from.defined() && to.defined() && from.size(1) == to.size(1)) {
      result.joined = Score(from, learned, to, asked, classes, options);
    }
    return result;
  });
}

}  // namespace unival
