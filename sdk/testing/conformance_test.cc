// Tests the checks themselves: a good fake of each kind passes every rule, and each broken fake
// fails exactly the rule that it breaks.

#include "sdk/testing/conformance.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "sdk/testing/byte_vocabulary.h"

namespace unival {
namespace {

enum class Flaw {
  kNone,
  kNoSchema,
  kWrongWidth,
  kNegativePosition,
  kRowsMixed,
  kWritesInput,
  kAcceptsEmpty,
  kAcceptsCorrupt,
  kAcceptsMissing,
  kRefusesAll,
  kCountsCalls,
  kSilentRefusal,
  kUnmarkedRefusal,
  kRandom,
  kUnseeded,
  kPadsWrongly,
  kLeaks,
  kSlow,
  kLarge,
  kChangesDescription,
  kMovesState,
};

// Turns the media "number 7" into four positions with two features each.
class FakeModality : public Modality {
 public:
  explicit FakeModality(Flaw flaw) : flaw_(flaw) {
    info_.id = "fake";
    info_.type = "fake";
    info_.feature_schema = flaw == Flaw::kNoSchema ? "" : "fake/1";
    info_.feature_dim = flaw == Flaw::kWrongWidth ? 3 : 2;
    info_.position_kind = PositionKind::kSequence;
  }
  const ModalityInfo& info() const override { return info_; }

  absl::StatusOr<PreprocessedSample> Preprocess(const RawSample& sample) const override {
    const MediaSource& media = sample.media;
    const std::string text = media.bytes == nullptr ? "" : *media.bytes;
    double value = 0;
    if (flaw_ == Flaw::kRefusesAll)
      return absl::InvalidArgumentError(absl::StrCat(media.name, ": not today"));
    if (text.rfind("number ", 0) == 0) {
      value = std::stod(text.substr(7));
    } else if (!(text.empty() && media.bytes != nullptr && flaw_ == Flaw::kAcceptsEmpty) &&
               !(!text.empty() && flaw_ == Flaw::kAcceptsCorrupt) &&
               !(media.bytes == nullptr && flaw_ == Flaw::kAcceptsMissing)) {
      const absl::Status refusal = absl::InvalidArgumentError(
          flaw_ == Flaw::kSilentRefusal ? "bad media" : absl::StrCat(media.name, ": no number"));
      return flaw_ == Flaw::kUnmarkedRefusal ? refusal : MediaError(refusal);
    }
    if (flaw_ == Flaw::kRandom && !sample.augment) value += ++calls_;
    if (sample.augment)
      value += flaw_ == Flaw::kUnseeded ? ++calls_ : static_cast<double>(sample.seed % 5);
    return PreprocessedSample{{at::full({4, 2}, value)}};
  }

  absl::StatusOr<ModalityFeatures> Encode(const PreprocessedBatch& batch) override {
    absl::StatusOr<at::Tensor> stacked = StackSamples(batch, 0);
    if (!stacked.ok()) return stacked.status();
    ModalityFeatures features = SequenceFeatures(stacked->transpose(1, 2).unsqueeze(-1));
    features.values = features.values.clone();
    if (flaw_ == Flaw::kRowsMixed) features.values -= features.values.mean();
    // Smaller than the tolerance between rows of a batch, so that only the determinism rule finds
    // it.
    if (flaw_ == Flaw::kCountsCalls) features.values += 4e-6 * (++calls_ % 2);
    if (flaw_ == Flaw::kNegativePosition) features.positions = features.positions - 1;
    if (flaw_ == Flaw::kPadsWrongly && batch.samples.size() > 1) {
      features.padding = at::zeros({features.values.size(0), features.values.size(1)}, at::kBool);
      features.padding.select(1, 3).fill_(true);
    }
    if (flaw_ == Flaw::kLeaks) leaked_.emplace_back(5000, 'x');
    if (flaw_ == Flaw::kSlow) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (flaw_ == Flaw::kLarge) features.values = features.values.repeat({1, 1000, 1});
    if (flaw_ == Flaw::kLarge) features.positions = features.positions.repeat({1, 1000});
    if (flaw_ == Flaw::kChangesDescription) info_.feature_schema += "!";
    if (flaw_ == Flaw::kMovesState) module_->buffer.add_(1);
    if (flaw_ == Flaw::kWritesInput) batch.samples[0].tensors[0].add_(0).fill_(-1);
    return features;
  }
  std::string preprocessing_fingerprint() const override { return "fake"; }
  std::shared_ptr<torch::nn::Module> module() override { return module_; }

