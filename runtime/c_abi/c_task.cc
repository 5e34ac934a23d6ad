// The Task bridge.

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/components.h"
#include "runtime/c_abi/host_table.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// ---- The vocabulary, as the plugin calls it.

const VocabularyView& View(const void* ctx) { return *static_cast<const VocabularyView*>(ctx); }

UnivalCode Refuse(const absl::Status& status) {
  return CHost()->fail(CHost()->ctx, static_cast<UnivalCode>(status.code()),
                       ToStr(status.message()));
}

// Hands a value out, or the error on.
template <typename T, typename Out>
UnivalCode Give(const absl::StatusOr<T>& value, Out&& out) {
  return value.ok() ? out(*value) : Refuse(value.status());
}

UnivalCode StoreNumber(int64_t value, int64_t* out) {
  if (out == nullptr) return Refuse(InvalidArgument("vocabulary: nowhere to put the number"));
  *out = value;
  return UNIVAL_OK;
}

UnivalCode BlockName(UnivalStr block) {
  const absl::Status status = CheckText("vocabulary", "block", block);
  return status.ok() ? UNIVAL_OK : Refuse(status);
}

UnivalCode BlockSize(const void* ctx, UnivalStr block, int64_t* out) {
  if (const UnivalCode code = BlockName(block); code != UNIVAL_OK) return code;
  return Give(View(ctx).BlockSize(FromStr(block)),
              [&](int64_t size) { return StoreNumber(size, out); });
}

UnivalCode GlobalId(const void* ctx, UnivalStr block, int64_t index, int64_t* out) {
  if (const UnivalCode code = BlockName(block); code != UNIVAL_OK) return code;
  return Give(View(ctx).GlobalId(FromStr(block), index),
              [&](int64_t id) { return StoreNumber(id, out); });
}

UnivalCode Identify(const void* ctx, int64_t global_id, const UnivalTextSink* block,
                    int64_t* index) {
  return Give(View(ctx).Identify(global_id), [&](const BlockToken& token) {
    const UnivalCode code = StoreNumber(token.index, index);
    return code == UNIVAL_OK ? block->append(block->ctx, ToStr(token.block)) : code;
  });
}

UnivalCode EncodeText(const void* ctx, UnivalStr text, const UnivalIdSink* out) {
  if (text.size > kMaxAnswerBytes || (text.data == nullptr && text.size > 0))
    return Refuse(InvalidArgument("vocabulary: encode_text of ", text.size, " bytes"));
  return Give(View(ctx).EncodeText(FromStr(text)), [&](const std::vector<int64_t>& ids) {
    return out->append(out->ctx, ids.data(), ids.size());
  });
}

UnivalCode DecodeText(const void* ctx, const int64_t* ids, uint64_t count,
                      const UnivalTextSink* out) {
  if (const absl::Status status = CheckIds("vocabulary: decode_text", ids, count); !status.ok())
    return Refuse(status);
  return Give(View(ctx).DecodeText({ids, count}),
              [&](const std::string& text) { return out->append(out->ctx, ToStr(text)); });
}

UnivalVocabulary VocabularyTable(const VocabularyView& view) {
  return {sizeof(UnivalVocabulary),
          &view,
          view.size(),
          view.bos(),
          view.pad(),
          view.eos(),
          view.unk(),
          view.mask(),
          &BlockSize,
          &GlobalId,
          &Identify,
          &EncodeText,
          &DecodeText};
}

// ---- Records, as the plugin reads them.

class ExportedRecord {
 public:
  explicit ExportedRecord(const TaskSample& sample) {
    fields_.reserve(sample.fields.size());
    texts_.reserve(sample.fields.size());
    for (const auto& [name, value] : sample.fields) Add(name, value);
    for (const UnivalField& field : fields_) pointers_.push_back(&field);
    record_ = {sizeof(UnivalRecord), ToStr(sample.key), pointers_.data(), pointers_.size()};
  }
  const UnivalRecord* get() const { return &record_; }

 private:
  void Add(const std::string& name, const FieldValue& value) {
    UnivalField field = {};
    field.struct_size = sizeof(field);
    field.name = ToStr(name);
    texts_.emplace_back();
    if (const auto* text = std::get_if<std::string>(&value)) {
      texts_.back() = {ToStr(*text)};
    } else if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
      field.kind = UNIVAL_FIELD_TEXTS;
      texts_.back() = ToStrs(*list);
    } else if (const auto* number = std::get_if<double>(&value)) {
      field.kind = UNIVAL_FIELD_NUMBERS;
      field.numbers = number;
      field.number_count = 1;
    } else if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
      field.kind = UNIVAL_FIELD_NUMBERS;
      field.numbers = numbers->data();
      field.number_count = numbers->size();
    } else {
      field.kind = UNIVAL_FIELD_MEDIA;
    }
    field.texts = texts_.back().data();
    field.text_count = texts_.back().size();
    fields_.push_back(field);
  }

  std::vector<UnivalField> fields_;
  std::vector<std::vector<UnivalStr>> texts_;
  std::vector<const UnivalField*> pointers_;
  UnivalRecord record_ = {};
};

// ---- Examples, as the plugin fills them.

struct ExampleBuilder {
  const TaskSample& sample;
  Seq2SeqExample example;
  std::vector<std::vector<int64_t>> answers;  // of the constraint
  uint64_t tokens_of_answers = 0;
};

