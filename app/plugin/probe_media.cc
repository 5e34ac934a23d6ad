#include "app/plugin/probe_media.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "absl/strings/str_cat.h"
#include "modalities/io/encode.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr int kItems = 3, kWidth = 64, kHeight = 48, kRate = 16000;

RawSample InMemory(const std::string& name, std::string bytes) {
  RawSample sample;
  sample.media = {name, "", std::make_shared<const std::string>(std::move(bytes))};
  return sample;
}

absl::StatusOr<RawSample> Picture(int item) {
  std::vector<uint8_t> pixels(kWidth * kHeight * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * (item + 1) / 7);
  UNIVAL_ASSIGN_OR_RETURN(std::string png, EncodePng(pixels, kWidth, kHeight, 3));
  return InMemory(absl::StrCat("picture_", item, ".png"), std::move(png));
}

absl::StatusOr<RawSample> DeepPicture(int item) {
  std::vector<uint16_t> pixels(kWidth * kHeight);
  for (size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<uint16_t>(400 + i * (item + 2));
  UNIVAL_ASSIGN_OR_RETURN(std::string png, EncodeGray16Png(pixels, kWidth, kHeight));
  return InMemory(absl::StrCat("picture16_", item, ".png"), std::move(png));
}

absl::StatusOr<RawSample> Sound(int item) {
  std::vector<float> samples(kRate / 2 * (item + 1));
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = 0.5f * std::sin(0.05f * static_cast<float>(i) * static_cast<float>(item + 1));
  }
  UNIVAL_ASSIGN_OR_RETURN(std::string wav, EncodeWav(samples, kRate));
  return InMemory(absl::StrCat("sound_", item, ".wav"), std::move(wav));
}

}  // namespace

absl::StatusOr<std::vector<RawSample>> GenerateProbe(const Modality& modality) {
  for (const auto make : {&Picture, &DeepPicture, &Sound}) {
    std::vector<RawSample> samples;
    for (int item = 0; item < kItems; ++item) {
      UNIVAL_ASSIGN_OR_RETURN(RawSample sample, make(item));
      if (modality.Preprocess(sample).ok()) samples.push_back(std::move(sample));
    }
    if (samples.size() == kItems) return samples;
  }
  return absl::NotFoundError("it decodes no generated picture or sound");
}

}  // namespace unival
