// unival: collate.h
//
// From examples to the backbone's input, the one path of training, evaluation and prediction: media
// are preprocessed on loader threads, encoded per modality on the compute thread, and laid out as
// segments before the text or at their places in it.
//
//   // Any thread:
//   UNIVAL_ASSIGN_OR_RETURN(PreparedExample prepared, Prepare(model, example, {}));
//   // The compute thread:
//   UNIVAL_ASSIGN_OR_RETURN(ModelInput input, MakeModelInput(model, {prepared}));
#ifndef UNIVAL_RUNTIME_COLLATE_H_
#define UNIVAL_RUNTIME_COLLATE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "backbone/model/backbone.h"
#include "runtime/model.h"
#include "sdk/native/task.h"

namespace unival {

// A media item that is preprocessed (`sample`), or already encoded (`features`, with B = 1; then
// `sample` is empty).
struct PreparedMedia {
  std::string modality;
  PreprocessedSample sample;
  absl::optional<ModalityFeatures> features;
};

struct PreparedExample {
  Seq2SeqExample example;
  std::vector<PreparedMedia> media;
};

struct PrepareOptions {
  bool augment = false;
  uint64_t seed = 0;
};

// Runs Preprocess for every media item. Thread-safe.
absl::StatusOr<PreparedExample> Prepare(const Model& model, Seq2SeqExample example,
                                        const PrepareOptions& options);

// DataLoss, naming the record and the modality, where features of `input` (made of `examples`) are
// infinite or not numbers: generation would only find that no token is possible.
absl::Status CheckFinite(const ModelInput& input, absl::Span<const PreparedExample> examples);

// Encodes the media of all rows, grouped by modality, and lays out segments and source tokens ([B,
// S], right-padded). The modalities' modules run in their current mode (training or evaluation),
// and record gradients if the caller's grad mode is on.
absl::StatusOr<ModelInput> MakeModelInput(const Model& model,
                                          absl::Span<const PreparedExample> examples);

// Encodes preprocessed samples of one modality -> [B, N, F]. Internal if the modality breaks its
// own contract (shape, dtype, positions); the message names field, expected and actual.
absl::StatusOr<ModalityFeatures> EncodeChecked(Modality& modality, const PreprocessedBatch& batch);

// Right-pads rows with `pad` into [B, longest] int64.
at::Tensor PadTokens(absl::Span<const std::vector<int64_t>> rows, int64_t pad);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_COLLATE_H_
