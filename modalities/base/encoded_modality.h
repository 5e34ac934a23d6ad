// unival: modalities/base/encoded_modality.h
//
// What image, video and audio share: one tensor per sample, a feature encoder, and positions from
// the feature map. A derived class adds Preprocess.
#ifndef UNIVAL_MODALITIES_BASE_ENCODED_MODALITY_H_
#define UNIVAL_MODALITIES_BASE_ENCODED_MODALITY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/encoder_input.h"
#include "sdk/native/modality.h"
#include "sdk/native/registry.h"

namespace unival {

class FeatureEncoder;

class EncodedModality : public Modality {
 public:
  // A network that was made for one kind of input.
  struct Network {
    std::shared_ptr<FeatureEncoder> encoder;
    std::vector<int64_t> input_shape;  // of one sample as the encoder takes it: {3, H, W}
    bool normalizes_input = false;
  };

  struct Parts {
    ModalityInfo info;
    std::shared_ptr<FeatureEncoder> encoder;
    std::vector<int64_t> input_shape;
    std::string fingerprint;
    std::vector<int64_t> grid;  // {h, w} or {t, h, w} of the feature map
  };

  // The network of `config` for such input, through the host.
  static absl::StatusOr<Network> MakeNetwork(const ModalityConfig& config,
                                             const EncoderInput& input,
                                             const HostServices& services);
  // The parts of a modality that follow from its network: feature_dim, max_positions, and the
  // schema "<encoder>-<suffix>/1".
  static absl::StatusOr<Parts> MakeParts(const ModalityConfig& config, Network network,
                                         PositionKind positions, const std::string& schema_suffix);

  explicit EncodedModality(Parts parts) : parts_(std::move(parts)) {}

  const ModalityInfo& info() const override { return parts_.info; }
  absl::StatusOr<ModalityFeatures> Encode(const PreprocessedBatch& batch) override;
  std::shared_ptr<torch::nn::Module> module() override;
  std::string preprocessing_fingerprint() const override { return parts_.fingerprint; }
  // The sizes {h, w} or {t, h, w} of every item's feature map.
  const std::vector<int64_t>& feature_grid() const { return parts_.grid; }

 protected:
  const Parts& parts() const { return parts_; }

 private:
  Parts parts_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_BASE_ENCODED_MODALITY_H_
