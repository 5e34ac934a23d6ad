// unival: unival_plugin.hpp
//
// Tier 2 in C++17, header-only. Write a class and name it in one macro; the result is a shared
// object that loads into every host of the same ABI major. Needs no libtorch, Abseil, Protobuf or
// any other library.
//
//   class MelStats : public unival::plugin::Modality {
//    public:
//     static Result<std::unique_ptr<MelStats>> Create(const Config& config);
//     ModalityInfo Info() const override;                                   // the same every time
//     Status Preprocess(const Sample& sample, Tensors* out) const override; // concurrent
//     Status Encode(const Batch& batch, Features* out) override;            // one call at a time
//   };
//   UNIVAL_PLUGIN("mel_stats", "1.0.0",
//                 unival::plugin::ModalityOf<MelStats>("mel_stats", "audio statistics"))
//
// The classes of this file are compiled into the plugin; only the C structs of
// sdk/abi/unival_plugin.h cross the boundary. An exception that leaves a method becomes a status at
// the boundary. The rules of that header for threads, ownership and errors apply.
//
// Shapes: B rows, N positions of one row, F numbers per position.
#ifndef UNIVAL_SDK_CPP_UNIVAL_PLUGIN_HPP_
#define UNIVAL_SDK_CPP_UNIVAL_PLUGIN_HPP_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdk/abi/unival_plugin.h"

namespace unival {
namespace plugin {

// ---- Status -------------------------------------------------------------------------------------

class Status {
 public:
  Status() = default;  // OK
  Status(UnivalCode code, std::string message) : code_(code), message_(std::move(message)) {}
  bool ok() const { return code_ == UNIVAL_OK; }
  UnivalCode code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  UnivalCode code_ = UNIVAL_OK;
  std::string message_;
};

inline Status InvalidArgument(std::string message) {
  return {UNIVAL_INVALID_ARGUMENT, std::move(message)};
}
inline Status NotFound(std::string message) { return {UNIVAL_NOT_FOUND, std::move(message)}; }
inline Status OutOfRange(std::string message) { return {UNIVAL_OUT_OF_RANGE, std::move(message)}; }
inline Status FailedPrecondition(std::string message) {
  return {UNIVAL_FAILED_PRECONDITION, std::move(message)};
}
inline Status Internal(std::string message) { return {UNIVAL_INTERNAL, std::move(message)}; }

// A value, or the error that explains why there is none.
template <typename T>
class Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) {}
  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  T& operator*() { return value_; }
  T* operator->() { return &value_; }

 private:
  Status status_;
  T value_{};
};

inline std::string_view View(UnivalStr text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}
inline UnivalStr Str(std::string_view text) { return {text.data(), text.size()}; }

// The host that opened the plugin; set before any component is created.
inline const UnivalHost*& Host() {
  static const UnivalHost* host = nullptr;
  return host;
}
inline void Log(int32_t severity, std::string_view message) {
  Host()->log(Host()->ctx, severity, Str(message));
}

// ---- Tensors ------------------------------------------------------------------------------------

constexpr DLDataType kFloat32 = {kDLFloat, 32, 1};
constexpr DLDataType kInt32 = {kDLInt, 32, 1};
constexpr DLDataType kInt64 = {kDLInt, 64, 1};
constexpr DLDataType kUint8 = {kDLUInt, 8, 1};
constexpr DLDataType kBool = {kDLBool, 8, 1};

