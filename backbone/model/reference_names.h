// unival: reference_names.h
//
// How the reference's state_dict relates to this model. Everything that the backbone owns has the
// same name; the reference's three built-in modalities keep their connections inside the encoder
// under names of their own, some entries are aliases, and some are computed from the configuration
// and never stored.
//
//   std::vector<ReferenceName> names = ConnectionNames("image");
//   // names[0]: connections.image.weight <-> encoder.image_proj.weight
//   auto ours = FromReferenceName("encoder.video_proj.bias");  // "connections.video.bias"
//
// Thread-safe.
#ifndef UNIVAL_BACKBONE_MODEL_REFERENCE_NAMES_H_
#define UNIVAL_BACKBONE_MODEL_REFERENCE_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace unival {

struct ReferenceName {
  std::string name;       // "connections.image.weight"
  std::string reference;  // "encoder.image_proj.weight"
  bool optional = false;  // only with layernorm_features
};

// The modalities that the reference knows: "image", "video", "audio".
const std::vector<std::string>& ReferenceModalities();

// Names of one modality's connection tensors; empty for modalities that the reference does not
// know. Their type row is a row of encoder.type_embedding.weight.
std::vector<ReferenceName> ConnectionNames(absl::string_view modality);

// "embed_images" for "image": the reference's name of the network under "encoder.". Empty if
// unknown.
std::string ReferenceEncoderPrefix(absl::string_view modality);

// Another name of encoder.embed_tokens.weight.
bool IsReferenceAlias(absl::string_view reference_name);

// Computed from the configuration (position buckets, code positions, version markers): not stored
// here.
bool IsReferenceDerived(absl::string_view reference_name);

// The name of this tensor among the model's parameters, or nothing for derived entries, aliases and
// networks of modalities.
absl::optional<std::string> FromReferenceName(absl::string_view reference_name);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MODEL_REFERENCE_NAMES_H_
