#include "tests/integration/golden_towers.h"

#include <ATen/ATen.h>

#include "absl/types/span.h"
#include "backbone/model/reference_names.h"
#include "modalities/audio/log_mel.h"
#include "modalities/encoders/encoders.h"
#include "sdk/testing/golden.h"

namespace unival {
namespace {

constexpr int kSampleRateHz = 48000;

}  // namespace

ModalityFeatures GoldenTowers::Encode(const std::string& modality, const at::Tensor& media) {
  const at::Tensor map = Network(modality).forward(modality == "audio" ? LogMelOf(media) : media);
  if (modality == "audio") return SequenceFeatures(map);
  if (map.dim() == 4) return GridFeatures(map);
  const int64_t frames = map.size(2);
  ModalityFeatures features = GridFeatures(map.select(2, 0));
  features.values = map.flatten(2).transpose(1, 2);
  features.positions = features.positions.repeat({1, frames, 1});
  return features;
}

FeatureEncoder& GoldenTowers::Network(const std::string& modality) {
  std::shared_ptr<FeatureEncoder>& network = networks_[modality];
  if (network == nullptr) {
    network = MakeFeatureEncoder(NetworkConfig(modality)).value();
    FillByFormula(*network, "encoder." + ReferenceEncoderPrefix(modality) + ".", options_.seed);
    network->eval();
  }
  return *network;
}

EncoderConfig GoldenTowers::NetworkConfig(const std::string& modality) const {
  EncoderConfig config;
  if (modality == "image") {
    for (const int blocks : options_.image_blocks) config.mutable_resnet()->add_blocks(blocks);
  } else if (modality == "video") {
    for (const int blocks : options_.video_blocks) config.mutable_resnext3d()->add_blocks(blocks);
  } else {
    config.mutable_pann()->set_layers(options_.audio_layers);
  }
  return config;
}

// [B, samples] -> [B, 1, frames, 64] decibels.
at::Tensor GoldenTowers::LogMelOf(const at::Tensor& waves) const {
  LogMel config;
  config.set_window(1024);
  config.set_hop(options_.hop);
  config.set_mel_bins(64);
  config.set_min_hz(50);
  config.set_max_hz(14000);
  const auto log_mel = LogMelSpectrogram::Create(config, kSampleRateHz).value();
  const int64_t samples = waves.size(1);
  at::Tensor decibels = at::empty({waves.size(0), 1, log_mel->frames(samples), log_mel->bins()});
  for (int64_t row = 0; row < waves.size(0); ++row) {
    const float* wave = waves[row].data_ptr<float>();
    log_mel->Compute(absl::Span<const float>(wave, samples), decibels[row].data_ptr<float>());
  }
  return decibels;
}

}  // namespace unival