inline bool operator==(DLDataType a, DLDataType b) {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

template <typename T>
constexpr DLDataType TypeOf();
template <>
constexpr DLDataType TypeOf<float>() {
  return kFloat32;
}
template <>
constexpr DLDataType TypeOf<int32_t>() {
  return kInt32;
}
template <>
constexpr DLDataType TypeOf<int64_t>() {
  return kInt64;
}
template <>
constexpr DLDataType TypeOf<uint8_t>() {
  return kUint8;
}
template <>
constexpr DLDataType TypeOf<bool>() {
  return kBool;
}

// A tensor of the host: read-only, contiguous, valid during one call.
class TensorView {
 public:
  explicit TensorView(const DLTensor* tensor) : tensor_(tensor) {}
  int32_t dim() const { return tensor_->ndim; }
  int64_t size(int32_t dimension) const { return tensor_->shape[dimension]; }
  int64_t numel() const {
    int64_t count = 1;
    for (int32_t i = 0; i < dim(); ++i) count *= size(i);
    return count;
  }
  // Null when the element type is not T.
  template <typename T>
  const T* data() const {
    if (!(tensor_->dtype == TypeOf<T>())) return nullptr;
    return reinterpret_cast<const T*>(static_cast<const char*>(tensor_->data) +
                                      tensor_->byte_offset);
  }

 private:
  const DLTensor* tensor_;
};

// A tensor that the plugin fills and returns. Its initial values are zeros.
class Tensor {
 public:
  Tensor() = default;
  Tensor(Tensor&& other) noexcept : tensor_(std::exchange(other.tensor_, nullptr)) {}
  Tensor& operator=(Tensor&& other) noexcept {
    std::swap(tensor_, other.tensor_);
    return *this;
  }
  ~Tensor() {
    if (tensor_ != nullptr) tensor_->deleter(tensor_);
  }

  // Throws std::bad_alloc, which becomes a status at the boundary.
  template <typename T>
  static Tensor Zeros(const std::vector<int64_t>& shape) {
    Tensor tensor;
    tensor.tensor_ = Allocate(TypeOf<T>(), shape);
    return tensor;
  }
  template <typename T>
  T* data() {
    return static_cast<T*>(tensor_->dl_tensor.data);
  }
  UnivalTensor* Release() { return std::exchange(tensor_, nullptr); }

 private:
  // Allocates memory in the plugin, for hosts older than 0.2, which cannot allocate tensors.
  struct Own {
    UnivalTensor tensor;
    std::vector<int64_t> shape;
    std::vector<uint64_t> data;
  };

  static UnivalTensor* Allocate(DLDataType type, const std::vector<int64_t>& shape) {
#if UNIVAL_TARGET_MINOR >= 2
    const UnivalHost* host = Host();
    if (UNIVAL_HAS(host, UnivalHost, new_tensor)) {
      UnivalTensor* tensor = nullptr;
      if (host->new_tensor(host->ctx, type, static_cast<int32_t>(shape.size()), shape.data(),
                           &tensor) != UNIVAL_OK) {
        throw std::bad_alloc();
      }
      return tensor;
    }
#endif
    uint64_t bytes = type.bits / 8;
    for (int64_t size : shape) bytes *= static_cast<uint64_t>(size);
    auto own = std::make_unique<Own>();
    own->shape = shape;
    own->data.assign(bytes / 8 + 1, 0);
    own->tensor.version = {DLPACK_MAJOR_VERSION, DLPACK_MINOR_VERSION};
    own->tensor.manager_ctx = own.get();
    own->tensor.deleter = [](UnivalTensor* tensor) {
      delete static_cast<Own*>(tensor->manager_ctx);
    };
    own->tensor.flags = 0;
    own->tensor.dl_tensor = {own->data.data(),
                             {kDLCPU, 0},
                             static_cast<int32_t>(shape.size()),
                             type,
                             own->shape.data(),
                             nullptr,
                             0};
    return &own.release()->tensor;
  }

  UnivalTensor* tensor_ = nullptr;
};

using Tensors = std::vector<Tensor>;  // at most UNIVAL_MAX_TENSORS

// ---- Modality -----------------------------------------------------------------------------------

// Options of a component, by name.
struct Config {
  std::string id;
  std::map<std::string, std::string> options;
};

struct ModalityInfo {
  std::string feature_schema;  // "mel-stats/1"
  int64_t feature_dim = 0;     // F
  int64_t max_positions = 0;   // upper bound of N; 0: unbounded
  int32_t position_kind = UNIVAL_POSITION_NONE;
  int32_t input_kind = UNIVAL_INPUT_BYTES;
  std::string preprocessing;  // must change whenever Preprocess gives other tensors
};

struct Sample {
  std::string_view name;
  std::string_view bytes;           // UNIVAL_INPUT_BYTES
  const DLTensor* media = nullptr;  // the other kinds; see TensorView
  int64_t sample_rate_hz = 0;       // UNIVAL_INPUT_AUDIO
  bool augment = false;
  uint64_t seed = 0;
};

class Batch {
 public:
  explicit Batch(const UnivalEncodeCall* call) : call_(call) {}
  int64_t size() const { return static_cast<int64_t>(call_->sample_count); }
  // Tensor `index` of sample `row`.
  TensorView tensor(int64_t row, int64_t index = 0) const {
    return TensorView(call_->inputs[row * static_cast<int64_t>(call_->tensors_per_sample) + index]);
  }

 private:
  const UnivalEncodeCall* call_;
};

// Do not set `padding` or `positions` when there are none.
struct Features {
  Tensor values;     // float [B, N, F]
  Tensor padding;    // bool [B, N], true = padding
  Tensor positions;  // int64 [B, N] or [B, N, 2]
};

class Modality {
 public:
  virtual ~Modality() = default;
  virtual ModalityInfo Info() const = 0;
  // Return InvalidArgument when the sample is damaged or this modality does not accept it: training
  // skips it and counts it. Any other error means that the modality itself does not work, and ends
  // the run.
  virtual Status Preprocess(const Sample& sample, Tensors* out) const = 0;
  virtual Status Encode(const Batch& batch, Features* out) = 0;
};

// Makes features from rows of different length. `rows[i]` has N_i * F numbers. The values are [B,
// longest, F], with padding. With `sequence`, the positions count from 0.
inline Features PaddedFeatures(const std::vector<std::vector<float>>& rows, int64_t feature_dim,
                               bool sequence) {
  int64_t longest = 0;
  for (const auto& row : rows)
    longest = std::max<int64_t>(longest, static_cast<int64_t>(row.size()) / feature_dim);
  const auto count = static_cast<int64_t>(rows.size());
  Features features;
  features.values = Tensor::Zeros<float>({count, longest, feature_dim});
  features.padding = Tensor::Zeros<bool>({count, longest});
  if (sequence) features.positions = Tensor::Zeros<int64_t>({count, longest});
  for (int64_t i = 0; i < count; ++i) {
    std::copy(rows[i].begin(), rows[i].end(),
              features.values.data<float>() + i * longest * feature_dim);
    for (int64_t n = 0; n < longest; ++n) {
      features.padding.data<bool>()[i * longest + n] =
          n * feature_dim >= static_cast<int64_t>(rows[i].size());
      if (sequence) features.positions.data<int64_t>()[i * longest + n] = n;
    }
  }
  return features;
}

// ---- Tokenizer ----------------------------------------------------------------------------------

struct TokenizerConfig {
  std::string directory;
  std::string block;
};

struct TokenizerTraining {
  std::string corpus, output;
  int64_t vocabulary_size = 0;
  std::vector<std::string> symbols;
};

// All methods may be called concurrently.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual int64_t size() const = 0;
  // The surface form of an index in [0, size).
  virtual std::string Surface(int64_t index) const = 0;
  // -1 means text outside the vocabulary.
  virtual Status Encode(std::string_view text, std::vector<int64_t>* ids) const = 0;
  // Indices are in [0, size).
  virtual Status Decode(const std::vector<int64_t>& ids, std::string* text) const = 0;
};

