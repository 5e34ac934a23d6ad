// unival: published_modalities.h
//
// The reference's built-in modalities as configurations: networks read off the tensors' names and
// shapes, preprocessing from the arguments and the published scripts.
//
//   for (const PublishedModality& found : FindModalities(checkpoint.model(), arguments)) …
#ifndef UNIVAL_UPSTREAM_FAIRSEQ_PUBLISHED_MODALITIES_H_
#define UNIVAL_UPSTREAM_FAIRSEQ_PUBLISHED_MODALITIES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/proto/modality.pb.h"
#include "sdk/proto/model.pb.h"
#include "upstream/fairseq/fairseq_checkpoint.h"

namespace unival {

struct PublishedModality {
  ModalityConfig modality;
  ConnectionConfig connection;
  std::string network_prefix;           // "encoder.embed_images."
  std::vector<std::string> classifier;  // prefixes under it that no forward pass uses: "fc."
  // Tensors of the network that follow from the configuration, and are not learned: a checkpoint's
  // must be those of `modality` or of one of `alternatives`, which differ in preprocessing only.
  std::vector<std::string> constants;
  std::vector<ModalityConfig> alternatives;
};

// The modalities of which the checkpoint holds a network or a projection, in the reference's order.
// Without a projection the connection's sizes are those of the network's features.
// `arguments` is FairseqCheckpoint::arguments(). InvalidArgument names a tensor that is needed to
// tell the sizes.
absl::StatusOr<std::vector<PublishedModality>> FindModalities(const TensorViews& tensors,
                                                              absl::string_view arguments);

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_FAIRSEQ_PUBLISHED_MODALITIES_H_