 private:
  struct State : torch::nn::Module {
    State() { buffer = register_buffer("count", at::zeros({1})); }
    at::Tensor buffer;
  };
  const Flaw flaw_;
  std::shared_ptr<State> module_ = std::make_shared<State>();
  std::vector<std::string> leaked_;
  ModalityInfo info_;
  mutable std::atomic<int> calls_{0};
};

RawSample Number(const std::string& text) {
  RawSample sample;
  sample.media = {text, "", std::make_shared<const std::string>(text)};
  return sample;
}

std::vector<std::string> FailedRules(const ConformanceReport& report) {
  std::vector<std::string> failed;
  for (const ConformanceRow& row : report.rows) {
    if (!row.ok) failed.push_back(row.rule);
  }
  return failed;
}

std::vector<std::string> FailedRules(Flaw flaw) {
  FakeModality modality(flaw);
  ModalityProbe probe;
  probe.samples = {Number("number 1"), Number("number 5"), Number("number 9")};
  probe.max_seconds_per_sample = 0.01;
  probe.max_bytes_per_sample = 10000;
  return FailedRules(CheckModality(modality, probe));
}

using Rules = std::vector<std::string>;

TEST(ModalityConformance, AcceptsASoundModality) { EXPECT_EQ(FailedRules(Flaw::kNone), Rules{}); }

TEST(ModalityConformance, EachFlawFailsItsOwnRule) {
  EXPECT_EQ(FailedRules(Flaw::kNoSchema), Rules{"description"});
  EXPECT_EQ(FailedRules(Flaw::kWrongWidth), Rules{"features_as_declared"});
  EXPECT_EQ(FailedRules(Flaw::kNegativePosition), Rules{"positions_in_range"});
  EXPECT_EQ(FailedRules(Flaw::kRowsMixed), Rules{"batch_invariance"});
  EXPECT_EQ(FailedRules(Flaw::kAcceptsEmpty), Rules{"empty_media"});
  EXPECT_EQ(FailedRules(Flaw::kAcceptsCorrupt), Rules{"corrupt_media"});
  EXPECT_EQ(FailedRules(Flaw::kAcceptsMissing), Rules{"missing_media"});
  EXPECT_EQ(FailedRules(Flaw::kRefusesAll), Rules{"preprocess"});
  EXPECT_EQ(FailedRules(Flaw::kCountsCalls), Rules{"determinism"});
  EXPECT_EQ(FailedRules(Flaw::kUnseeded), Rules{"augmentation_is_seeded"});
  EXPECT_EQ(FailedRules(Flaw::kPadsWrongly), Rules{"variable_length"});
  EXPECT_EQ(FailedRules(Flaw::kLeaks), Rules{"leaks"});
  EXPECT_EQ(FailedRules(Flaw::kSlow), Rules{"time_per_sample"});
  EXPECT_EQ(FailedRules(Flaw::kLarge), Rules{"memory_per_sample"});
  EXPECT_EQ(FailedRules(Flaw::kChangesDescription), Rules{"description_is_stable"});
  EXPECT_EQ(FailedRules(Flaw::kMovesState), Rules{"evaluation_changes_no_state"});
}

TEST(ModalityConformance, RandomPreprocessingIsFoundAloneAndAcrossThreads) {
  EXPECT_EQ(FailedRules(Flaw::kRandom), (Rules{"determinism", "concurrent_preprocess"}));
}

TEST(ModalityConformance, RefusalsMustNameTheMedia) {
  EXPECT_EQ(FailedRules(Flaw::kSilentRefusal),
            (Rules{"empty_media", "corrupt_media", "missing_media"}));
}

TEST(ModalityConformance, RefusalsMustBeMarkedAsTheMediasOwn) {
  EXPECT_EQ(FailedRules(Flaw::kUnmarkedRefusal),
            (Rules{"empty_media", "corrupt_media", "missing_media"}));
}

TEST(ModalityConformance, WritingToInputsIsFound) {
  EXPECT_EQ(FailedRules(Flaw::kWritesInput), Rules{"inputs_not_written"});
}

TEST(ModalityConformance, TheTableNamesComponentRuleAndFinding) {
  FakeModality modality(Flaw::kWrongWidth);
  ModalityProbe probe;
  probe.samples = {Number("number 1"), Number("number 5")};
  const std::string table = CheckModality(modality, probe).Table();
  EXPECT_NE(table.find("modality fake"), std::string::npos);
  EXPECT_NE(table.find("FAIL  features_as_declared"), std::string::npos) << table;
  EXPECT_NE(table.find("declared [2, N, 3]"), std::string::npos) << table;
}

// One token per character of "ab".
class FakeTokenizer : public Tokenizer {
 public:
  explicit FakeTokenizer(const std::string& flaw) : flaw_(flaw), block_{"core.bpe", 2, "hash"} {
    if (flaw == "description") block_.content_hash = "";
  }
  const TokenBlockSpec& block() const override { return block_; }
  absl::StatusOr<std::vector<int64_t>> Encode(absl::string_view text) const override {
    std::vector<int64_t> tokens;
    if (text.empty() && flaw_ == "empty_text") tokens.push_back(0);
    for (char c : text) tokens.push_back(c - 'a');
    return tokens;
  }
  absl::StatusOr<std::string> Decode(absl::Span<const int64_t> tokens) const override {
    std::string text;
    for (int64_t token : tokens) {
      if ((token < 0 || token > 1) && flaw_ != "out_of_range")
        return absl::OutOfRangeError("token");
      text += static_cast<char>('a' + token);
    }
    return text;
  }

