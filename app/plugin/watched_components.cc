#include "app/plugin/watched_components.h"

#include <ATen/core/Tensor.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

// Announces `call`, makes it, and announces "what follows CALL": a fault of the call may show only
// when its result is used or freed.
template <typename Call>
auto Announced(const CallObserver& calls, const std::string& call, Call&& make) {
  calls(call);
  auto result = make();
  calls(absl::StrCat("what follows ", call));
  return result;
}

class WatchedModality : public Modality {
 public:
  WatchedModality(std::unique_ptr<Modality> inner, CallObserver calls)
      : inner_(std::move(inner)), calls_(std::move(calls)) {}
  ~WatchedModality() override {
    calls_("destroy");
    inner_.reset();
  }
  const ModalityInfo& info() const override { return inner_->info(); }
  absl::StatusOr<PreprocessedSample> Preprocess(const RawSample& sample) const override {
    return Announced(calls_, absl::StrCat("preprocess of ", sample.media.name),
                     [&] { return inner_->Preprocess(sample); });
  }
  absl::StatusOr<ModalityFeatures> Encode(const PreprocessedBatch& batch) override {
    return Announced(calls_, absl::StrCat("encode of ", batch.samples.size(), " samples"),
                     [&] { return inner_->Encode(batch); });
  }
  std::shared_ptr<torch::nn::Module> module() override { return inner_->module(); }
  std::string preprocessing_fingerprint() const override {
    return inner_->preprocessing_fingerprint();
  }

 private:
  std::unique_ptr<Modality> inner_;
  const CallObserver calls_;
};

class WatchedTokenizer : public Tokenizer {
 public:
  WatchedTokenizer(std::unique_ptr<Tokenizer> inner, CallObserver calls)
      : inner_(std::move(inner)), calls_(std::move(calls)) {}
  ~WatchedTokenizer() override {
    calls_("destroy");
    inner_.reset();
  }
  const TokenBlockSpec& block() const override { return inner_->block(); }
  absl::StatusOr<std::vector<int64_t>> Encode(absl::string_view text) const override {
    return Announced(calls_, absl::StrCat("encode of ", text.size(), " bytes"),
                     [&] { return inner_->Encode(text); });
  }
  absl::StatusOr<std::string> Decode(absl::Span<const int64_t> tokens) const override {
    return Announced(calls_, absl::StrCat("decode of ", tokens.size(), " tokens"),
                     [&] { return inner_->Decode(tokens); });
  }

 private:
  std::unique_ptr<Tokenizer> inner_;
  const CallObserver calls_;
};

class WatchedMetric : public Metric {
 public:
  WatchedMetric(std::unique_ptr<Metric> inner, CallObserver calls)
      : inner_(std::move(inner)), calls_(std::move(calls)) {}
  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    return Announced(calls_, absl::StrCat("metric of ", reference.key),
                     [&] { return inner_->Add(reference, prediction); });
  }
  void AddFailure(const TaskSample& reference) override {
    calls_(absl::StrCat("metric of ", reference.key, ", which failed"));
    inner_->AddFailure(reference);
  }
  std::map<std::string, double> Result() const override {
    return Announced(calls_, "result of the metric", [&] { return inner_->Result(); });
  }

 private:
  const std::unique_ptr<Metric> inner_;
  const CallObserver calls_;
};

class WatchedTask : public Task {
 public:
  WatchedTask(std::unique_ptr<Task> inner, CallObserver calls)
      : inner_(std::move(inner)), calls_(std::move(calls)) {}
  ~WatchedTask() override {
    calls_("destroy");
    inner_.reset();
  }
  const TaskInfo& info() const override { return inner_->info(); }
  absl::StatusOr<Seq2SeqExample> MakeExample(const TaskSample& sample, ExampleMode mode,
                                             uint64_t seed) const override {
    return Announced(calls_, absl::StrCat("make_example of ", sample.key),
                     [&] { return inner_->MakeExample(sample, mode, seed); });
  }
  absl::StatusOr<Prediction> Interpret(const TaskSample& sample,
                                       const Hypothesis& best) const override {
    return Announced(calls_, absl::StrCat("interpret of ", sample.key),
                     [&] { return inner_->Interpret(sample, best); });
  }
  std::unique_ptr<Metric> NewMetric() const override {
    std::unique_ptr<Metric> metric =
        Announced(calls_, "making a metric", [&] { return inner_->NewMetric(); });
    if (metric == nullptr) return nullptr;
    return std::make_unique<WatchedMetric>(std::move(metric), calls_);
  }
  absl::StatusOr<References> ReferencesOf(const TaskSample& sample) const override {
    return Announced(calls_, absl::StrCat("references of ", sample.key),
                     [&] { return inner_->ReferencesOf(sample); });
  }

 private:
  std::unique_ptr<Task> inner_;
  const CallObserver calls_;
};

}  // namespace

std::unique_ptr<Modality> Watched(std::unique_ptr<Modality> modality, CallObserver calls) {
  return std::make_unique<WatchedModality>(std::move(modality), std::move(calls));
}
std::unique_ptr<Tokenizer> Watched(std::unique_ptr<Tokenizer> tokenizer, CallObserver calls) {
  return std::make_unique<WatchedTokenizer>(std::move(tokenizer), std::move(calls));
}
std::unique_ptr<Task> Watched(std::unique_ptr<Task> task, CallObserver calls) {
  return std::make_unique<WatchedTask>(std::move(task), std::move(calls));
}

}  // namespace unival
