// unival: reference_model.h
//
// The model that a fixture's configuration describes, with weights by the golden formula: backbone,
// connections and the networks of its modalities, in evaluation mode.
//
//   ReferenceModels models(&fixture);
//   UNIVAL_ASSIGN_OR_RETURN(ReferenceModel* model, models.Get({"tiny", Json::object(), 1}));
//   ModalityFeatures features = model->Features("image", pixels);
//
// Single-threaded.
#ifndef UNIVAL_UPSTREAM_PARITY_REFERENCE_MODEL_H_
#define UNIVAL_UPSTREAM_PARITY_REFERENCE_MODEL_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/connection/connection.h"
#include "backbone/model/backbone.h"
#include "runtime/named_tensor.h"
#include "sdk/native/feature_encoder.h"
#include "sdk/proto/modality.pb.h"
#include "upstream/parity/fixture.h"

namespace unival {
namespace parity {

struct ModelSpec {
  std::string config;               // name in the index
  Json overrides = Json::object();  // arguments that replace those of the configuration
  uint64_t seed = 1;
};

class ReferenceModel {
 public:
  // Networks are told from the manifest beside the configuration, as `convert fairseq` tells them
  // from a checkpoint. InvalidArgument names the file and the argument.
  static absl::StatusOr<std::unique_ptr<ReferenceModel>> Create(const Fixture& fixture,
                                                                const ModelSpec& spec);

  Backbone& backbone() { return *backbone_; }
  std::vector<std::string> modalities() const;
  bool Has(const std::string& modality) const { return networks_.count(modality) > 0; }
  const ModalityConfig& config(const std::string& modality) const;
  FeatureEncoder& network(const std::string& modality) { return *networks_.at(modality).network; }
  const Connection& connection(const std::string& modality) const;
  const ConnectionConfig& connection_config(const std::string& modality) const;

  // Pixels [B, 3, H, W], frames [B, 3, T, H, W] or waveforms [B, samples] as the network sees them:
  // waveforms become log-mels [B, 1, frames, bins] in decibels, the rest stays.
  at::Tensor NetworkInput(const std::string& modality, const at::Tensor& media) const;
  // Feature map of a network with the positions that the modality gives it.
  ModalityFeatures Features(const std::string& modality, const at::Tensor& media);

  // Parameters and buffers by the reference's names, each once; they share memory with the model.
  std::vector<NamedTensor> State();
  int64_t parameter_count();  // elements

  // Random weights almost never end a sentence, so generation fixtures replace the row of </s> by
  // scale * decoder.layer_norm.bias; 0 gives the formula's row back.
  void ScaleEndOfSentence(double scale);

  // Adds `amount` to every second element; a constant added to all of them could be removed again
  // by a LayerNorm. NotFound when there is no such tensor of real numbers.
  absl::Status Perturb(const std::string& reference_name, double amount);

  // Training mode of the whole, networks included.
  void Train(bool training);

 private:
  struct Network {
    ModalityConfig config;
    ConnectionConfig connection;
    std::string prefix;  // "encoder.embed_images."
    std::shared_ptr<FeatureEncoder> network;
  };
  ReferenceModel() = default;
  absl::Status AddModalities(const Fixture& fixture, const ModelSpec& spec, const Json& arguments);
  void Fill(uint64_t seed);

  std::shared_ptr<Backbone> backbone_;
  std::map<std::string, Network> networks_;
  at::Tensor end_of_sentence_;  // the formula's row
};

// Models by specification. Large ones are dropped before another large one is made.
class ReferenceModels {
 public:
  // `perturbed`: a tensor that is changed in every model that has it; empty for none.
  explicit ReferenceModels(const Fixture* fixture, std::string perturbed = "")
      : fixture_(*fixture), perturbed_(std::move(perturbed)) {}

  // Stays valid until the next call.
  absl::StatusOr<ReferenceModel*> Get(const ModelSpec& spec);
  // A model of the caller's own, to be trained.
  absl::StatusOr<std::unique_ptr<ReferenceModel>> Make(const ModelSpec& spec);
  // Whether any model so far had the tensor that is to be perturbed.
  bool perturbed_any() const { return perturbed_any_; }

 private:
  const Fixture& fixture_;
  const std::string perturbed_;
  bool perturbed_any_ = false;
  std::map<std::string, std::unique_ptr<ReferenceModel>> models_;
};

}  // namespace parity
}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_REFERENCE_MODEL_H_