 private:
  const std::string flaw_;
  TokenBlockSpec block_;
};

TEST(TokenizerConformance, AcceptsASoundTokenizerAndFindsEachFlaw) {
  TokenizerProbe probe;
  probe.texts = {"ab", "bba", "a"};
  EXPECT_EQ(FailedRules(CheckTokenizer(FakeTokenizer(""), probe)), Rules{});
  for (const std::string flaw : {"description", "empty_text", "out_of_range"}) {
    EXPECT_EQ(FailedRules(CheckTokenizer(FakeTokenizer(flaw), probe)), Rules{flaw});
  }
  probe.texts = {"abc"};
  const Rules failed = FailedRules(CheckTokenizer(FakeTokenizer(""), probe));
  EXPECT_EQ(failed.front(), "tokens_in_range");
}

// The score of FakeTask, a share of right answers.
const ScoreInfo kHits = {"hits", ScoreOrder::kMoreIsBetter, 0, /*is_share_right=*/true};

// A task that repeats a word: the column "say" is the target, and the answer is the generated text.
class FakeTask : public Task {
 public:
  FakeTask(const std::string& flaw, const VocabularyView& vocabulary,
           const std::vector<ScoreInfo>& scores = {kHits})
      : flaw_(flaw), vocabulary_(vocabulary) {
    info_.name = flaw == "description" ? "" : "echo";
    info_.scores = scores;
    info_.columns = {"say"};
    info_.prediction_columns = {};
  }
  const TaskInfo& info() const override { return info_; }