UnivalCode AddMedia(void* ctx, UnivalStr modality, UnivalStr column) {
  auto& builder = *static_cast<ExampleBuilder*>(ctx);
  for (const absl::Status& status :
       {CheckText("add_media", "modality", modality), CheckText("add_media", "column", column)}) {
    if (!status.ok()) return Refuse(status);
  }
  if (builder.example.media.size() >= kMaxListEntries)
    return Refuse(InvalidArgument("add_media: more than ", kMaxListEntries, " media items"));
  auto found = builder.sample.fields.find(std::string(FromStr(column)));
  if (found == builder.sample.fields.end()) {
    return Refuse(absl::NotFoundError(
        absl::StrCat(builder.sample.key, ": no column \"", FromStr(column), "\"")));
  }
  const auto* media = std::get_if<MediaSource>(&found->second);
  if (media == nullptr) {
    return Refuse(absl::InvalidArgumentError(
        absl::StrCat(builder.sample.key, ": column \"", FromStr(column), "\" is no media")));
  }
  builder.example.media.push_back({std::string(FromStr(modality)), *media});
  return UNIVAL_OK;
}

UnivalCode SetTokens(void* ctx, int32_t kind, const int64_t* ids, uint64_t count) {
  Seq2SeqExample& example = static_cast<ExampleBuilder*>(ctx)->example;
  std::vector<int64_t>* lists[] = {&example.source, &example.prefix, &example.target};
  if (kind < UNIVAL_TOKENS_SOURCE || kind > UNIVAL_TOKENS_TARGET) {
    return Refuse(absl::InvalidArgumentError(
        absl::StrCat("set_tokens: kind ", kind, ", expected 0, 1 or 2")));
  }
  if (const absl::Status status = CheckIds("set_tokens", ids, count); !status.ok())
    return Refuse(status);
  if (count > 0) lists[kind]->assign(ids, ids + count);
  return UNIVAL_OK;
}

UnivalCode AddAnswer(void* ctx, const int64_t* ids, uint64_t count) {
  auto& builder = *static_cast<ExampleBuilder*>(ctx);
  if (const absl::Status status = CheckIds("add_answer", ids, count); !status.ok())
    return Refuse(status);
  builder.tokens_of_answers += count + 1;
  if (builder.tokens_of_answers > kMaxIds)
    return Refuse(InvalidArgument("add_answer: answers of more than ", kMaxIds, " tokens"));
  builder.answers.emplace_back(ids, ids + count);
  return UNIVAL_OK;
}

UnivalCode Allow(void* ctx, int64_t begin, int64_t end) {
  auto& allowed = static_cast<ExampleBuilder*>(ctx)->example.constraint.allowed;
  if (allowed.size() >= kMaxIds)
    return Refuse(InvalidArgument("allow: more than ", kMaxIds, " ranges"));
  allowed.push_back({begin, end});
  return UNIVAL_OK;
}

// ---- Metrics.

UnivalAnswer ToAnswer(const Prediction& prediction) {
  UnivalAnswer answer = {};
  answer.struct_size = sizeof(answer);
  answer.text = ToStr(prediction.text);
  answer.codes = prediction.codes.data();
  answer.code_count = prediction.codes.size();
  answer.has_box = prediction.box.has_value() ? 1 : 0;
  if (prediction.box.has_value())
    std::copy(prediction.box->begin(), prediction.box->end(), answer.box);
  answer.score = prediction.score;
  return answer;
}

UnivalCode SetResult(void* ctx, UnivalStr name, double value) {
  if (const absl::Status status = CheckMetricValue("metric_result", name, value); !status.ok())
    return Refuse(status);
  (*static_cast<std::map<std::string, double>*>(ctx))[std::string(FromStr(name))] = value;
  return UNIVAL_OK;
}

class CMetric : public Metric {
 public:
  CMetric(const UnivalTask& table, const UnivalSelf* self) : table_(table) {
    UnivalMetric* metric = nullptr;
    status_ = StatusOf(table_.metric_create(self, &metric), "metric_create");
    if (status_.ok()) metric_ = metric;
    if (status_.ok() && metric_ == nullptr)
      status_ = absl::InternalError("metric_create gave no object and no error");
  }
  ~CMetric() override {
    if (metric_ != nullptr) table_.metric_destroy(metric_);
  }

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    const UnivalAnswer answer = ToAnswer(prediction);
    return AddAnswer(reference, &answer);
  }
  // AddFailure returns no status, so an error is kept: the next Add returns it, and Result gives
  // nothing.
  void AddFailure(const TaskSample& reference) override {
    if (absl::Status status = AddAnswer(reference, nullptr); !status.ok()) status_ = status;
  }
  std::map<std::string, double> Result() const override {
    std::map<std::string, double> result;
    const UnivalMetricSink sink = {sizeof(UnivalMetricSink), &result, &SetResult};
    if (!status_.ok() || !StatusOf(table_.metric_result(metric_, &sink), "metric_result").ok())
      return {};
    return result;
  }

 private:
  absl::Status AddAnswer(const TaskSample& reference, const UnivalAnswer* answer) {
    if (!status_.ok()) return status_;
    const ExportedRecord record(reference);
    return StatusOf(table_.metric_add(metric_, record.get(), answer),
                    absl::StrCat(reference.key, ": metric"));
  }

  const UnivalTask table_;
  UnivalMetric* metric_ = nullptr;
  absl::Status status_;
};

// ---- The task.

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
    const UnivalExampleSink sink = {
        sizeof(UnivalExampleSink), &builder, &AddMedia, &SetTokens, &AddAnswer, &Allow};
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

  std::unique_ptr<Metric> NewMetric() const override {
    return std::make_unique<CMetric>(table_, self_);
  }

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
