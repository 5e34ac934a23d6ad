// unival: batch_input.h - a batch as the reference describes it, as this model's input.
#ifndef UNIVAL_UPSTREAM_PARITY_BATCH_INPUT_H_
#define UNIVAL_UPSTREAM_PARITY_BATCH_INPUT_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "backbone/model/backbone.h"
#include "upstream/parity/fixture.h"
#include "upstream/parity/reference_model.h"

namespace unival {
namespace parity {

// Inputs by the names of the reference's batches; the index is the number in patch_types.
struct MediaField {
  const char* field;
  const char* modality;
  double amplitude;  // of generated input
};
constexpr MediaField kMediaFields[] = {
    {"patch_images", "image", 1}, {"patch_videos", "video", 1}, {"patch_audios", "audio", 0.5}};

// A field of the reference's batch by its name: "src_tokens" [B, S], "patch_images",
// "patch_images_2", "patch_masks" [B], "patch_types" [B]; undefined where the batch has none.
using InputSource = std::function<absl::StatusOr<at::Tensor>(const std::string& field)>;

// Inputs that are stored with the case or that the index describes. Both outlive the answer.
InputSource InputsOf(const Fixture& fixture, const Fixture::Entry& entry);

struct BatchInput {
  ModelInput input;
  // Whether a row's medium is masked: then the reference computes values at its positions, and this
  // model others or none.
  bool masked = false;
};
// Media by the rows' types and masks, then source tokens. Without types every row has every medium.
absl::StatusOr<BatchInput> MakeBatchInput(const InputSource& source, ReferenceModel& model);

// "patch_masks" or "patch_types" of a JSON sample; undefined where it has none.
at::Tensor PerRow(const Json& sample, const std::string& field);

// With every row once more, behind the others.
ModelInput RepeatRows(ModelInput input);

}  // namespace parity
}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_BATCH_INPUT_H_