// ---- Task ---------------------------------------------------------------------------------------

// The model's vocabulary; valid as long as the task.
class Vocabulary {
 public:
  explicit Vocabulary(const UnivalVocabulary* table) : table_(table) {}
  int64_t size() const { return table_->size; }
  int64_t bos() const { return table_->bos; }
  int64_t eos() const { return table_->eos; }
  Result<int64_t> GlobalId(std::string_view block, int64_t index) const {
    int64_t id = 0;
    const UnivalCode code = table_->global_id(table_->ctx, Str(block), index, &id);
    if (code != UNIVAL_OK)
      return Status(code, "no token " + std::to_string(index) + " of block " + std::string(block));
    return id;
  }
  Result<int64_t> BlockSize(std::string_view block) const {
    int64_t size = 0;
    const UnivalCode code = table_->block_size(table_->ctx, Str(block), &size);
    if (code != UNIVAL_OK) return Status(code, "the model has no block " + std::string(block));
    return size;
  }
  // Block and local index of a global id.
  Result<std::pair<std::string, int64_t>> Identify(int64_t id) const {
    std::pair<std::string, int64_t> token;
    const UnivalTextSink sink = TextSink(&token.first);
    const UnivalCode code = table_->identify(table_->ctx, id, &sink, &token.second);
    if (code != UNIVAL_OK) return Status(code, "no token " + std::to_string(id));
    return token;
  }
  Result<std::vector<int64_t>> EncodeText(std::string_view text) const {
    std::vector<int64_t> ids;
    const UnivalIdSink sink = {
        sizeof(UnivalIdSink), &ids, [](void* ctx, const int64_t* more, uint64_t count) {
          static_cast<std::vector<int64_t>*>(ctx)->insert(
              static_cast<std::vector<int64_t>*>(ctx)->end(), more, more + count);
          return UnivalCode{UNIVAL_OK};
        }};
    const UnivalCode code = table_->encode_text(table_->ctx, Str(text), &sink);
    if (code != UNIVAL_OK) return Status(code, "cannot encode text");
    return ids;
  }
  Result<std::string> DecodeText(const std::vector<int64_t>& ids) const {
    std::string text;
    const UnivalTextSink sink = TextSink(&text);
    const UnivalCode code = table_->decode_text(table_->ctx, ids.data(), ids.size(), &sink);
    if (code != UNIVAL_OK) return Status(code, "cannot decode tokens");
    return text;
  }

