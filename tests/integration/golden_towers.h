// unival: golden_towers.h
//
// The reference's networks of images, videos and sounds with weights from the golden formula. For
// tests.
//
//   GoldenTowers towers({});  // the tiny model's, seed 1
//   ModalityFeatures features = towers.Encode("image", GoldenInput(...));
#ifndef UNIVAL_TESTS_INTEGRATION_GOLDEN_TOWERS_H_
#define UNIVAL_TESTS_INTEGRATION_GOLDEN_TOWERS_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sdk/native/feature_encoder.h"
#include "sdk/native/modality.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

struct GoldenTowersOptions {
  uint64_t seed = 1;
  std::vector<int> image_blocks = {1, 1, 1, 1};
  std::vector<int> video_blocks = {1, 1, 1, 1};
  int audio_layers = 6;
  int hop = 480;  // samples at 48 kHz
};

// Networks are made and filled when they are first used.
class GoldenTowers {
 public:
  explicit GoldenTowers(GoldenTowersOptions options) : options_(std::move(options)) {}

  // Images [B, 3, H, W], videos [B, 3, T, H, W], waveforms [B, samples]. Features in the
  // reference's order: frame by frame, then rows and columns; sounds are sequences.
  ModalityFeatures Encode(const std::string& modality, const at::Tensor& media);

 private:
  FeatureEncoder& Network(const std::string& modality);
  EncoderConfig NetworkConfig(const std::string& modality) const;
  at::Tensor LogMelOf(const at::Tensor& waves) const;

  const GoldenTowersOptions options_;
  std::map<std::string, std::shared_ptr<FeatureEncoder>> networks_;
};

}  // namespace unival

#endif  // UNIVAL_TESTS_INTEGRATION_GOLDEN_TOWERS_H_