  absl::StatusOr<Seq2SeqExample> MakeExample(const TaskSample& sample, ExampleMode mode,
                                             uint64_t) const override {
    Seq2SeqExample example;
    example.key = sample.key;
    example.source = {vocabulary_.bos(), vocabulary_.eos()};
    if (flaw_ == "example_shape") example.source.pop_back();
    auto found = sample.fields.find("say");
    if (found == sample.fields.end()) {
      if (flaw_ == "missing_columns" ||
          (mode == ExampleMode::kPrediction && flaw_ != "prediction_needs_no_target")) {
        return example;
      }
      return absl::NotFoundError("no column \"say\"");
    }
    example.target = *vocabulary_.EncodeText(std::get<std::string>(found->second));
    example.constraint.answers = {example.target};
    if (flaw_ == "target_satisfies_constraint") example.constraint.answers = {{4}};
    if (flaw_ == "tokens_in_vocabulary")
      example.source.insert(example.source.begin() + 1, vocabulary_.size());
    if (flaw_ == "determinism")
      example.source.insert(example.source.begin() + 1, 4 + ++calls_ % 100);
    example.target.push_back(vocabulary_.eos());
    return example;
  }
  absl::StatusOr<Prediction> Interpret(const TaskSample&, const Hypothesis& best) const override {
    Prediction prediction;
    prediction.text = *vocabulary_.DecodeText(best.tokens);
    if (flaw_ == "perfect_answer_scores_best") prediction.text += "?";
    return prediction;
  }
  std::unique_ptr<Metric> NewMetric() const override { return std::make_unique<Accuracy>(flaw_); }

 private:
  class Accuracy : public Metric {
   public:
    explicit Accuracy(const std::string& flaw) : flaw_(flaw) {}
    absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
      ++count_;
      right_ += std::get<std::string>(reference.fields.at("say")) == prediction.text;
      return absl::OkStatus();
    }
    void AddFailure(const TaskSample&) override {
      count_ += flaw_ == "metric_counts_failures" ? 0 : 1;
    }
    std::map<std::string, double> Result() const override {
      const double hits = count_ == 0 ? 0 : static_cast<double>(right_) / count_;
      // A score with another name is not a share of right answers, even if its name suggests it.
      return {{"hits", hits}, {"hits/kind=word", hits}, {"accuracy_words", 7}};
    }

   private:
    const std::string flaw_;
    int right_ = 0, count_ = 0;
  };

  const std::string flaw_;
  const VocabularyView& vocabulary_;
  TaskInfo info_;
  mutable std::atomic<int> calls_{0};
};

TEST(TaskConformance, AcceptsASoundTaskAndFindsEachFlaw) {
  const ByteVocabulary vocabulary({{"fake.code", 3, ""}});
  TaskProbe probe;
  probe.samples = {{"a", {{"say", std::string("hello")}}}, {"b", {{"say", std::string("bye")}}}};
  const auto failed = [&](const std::string& flaw) {
    return FailedRules(CheckTask(FakeTask(flaw, vocabulary), vocabulary, probe));
  };
  EXPECT_EQ(failed(""), Rules{});
  for (const std::string flaw :
       {"description", "example_shape", "tokens_in_vocabulary", "target_satisfies_constraint",
        "perfect_answer_scores_best", "missing_columns", "prediction_needs_no_target",
        "metric_counts_failures"}) {
    EXPECT_EQ(failed(flaw), Rules{flaw});
  }
  EXPECT_EQ(failed("determinism"), (Rules{"determinism", "concurrent_use"}));
}

TEST(TaskConformance, WhatIsAShareOfRightAnswersIsSaidByTheMetricNotByItsName) {
  const ByteVocabulary vocabulary({{"fake.code", 3, ""}});
  TaskProbe probe;
  probe.samples = {{"a", {{"say", std::string("hello")}}}};
  const auto failed = [&](const std::vector<ScoreInfo>& of_task) {
    const FakeTask task("metric_counts_failures", vocabulary, of_task);
    return FailedRules(CheckTask(task, vocabulary, probe));
  };
  EXPECT_EQ(failed({}), (Rules{"perfect_answer_scores_best", "metric_counts_failures"}))
      << "nobody describes any: accuracy_words by its name";
  probe.scores = {kHits};
  EXPECT_EQ(failed({}), Rules{"metric_counts_failures"}) << "the registry does";
  EXPECT_EQ(failed({{"hits"}}), Rules{}) << "the task's own word counts";
}

}  // namespace
}  // namespace unival
