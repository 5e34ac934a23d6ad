// The Task bridge.

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "runtime/c_abi/c_task_parts.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/components.h"
#include "runtime/c_abi/host_table.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

class CTask : public Task {
 public:
  CTask(const UnivalTask& table, const VocabularyView& view)
      : table_(table), view_(view), vocabulary_(VocabularyTable(view)) {}
  ~CTask() override {
    if (self_ != nullptr) table_.destroy(self_);
  }

  absl::Status Create() {
    UnivalSelf* self = nullptr;
    UNIVAL_RETURN_IF_ERROR(StatusOf(table_.create(CHost(), &vocabulary_, &self), What("create")));
    self_ = self;
    if (self_ == nullptr)
      return absl::InternalError(absl::StrCat(What("create"), ": gave no object and no error"));
    UnivalTaskInfo info = {};
    info.struct_size = sizeof(info);
    UNIVAL_RETURN_IF_ERROR(StatusOf(table_.describe(self_, &info), What("describe")));
    UNIVAL_RETURN_IF_ERROR(CheckInfo(What("describe"), info));
    info_.name = std::string(FromStr(table_.id));
    info_.summary = std::string(FromStr(table_.summary));
    info_.modalities = FromStrs(info.modalities, info.modality_count);
    info_.blocks = FromStrs(info.blocks, info.block_count);
    info_.columns = FromStrs(info.columns, info.column_count);
    info_.prediction_columns = FromStrs(info.prediction_columns, info.prediction_column_count);
    info_.media_columns = FromStrs(info.media_columns, info.media_column_count);
    info_.generation.set_beam(info.beam);
    info_.generation.set_max_tokens(info.max_tokens);
    return absl::OkStatus();
  }

  const TaskInfo& info() const override { return info_; }

  absl::StatusOr<Seq2SeqExample> MakeExample(const TaskSample& sample, ExampleMode mode,
                                             uint64_t seed) const override {
    const ExportedRecord record(sample);
    ExampleBuilder builder{sample, {}, {}, 0};
    builder.example.key = sample.key;
    const UnivalExampleSink sink = ExampleSink(&builder);
    const int32_t abi_mode =
        mode == ExampleMode::kTraining ? UNIVAL_MODE_TRAINING : UNIVAL_MODE_PREDICTION;
    UNIVAL_RETURN_IF_ERROR(StatusOf(table_.make_example(self_, record.get(), abi_mode, seed, &sink),
                                    absl::StrCat(sample.key, ": ", What("make_example"))));
    Constraint& constraint = builder.example.constraint;
    constraint.answers = Shared(std::move(builder.answers));
    UNIVAL_RETURN_IF_ERROR(CheckTokens(builder.example));
    builder.example.image_codes = AllowsOnlyBlock(constraint, view_, kImageCodeBlock);
    return std::move(builder.example);
  }

  absl::StatusOr<Prediction> Interpret(const TaskSample& sample,
                                       const Hypothesis& best) const override {
    const ExportedRecord record(sample);
    Prediction prediction;
    const UnivalTextSink text = TextSink(&prediction.text);
    const UnivalIdSink codes = IdSink(&prediction.codes);
    UnivalAnswerSink sink = {sizeof(UnivalAnswerSink), &text, &codes, {}, 0, 0, best.score};
    UNIVAL_RETURN_IF_ERROR(StatusOf(
        table_.interpret(self_, record.get(), best.tokens.data(), best.tokens.size(), &sink),
        absl::StrCat(sample.key, ": ", What("interpret"))));
    UNIVAL_RETURN_IF_ERROR(CheckAnswer(absl::StrCat(sample.key, ": ", What("interpret")), sink));
    if (sink.has_box != 0) prediction.box = {sink.box[0], sink.box[1], sink.box[2], sink.box[3]};
    prediction.score = sink.score;
    return prediction;
  }

  std::unique_ptr<Metric> NewMetric() const override { return NewCMetric(table_, self_); }

 private:
  std::string What(absl::string_view call) const {
    return absl::StrCat("task \"", FromStr(table_.id), "\": ", call);
  }

  // Checks the ids that a plugin gave: the embedding lookup itself does not, and would read outside
  // the table.
  absl::Status CheckTokens(const Seq2SeqExample& example) const {
    std::vector<const std::vector<int64_t>*> lists = {&example.source, &example.prefix,
                                                      &example.target};
    for (const std::vector<int64_t>& answer : example.constraint.answers) lists.push_back(&answer);
    for (const std::vector<int64_t>* list : lists) {
      for (int64_t id : *list) {
        if (id >= 0 && id < vocabulary_.size) continue;
        return absl::OutOfRangeError(absl::StrCat(example.key, ": ", What("make_example"),
                                                  " gave token ", id, ", the vocabulary has ",
                                                  vocabulary_.size));
      }
    }
    for (const TokenRange& range : example.constraint.allowed) {
      if (range.begin >= 0 && range.begin < range.end && range.end <= vocabulary_.size) continue;
      return absl::OutOfRangeError(absl::StrCat(example.key, ": ", What("make_example"),
                                                " allows [", range.begin, ", ", range.end,
                                                "), the vocabulary has ", vocabulary_.size));
    }
    return absl::OkStatus();
  }

  // Plugins list their answers with every example, nearly always the same: these then share one
  // set.
  AnswerSet Shared(std::vector<std::vector<int64_t>> answers) const {
    const absl::MutexLock lock(&mutex_);
    if (answers != last_answers_.answers()) last_answers_ = AnswerSet(std::move(answers));
    return last_answers_;
  }

  const UnivalTask table_;
  const VocabularyView& view_;
  const UnivalVocabulary vocabulary_;
  mutable absl::Mutex mutex_;
  mutable AnswerSet last_answers_;  // guarded by mutex_
  UnivalSelf* self_ = nullptr;
  TaskInfo info_;
};

}  // namespace

TaskFactory CTaskFactory(const UnivalTask& table) {
  TaskFactory factory;
  factory.name = std::string(FromStr(table.id));
  factory.summary = std::string(FromStr(table.summary));
  factory.create =
      [table](const VocabularyView& vocabulary) -> absl::StatusOr<std::unique_ptr<Task>> {
    auto task = std::make_unique<CTask>(table, vocabulary);
    UNIVAL_RETURN_IF_ERROR(task->Create());
    return std::unique_ptr<Task>(std::move(task));
  };
  return factory;
}

}  // namespace unival
