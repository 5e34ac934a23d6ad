// unival: unival_plugin_tables.hpp - makes the C tables from classes, and defines the macro that
// exports them. Included by unival_plugin.hpp; do not include it directly.
#ifndef UNIVAL_SDK_CPP_UNIVAL_PLUGIN_TABLES_HPP_
#define UNIVAL_SDK_CPP_UNIVAL_PLUGIN_TABLES_HPP_

#include "sdk/cpp/unival_plugin.hpp"

namespace unival {
namespace plugin {
namespace internal {

inline UnivalCode Report(const Status& status) {
  return status.ok() ? UNIVAL_OK : Host()->fail(Host()->ctx, status.code(), Str(status.message()));
}

// No exception may reach the host, so exceptions of other types than std::exception are caught too.
template <typename Body>
UnivalCode Guarded(Body&& body) {
  try {
    return Report(body());
  } catch (const std::bad_alloc&) {
    return Report(Status(UNIVAL_RESOURCE_EXHAUSTED, "out of memory"));
  } catch (const std::exception& error) {
    return Report(Internal(error.what()));
  } catch (...) {
    return Report(Status(UNIVAL_UNKNOWN, "threw something that is no std::exception"));
  }
}

inline Status FromCode(UnivalCode code) {
  return code == UNIVAL_OK ? Status() : Status(code, "the host refused");
}

inline std::vector<std::string> Strings(const UnivalStr* texts, uint64_t count) {
  std::vector<std::string> strings;
  for (uint64_t i = 0; i < count; ++i) strings.emplace_back(View(texts[i]));
  return strings;
}

// Lists of texts that live as long as the object they describe.
struct StrList {
  std::vector<std::string> texts;
  std::vector<UnivalStr> strs;
  void Set(std::vector<std::string> from) {
    texts = std::move(from);
    strs.clear();
    for (const std::string& text : texts) strs.push_back(Str(text));
  }
};

template <typename Object>
Object& Of(const UnivalSelf* self) {
  return *const_cast<Object*>(reinterpret_cast<const Object*>(self));
}

template <typename Object>
void Destroy(UnivalSelf* self) {
  delete reinterpret_cast<Object*>(self);
}

// Calls `make`, which returns Result<std::unique_ptr<T>>, and returns an Object that owns the T.
template <typename Object, typename Make>
UnivalCode CreateObject(UnivalSelf** out, Make&& make) {
  return Guarded([&] {
    auto made = make();
    if (!made.ok()) return made.status();
    if (*made == nullptr) return Internal("Create gave no object and no error");
    *out = reinterpret_cast<UnivalSelf*>(new Object(std::move(*made)));
    return Status();
  });
}

// ---- Modality

struct ModalityObject {
  template <typename T>
  explicit ModalityObject(std::unique_ptr<T> made)
      : modality(std::move(made)), info(modality->Info()) {}
  std::unique_ptr<Modality> modality;
  ModalityInfo info;
};

template <typename T>
UnivalCode CreateModality(const UnivalHost* host, const UnivalModalityConfig* config,
                          UnivalSelf** out) {
  Host() = host;
  return CreateObject<ModalityObject>(out, [&] {
    Config own{std::string(View(config->id)), {}};
    for (uint64_t i = 0; i < config->option_count; ++i) {
      own.options.emplace(View(config->option_names[i]), View(config->option_values[i]));
    }
    return T::Create(own);
  });
}

inline UnivalCode Describe(const UnivalSelf* self, UnivalModalityInfo* out) {
  const ModalityInfo& info = Of<ModalityObject>(self).info;
  out->feature_dim = info.feature_dim;
  out->max_positions = info.max_positions;
  out->position_kind = info.position_kind;
  out->input_kind = info.input_kind;
  out->feature_schema = Str(info.feature_schema);
  out->preprocessing = Str(info.preprocessing);
  return UNIVAL_OK;
}

inline UnivalCode Preprocess(const UnivalSelf* self, const UnivalSample* sample,
                             UnivalTensors* out) {
  return Guarded([&] {
    const Sample own{View(sample->name),
                     {reinterpret_cast<const char*>(sample->bytes.data), sample->bytes.size},
                     sample->media,
                     sample->sample_rate_hz,
                     sample->augment != 0,
                     sample->seed};
    Tensors tensors;
    const Status status = Of<ModalityObject>(self).modality->Preprocess(own, &tensors);
    if (!status.ok()) return status;
    if (tensors.empty() || tensors.size() > UNIVAL_MAX_TENSORS) {
      return Internal("Preprocess gave " + std::to_string(tensors.size()) +
                      " tensors, expected 1..8");
    }
    out->count = tensors.size();
    for (size_t i = 0; i < tensors.size(); ++i) out->items[i] = tensors[i].Release();
    return Status();
  });
}

inline UnivalCode Encode(UnivalSelf* self, UnivalEncodeCall* call) {
  return Guarded([&] {
    Features features;
    const Status status = Of<ModalityObject>(self).modality->Encode(Batch(call), &features);
    if (!status.ok()) return status;
    call->features = features.values.Release();
    call->padding = features.padding.Release();
    call->positions = features.positions.Release();
    return Status();
  });
}

// ---- Tokenizer

struct TokenizerObject {
  template <typename T>
  explicit TokenizerObject(std::unique_ptr<T> made) : tokenizer(std::move(made)) {}
  std::unique_ptr<Tokenizer> tokenizer;
};

template <typename T>
UnivalCode CreateTokenizer(const UnivalHost* host, const UnivalTokenizerConfig* config,
                           UnivalSelf** out) {
  Host() = host;
  return CreateObject<TokenizerObject>(out, [&] {
    return T::Create(
        TokenizerConfig{std::string(View(config->directory)), std::string(View(config->block))});
  });
}

inline int64_t Size(const UnivalSelf* self) { return Of<TokenizerObject>(self).tokenizer->size(); }

inline Status CheckIndex(const Tokenizer& tokenizer, int64_t index) {
  if (index >= 0 && index < tokenizer.size()) return Status();
  return OutOfRange("index " + std::to_string(index) + " is outside [0, " +
                    std::to_string(tokenizer.size()) + ")");
}

inline UnivalCode Surface(const UnivalSelf* self, int64_t index, const UnivalTextSink* out) {
  return Guarded([&] {
    const Tokenizer& tokenizer = *Of<TokenizerObject>(self).tokenizer;
    const Status status = CheckIndex(tokenizer, index);
    return status.ok() ? FromCode(out->append(out->ctx, Str(tokenizer.Surface(index)))) : status;
  });
}

inline UnivalCode EncodeText(const UnivalSelf* self, UnivalStr text, const UnivalIdSink* out) {
  return Guarded([&] {
    std::vector<int64_t> ids;
    const Status status = Of<TokenizerObject>(self).tokenizer->Encode(View(text), &ids);
    return status.ok() ? FromCode(out->append(out->ctx, ids.data(), ids.size())) : status;
  });
}

inline UnivalCode DecodeText(const UnivalSelf* self, const int64_t* ids, uint64_t count,
                             const UnivalTextSink* out) {
  return Guarded([&] {
    const Tokenizer& tokenizer = *Of<TokenizerObject>(self).tokenizer;
    for (uint64_t i = 0; i < count; ++i) {
      const Status status = CheckIndex(tokenizer, ids[i]);
      if (!status.ok()) return status;
    }
    std::string text;
    const Status status = tokenizer.Decode(std::vector<int64_t>(ids, ids + count), &text);
    return status.ok() ? FromCode(out->append(out->ctx, Str(text))) : status;
  });
}

template <typename T>
UnivalCode Train(const UnivalHost* host, const UnivalTokenizerTraining* training) {
  Host() = host;
  return Guarded([&] {
    return T::Train({std::string(View(training->corpus)), std::string(View(training->output)),
                     training->vocabulary_size,
                     Strings(training->symbols, training->symbol_count)});
  });
}

// ---- Task

struct TaskObject {
  template <typename T>
  explicit TaskObject(std::unique_ptr<T> made) : task(std::move(made)), info(task->Info()) {
    modalities.Set(info.modalities);
    blocks.Set(info.blocks);
    columns.Set(info.columns);
    prediction_columns.Set(info.prediction_columns);
    media_columns.Set(info.media_columns);
  }
  std::unique_ptr<Task> task;
  TaskInfo info;
  StrList modalities, blocks, columns, prediction_columns, media_columns;
};

template <typename T>
UnivalCode CreateTask(const UnivalHost* host, const UnivalVocabulary* vocabulary,
                      UnivalSelf** out) {
  Host() = host;
  return CreateObject<TaskObject>(out, [&] { return T::Create(Vocabulary(vocabulary)); });
}

inline UnivalCode DescribeTask(const UnivalSelf* self, UnivalTaskInfo* out) {
  const auto& object = Of<TaskObject>(self);
  const auto set = [](const StrList& list, const UnivalStr** strs, uint64_t* count) {
    *strs = list.strs.data();
    *count = list.strs.size();
  };
  set(object.modalities, &out->modalities, &out->modality_count);
  set(object.blocks, &out->blocks, &out->block_count);
  set(object.columns, &out->columns, &out->column_count);
  set(object.prediction_columns, &out->prediction_columns, &out->prediction_column_count);
  set(object.media_columns, &out->media_columns, &out->media_column_count);
  out->beam = object.info.beam;
  out->max_tokens = object.info.max_tokens;
  return UNIVAL_OK;
}

inline UnivalCode MakeExample(const UnivalSelf* self, const UnivalRecord* record, int32_t mode,
                              uint64_t seed, const UnivalExampleSink* out) {
  UnivalCode refused = UNIVAL_OK;
  const UnivalCode code = Guarded([&] {
    Example example;
    const Status status = Of<TaskObject>(self).task->MakeExample(
        Record(record), mode == UNIVAL_MODE_TRAINING, seed, &example);
    if (!status.ok()) return status;
    const auto keep = [&](UnivalCode given) { refused = refused == UNIVAL_OK ? given : refused; };
    for (const auto& [modality, column] : example.media)
      keep(out->add_media(out->ctx, Str(modality), Str(column)));
    const std::vector<int64_t>* lists[] = {&example.source, &example.prefix, &example.target};
    for (int32_t kind = UNIVAL_TOKENS_SOURCE; kind <= UNIVAL_TOKENS_TARGET; ++kind) {
      keep(out->set_tokens(out->ctx, kind, lists[kind]->data(), lists[kind]->size()));
    }
    for (const auto& answer : example.answers)
      keep(out->add_answer(out->ctx, answer.data(), answer.size()));
    for (const auto& range : example.allowed) keep(out->allow(out->ctx, range.first, range.second));
    return Status();
  });
  return code == UNIVAL_OK ? refused : code;  // when the host refused, it has the message already
}

inline UnivalCode Interpret(const UnivalSelf* self, const UnivalRecord* record, const int64_t* ids,
                            uint64_t count, UnivalAnswerSink* out) {
  return Guarded([&] {
    Answer answer;
    answer.score = out->score;
    const Status status = Of<TaskObject>(self).task->Interpret(
        Record(record), std::vector<int64_t>(ids, ids + count), &answer);
    if (!status.ok()) return status;
    out->has_box = answer.has_box ? 1 : 0;
    std::copy(answer.box, answer.box + 4, out->box);
    out->score = answer.score;
    const UnivalCode code = out->text->append(out->text->ctx, Str(answer.text));
    if (code != UNIVAL_OK) return FromCode(code);
    return FromCode(out->codes->append(out->codes->ctx, answer.codes.data(), answer.codes.size()));
  });
}

inline UnivalCode CreateMetric(const UnivalSelf* self, UnivalMetric** out) {
  return Guarded([&] {
    *out = reinterpret_cast<UnivalMetric*>(Of<TaskObject>(self).task->NewMetric().release());
    return Status();
  });
}

inline void DestroyMetric(UnivalMetric* metric) { delete reinterpret_cast<Metric*>(metric); }

inline UnivalCode AddToMetric(UnivalMetric* metric, const UnivalRecord* record,
                              const UnivalAnswer* answer) {
  return Guarded([&] {
    Answer own;
    if (answer != nullptr) {
      own = {std::string(View(answer->text)),
             {answer->codes, answer->codes + answer->code_count},
             answer->has_box != 0,
             {answer->box[0], answer->box[1], answer->box[2], answer->box[3]},
             answer->score};
    }
    return reinterpret_cast<Metric*>(metric)->Add(Record(record),
                                                  answer == nullptr ? nullptr : &own);
  });
}

inline UnivalCode MetricResult(const UnivalMetric* metric, const UnivalMetricSink* out) {
  return Guarded([&] {
    for (const auto& [name, value] : reinterpret_cast<const Metric*>(metric)->Result()) {
      const UnivalCode code = out->set(out->ctx, Str(name), value);
      if (code != UNIVAL_OK) return FromCode(code);
    }
    return Status();
  });
}

}  // namespace internal

// ---- Components and the plugin ------------------------------------------------------------------

// One component of a plugin. Names and summaries must be string literals.
struct Component {
  const UnivalModality* modality = nullptr;
  const UnivalTokenizer* tokenizer = nullptr;
  const UnivalTask* task = nullptr;
  const UnivalTokenBlock* token_block = nullptr;
};

template <typename T>
Component ModalityOf(std::string_view id, std::string_view summary) {
  static const UnivalModality table = {sizeof(UnivalModality),
                                       Str(id),
                                       Str(summary),
                                       &internal::CreateModality<T>,
                                       &internal::Destroy<internal::ModalityObject>,
                                       &internal::Describe,
                                       &internal::Preprocess,
                                       &internal::Encode};
  return {&table, nullptr, nullptr, nullptr};
}

namespace internal {
inline UnivalTokenizer TokenizerTable(std::string_view id, std::string_view summary) {
  UnivalTokenizer table = {};
  table.struct_size = sizeof(table);
  table.id = Str(id);
  table.summary = Str(summary);
  table.destroy = &Destroy<TokenizerObject>;
  table.size = &Size;
  table.surface = &Surface;
  table.encode = &EncodeText;
  table.decode = &DecodeText;
  return table;
}
}  // namespace internal

// T::Create(const TokenizerConfig&).
template <typename T>
Component TokenizerOf(std::string_view id, std::string_view summary) {
  static UnivalTokenizer table = internal::TokenizerTable(id, summary);
  table.create = &internal::CreateTokenizer<T>;
  return {nullptr, &table, nullptr, nullptr};
}

#if UNIVAL_TARGET_MINOR >= 2
// The same for a type with T::Train(const TokenizerTraining&).
template <typename T>
Component TrainableTokenizerOf(std::string_view id, std::string_view summary) {
  static UnivalTokenizer table = internal::TokenizerTable(id, summary);
  table.create = &internal::CreateTokenizer<T>;
  table.train = &internal::Train<T>;
  return {nullptr, &table, nullptr, nullptr};
}
#endif

// T::Create(Vocabulary).
template <typename T>
Component TaskOf(std::string_view id, std::string_view summary) {
  static const UnivalTask table = {sizeof(UnivalTask),
                                   Str(id),
                                   Str(summary),
                                   &internal::CreateTask<T>,
                                   &internal::Destroy<internal::TaskObject>,
                                   &internal::DescribeTask,
                                   &internal::MakeExample,
                                   &internal::Interpret,
                                   &internal::CreateMetric,
                                   &internal::DestroyMetric,
                                   &internal::AddToMetric,
                                   &internal::MetricResult};
  return {nullptr, nullptr, &table, nullptr};
}

// A block of tokens that the plugin uses; `content_hash` is 64 hex digits or empty.
inline Component TokenBlock(std::string_view id, int64_t size, std::string_view content_hash = "") {
  // Lives as long as the process, like the plugin.
  return {nullptr, nullptr, nullptr,
          new UnivalTokenBlock{sizeof(UnivalTokenBlock), Str(id), size, Str(content_hash)}};
}

namespace internal {

// The plugin's descriptor with the lists that it points to.
class Descriptor {
 public:
  Descriptor(std::string_view id, std::string_view version,
             std::initializer_list<Component> components) {
    for (const Component& component : components) {
      if (component.modality != nullptr) modalities_.push_back(component.modality);
      if (component.tokenizer != nullptr) tokenizers_.push_back(component.tokenizer);
      if (component.task != nullptr) tasks_.push_back(component.task);
      if (component.token_block != nullptr) blocks_.push_back(component.token_block);
    }
    plugin_.struct_size = sizeof(plugin_);
    plugin_.abi_major = UNIVAL_ABI_MAJOR;
    plugin_.abi_minor = UNIVAL_TARGET_MINOR;
    plugin_.id = Str(id);
    plugin_.version = Str(version);
    plugin_.modalities = modalities_.data();
    plugin_.modality_count = modalities_.size();
    plugin_.tokenizers = tokenizers_.data();
    plugin_.tokenizer_count = tokenizers_.size();
    plugin_.tasks = tasks_.data();
    plugin_.task_count = tasks_.size();
    plugin_.token_blocks = blocks_.data();
    plugin_.token_block_count = blocks_.size();
  }
  const UnivalPlugin* get() const { return &plugin_; }

