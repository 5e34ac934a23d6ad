// Sounds as in the reference, compared with independent calculations.
#include "modalities/audio/waveform.h"

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <memory>

#include "modalities/io/decoder.h"
#include "modalities/io/encode.h"

namespace unival {
namespace {

// Frames of 16 bits in so many channels, each of its own, as WAV at `rate_hz`.
MediaSource PcmWave(const std::vector<int>& values, int channels, int rate_hz) {
  std::vector<float> samples;
  for (const int value : values) samples.push_back(static_cast<float>(value) / 32768);
  return {"made.wav", "",
          std::make_shared<const std::string>(EncodeWav(samples, rate_hz, channels).value())};
}

// The reference takes the mean and cuts to 16 bits in float64: exactly the whole part, towards
// zero, of the sum times 32767 over channels times 32768.
TEST(Waveform, MeanOfChannelsIsCutWhereTheReferenceCutsIt) {
  const std::unique_ptr<MediaDecoder> decoder = NewFfmpegDecoder();
  for (const int rate : {8000, 16000, 22050, 32000, 44100, 48000}) {
    for (const int channels : {1, 2, 4}) {
      std::vector<int> values;
      std::vector<float> expected;
      for (int sum = -32768 * channels; sum <= 32767 * channels; sum += channels == 1 ? 1 : 3) {
        int64_t left = sum;
        for (int channel = 0; channel < channels; ++channel) {
          const int64_t own = left / (channels - channel);
          values.push_back(static_cast<int>(own));
          left -= own;
        }
        const int64_t whole = int64_t{sum} * 32767 / (int64_t{32768} * channels);
        expected.push_back(static_cast<float>(static_cast<double>(whole) / 32767));
      }
      const AudioClip clip = decoder->DecodeAudio(PcmWave(values, channels, rate)).value();
      ASSERT_EQ(clip.sample_rate_hz, rate);
      EXPECT_EQ(
          MixToInt16({clip.samples.data_ptr<float>(), static_cast<size_t>(clip.samples.numel())},
                     channels),
          expected)
          << rate << " Hz, " << channels << " channels";
    }
  }
}

}  // namespace
}  // namespace unival
