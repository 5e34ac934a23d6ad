// unival: modality.h
//
// A modality turns one kind of media into features [B, N, F]. The host does everything after that:
// the linear connection to the backbone, position tables, the type row, tokens, checkpoints,
// batching and threads.
//
//   class Thermal : public unival::Modality {
//    public:
//     const ModalityInfo& info() const override { return info_; }
//     absl::StatusOr<PreprocessedSample> Preprocess(const RawSample& sample) const override;
//     absl::StatusOr<ModalityFeatures> Encode(const PreprocessedBatch& batch) override;
//   };
//
// Lifecycle: registered -> Create(config) -> info() -> {Preprocess from many threads, Encode}* ->
// destroyed. Threads: the host never makes two concurrent calls to a non-const method of one
// instance; it may call const methods concurrently, different instances concurrently, and use
// different threads over time (so no thread-locals). Shapes: B batch, N positions of one sample, F
// feature width.
#ifndef UNIVAL_SDK_NATIVE_MODALITY_H_
#define UNIVAL_SDK_NATIVE_MODALITY_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/media.h"

namespace torch {
namespace nn {
class Module;
}  // namespace nn
}  // namespace torch

namespace unival {

enum class PositionKind {
  kNone,      // no order among features
  kSequence,  // positions [B, N], 0-based index in time
  kGrid,      // positions [B, N, 2], (row, column), row 0 at the top
};

struct ModalityInfo {
  std::string id;    // the model's name for it: "depth"
  std::string type;  // registered type
  // Names the meaning of the features, "small_cnn-64x64/1"; stored with the adapter.
  std::string feature_schema;
  int64_t feature_dim = 0;    // F
  int64_t max_positions = 0;  // upper bound of N, 0 = unbounded
  PositionKind position_kind = PositionKind::kNone;
};

// One media item before preprocessing. With `augment`, Preprocess may vary its output, as a pure
// function of `seed`. Without it, the output depends on the media alone.
struct RawSample {
  MediaSource media;
  bool augment = false;
  uint64_t seed = 0;
};

// The input of Encode of the same modality. The host only stores, hashes and moves these tensors;
// only the modality knows their meaning.
struct PreprocessedSample {
  std::vector<at::Tensor> tensors;
};

struct PreprocessedBatch {
  std::vector<PreprocessedSample> samples;  // one per row, at least one
};

struct ModalityFeatures {
  at::Tensor values;     // [B, N, F] floating
  at::Tensor padding;    // [B, N] bool, true = padding; undefined = no padding
  at::Tensor positions;  // [B, N] or [B, N, 2] int64 by PositionKind; undefined for kNone
};

class Modality {
 public:
  virtual ~Modality();

  virtual const ModalityInfo& info() const = 0;

  // Decodes and normalises one sample. Thread-safe; runs on loader threads; deterministic. Errors:
  // those of MediaDecoder, and MediaError(InvalidArgument) for media that the modality does not
  // accept. An error without the mark of MediaError means that the modality itself does not work,
  // and ends training.
  virtual absl::StatusOr<PreprocessedSample> Preprocess(const RawSample& sample) const = 0;

  // Features of a batch. Row i must not depend on the other rows. Runs on the compute thread, one
  // call at a time, in the mode (train or eval) and on the device of `module()`.
  virtual absl::StatusOr<ModalityFeatures> Encode(const PreprocessedBatch& batch) = 0;

  // Weights and buffers, or null when there are none. Their names are keys in checkpoints, so they
  // must not change. The host freezes, trains, saves, loads and moves them.
  virtual std::shared_ptr<torch::nn::Module> module() { return nullptr; }

  // A text that must change whenever Preprocess gives different tensors for the same media. It is
  // part of the keys of the feature cache.
  virtual std::string preprocessing_fingerprint() const = 0;
};

// Stacks tensor `index` of all samples into [B, ...]. InvalidArgument names both shapes when they
// differ.
absl::StatusOr<at::Tensor> StackSamples(const PreprocessedBatch& batch, size_t index);

struct PaddedBatch {
  at::Tensor values;   // [B, n_max, ...], zero-padded
  at::Tensor padding;  // [B, n_max] bool, true = padding
};
// The same for tensors whose first dimension varies.
absl::StatusOr<PaddedBatch> PadSamples(const PreprocessedBatch& batch, size_t index);

// Flattens a feature map [B, F, h, w] to features [B, h * w, F] with (row, column) positions.
ModalityFeatures GridFeatures(const at::Tensor& feature_map);
// The same with 0-based sequence positions.
ModalityFeatures SequenceFeatures(const at::Tensor& feature_map);

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_MODALITY_H_