 private:
  std::vector<const UnivalModality*> modalities_;
  std::vector<const UnivalTokenizer*> tokenizers_;
  std::vector<const UnivalTask*> tasks_;
  std::vector<const UnivalTokenBlock*> blocks_;
  UnivalPlugin plugin_ = {};
};

}  // namespace internal
}  // namespace plugin
}  // namespace unival

// Exports the plugin. Use it once per plugin, at namespace scope. The components follow the id and
// the version. The plugin runs on every host of the same ABI major; features that an older host
// lacks are not used there.
#define UNIVAL_PLUGIN(id, version, ...) UNIVAL_PLUGIN_WITH_PROPERTIES(id, version, "", __VA_ARGS__)
// The same for a plugin that contains its own copies of libraries that the host has too.
#define UNIVAL_ISOLATED_PLUGIN(id, version, ...) \
  UNIVAL_PLUGIN_WITH_PROPERTIES(id, version, UNIVAL_ISOLATED, __VA_ARGS__)
#define UNIVAL_PLUGIN_WITH_PROPERTIES(id, version, properties, ...)                              \
  UNIVAL_PLUGIN_RECORD(id, version, properties);                                                 \
  extern "C" UNIVAL_PLUGIN_EXPORT const UnivalPlugin* unival_plugin_v0(const UnivalHost* host) { \
    ::unival::plugin::Host() = host;                                                             \
    static const ::unival::plugin::internal::Descriptor descriptor(id, version, {__VA_ARGS__});  \
    return descriptor.get();                                                                     \
  }

#endif  // UNIVAL_SDK_CPP_UNIVAL_PLUGIN_TABLES_HPP_
