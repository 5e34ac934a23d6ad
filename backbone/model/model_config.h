// unival: model_config.h
//
// Configurations of the backbone: the reference's base size, its JSON arguments, and the check
// before a model is made.
//
//   UNIVAL_ASSIGN_OR_RETURN(BackboneConfig config, ReferenceConfig(json_text));
//   UNIVAL_RETURN_IF_ERROR(ValidateBackboneConfig(config));
#ifndef UNIVAL_BACKBONE_MODEL_MODEL_CONFIG_H_
#define UNIVAL_BACKBONE_MODEL_MODEL_CONFIG_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/proto/model.pb.h"

namespace unival {

// Pixels of the code image per image code, along each side.
constexpr int64_t kPixelsPerCode = 8;

// Image codes that the decoder's grid has places for (code_image_size); 0: the model states no
// grid.
int64_t CodeGridCells(const BackboneConfig& config);

// The switches that every script of the reference sets, at base size (d_model 768, 6 + 6 layers),
// without dropout.
BackboneConfig BaseBackboneConfig();

// From the reference's arguments as JSON: an object with its argument names, or one that holds it
// as "args". InvalidArgument for malformed JSON and for a missing or mistyped argument, which it
// names; arguments of switches that the reference's parser leaves off may be missing.
absl::StatusOr<BackboneConfig> ReferenceConfig(absl::string_view json);

// InvalidArgument names the field, its value and what is possible.
absl::Status ValidateBackboneConfig(const BackboneConfig& config);

// Elements that the tensors of a backbone of this valid configuration have at the least, token
// embedding and connections left out: those that no switch can take away.
int64_t LeastBackboneElements(const BackboneConfig& config);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MODEL_MODEL_CONFIG_H_