 private:
  static UnivalTextSink TextSink(std::string* text) {
    return {sizeof(UnivalTextSink), text, [](void* ctx, UnivalStr more) {
              static_cast<std::string*>(ctx)->append(View(more));
              return UnivalCode{UNIVAL_OK};
            }};
  }
  const UnivalVocabulary* table_;
};

struct TaskInfo {
  std::vector<std::string> modalities, blocks, columns, prediction_columns, media_columns;
  int32_t beam = 0, max_tokens = 0;
};

class Record {
 public:
  explicit Record(const UnivalRecord* record) : record_(record) {}
  std::string_view key() const { return View(record_->key); }
  // Null when the record has no such column.
  const UnivalField* field(std::string_view name) const {
    for (uint64_t i = 0; i < record_->field_count; ++i) {
      if (View(record_->fields[i]->name) == name) return record_->fields[i];
    }
    return nullptr;
  }
  // NOT_FOUND, or INVALID_ARGUMENT for a column of another kind.
  Result<std::string> Text(std::string_view name) const {
    const UnivalField* found = field(name);
    if (found == nullptr) return NotFound("no column '" + std::string(name) + "'");
    if (found->kind != UNIVAL_FIELD_TEXT)
      return InvalidArgument("column '" + std::string(name) + "' is no text");
    return std::string(View(found->texts[0]));
  }
  Result<std::vector<double>> Numbers(std::string_view name) const {
    const UnivalField* found = field(name);
    if (found == nullptr) return NotFound("no column '" + std::string(name) + "'");
    if (found->kind != UNIVAL_FIELD_NUMBERS) {
      return InvalidArgument("column '" + std::string(name) + "' holds no numbers");
    }
    return std::vector<double>(found->numbers, found->numbers + found->number_count);
  }

 private:
  const UnivalRecord* record_;
};

struct Example {
  std::vector<std::pair<std::string, std::string>> media;  // (modality, column)
  std::vector<int64_t> source, prefix, target;             // global ids, see UNIVAL_TOKENS_...
  std::vector<std::vector<int64_t>> answers;               // closed set
  std::vector<std::pair<int64_t, int64_t>> allowed;        // [begin, end)
};

struct Answer {
  std::string text;
  std::vector<int64_t> codes;
  bool has_box = false;
  double box[4] = {0, 0, 0, 0};
  double score = 0;
};

class Metric {
 public:
  virtual ~Metric() = default;
  // `answer` null: the record could not be decoded and counts as wrong.
  virtual Status Add(const Record& record, const Answer* answer) = 0;
  virtual std::map<std::string, double> Result() const = 0;
};

// Const methods may be called concurrently.
class Task {
 public:
  virtual ~Task() = default;
  virtual TaskInfo Info() const = 0;
  virtual Status MakeExample(const Record& record, bool training, uint64_t seed,
                             Example* out) const = 0;
  virtual Status Interpret(const Record& record, const std::vector<int64_t>& ids,
                           Answer* out) const = 0;
  virtual std::unique_ptr<Metric> NewMetric() const = 0;
};

}  // namespace plugin
}  // namespace unival

#include "sdk/cpp/unival_plugin_tables.hpp"

#endif  // UNIVAL_SDK_CPP_UNIVAL_PLUGIN_HPP_
