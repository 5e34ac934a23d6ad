// The modality "audio": clips of one fixed length as log-mel spectrograms through a feature
// encoder; sequence positions.
//
//   id: "audio"
//   audio { sample_rate_hz: 8000 max_samples: 8000
//           log_mel { window: 256 hop: 80 mel_bins: 40 max_hz: 4000 } }
//   encoder { small_cnn { in_channels: 1 widths: 32 widths: 64 widths: 96 flatten_height: true } }
//
// A longer clip gives its middle; with `augment`, a random window. Options (the first is the
// default unless it says otherwise):
//
//   augment      of training alone: none | speech: speed, shift, level, noise, slope and masks |
//                spec_augment: time warp and masks (spec_augment.h, with options of its own)
//   normalize    clip | none. clip: mean 0 and deviation 1 over the clip, levels more than 80 dB
//                below its loudest cut off. Default: none for pann, whose first layer normalises;
//                clip for all others
//   channels     mean | first
//   resample     true | false: take samples at the file's own rate
//   int16        false | true: round trip through 16-bit integers, as when the reference reads a
//                file
//   filter_rate  rate in Hz for which the mel filters are made; default audio.sample_rate_hz. The
//                reference keeps the filters of the checkpoint that its network started from, made
//                for 32000 Hz, although its clips have 48000
//   filling      what fills up a clip that is too short: zeros | whole_copies | copies. Default:
//                whole_copies with AudioInput.pad_to_max, else zeros
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "modalities/audio/augmentation.h"
#include "modalities/audio/log_mel.h"
#include "modalities/audio/spec_augment.h"
#include "modalities/audio/waveform.h"
#include "modalities/base/encoded_modality.h"
#include "modalities/base/options.h"
#include "modalities/builtin_modalities.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

constexpr char kByNetwork[] = "by the network";

struct AudioSettings {
  int sample_rate_hz = 0;
  int64_t max_samples = 0;
  int filter_rate_hz = 0;
  int64_t frames = 0;  // of the encoder's input
  Filling filling = Filling::kZeros;
  bool vary_speech = false;
  absl::optional<SpecAugment> spec_augment;
  std::string normalize;  // "none", "clip" or kByNetwork
  bool first_channel = false;
  bool resample = true;
  bool int16 = false;
};

// Mean 0 and deviation 1 over the clip, without the deep silence that zero-padding makes.
void NormalizeClip(float* values, int64_t count) {
  constexpr float kFloorDecibels = 80;
  const float floor = *std::max_element(values, values + count) - kFloorDecibels;
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; ++i) {
    values[i] = std::max(values[i], floor);
    sum += values[i];
    squares += static_cast<double>(values[i]) * values[i];
  }
  const double mean = sum / static_cast<double>(count);
  const double variance = std::max(0.0, squares / static_cast<double>(count) - mean * mean);
  const auto scale = static_cast<float>(1 / std::sqrt(variance + 1e-2));
  for (int64_t i = 0; i < count; ++i) values[i] = (values[i] - static_cast<float>(mean)) * scale;
}

class AudioModality : public EncodedModality {
 public:
  AudioModality(Parts parts, const MediaDecoder* media, const AudioSettings& settings,
                std::shared_ptr<const LogMelSpectrogram> log_mel)
      : EncodedModality(std::move(parts)),
        media_(media),
        settings_(settings),
        log_mel_(std::move(log_mel)) {}

  absl::StatusOr<PreprocessedSample> Preprocess(const RawSample& sample) const override {
    return CatchTorch("preprocess audio", [&] { return PreprocessOrThrow(sample); });
  }

 private:
  absl::StatusOr<PreprocessedSample> PreprocessOrThrow(const RawSample& sample) const {
    UNIVAL_ASSIGN_OR_RETURN(std::vector<float> wave, LoadWave(sample.media));
    const bool is_speech = sample.augment && settings_.vary_speech;
    const bool is_masked = sample.augment && settings_.spec_augment;
    SeededRandom random(sample.seed);
    if (is_speech) wave = VarySpeed(wave, random);
    const int64_t extra = static_cast<int64_t>(wave.size()) - settings_.max_samples;
    const int64_t start = is_speech || is_masked ? random.Integer(0, extra + 1) : extra / 2;
    wave = FitLength(std::move(wave), settings_.max_samples, start, settings_.filling);
    if (is_speech) VaryWaveform(random, &wave);

    const int64_t bins = log_mel_->bins(), frames = log_mel_->frames(settings_.max_samples);
    at::Tensor spectrogram = at::empty({settings_.frames, bins}, at::kFloat);
    float* values = spectrogram.data_ptr<float>();
    log_mel_->Compute(wave, values);
    if (settings_.normalize == "clip") NormalizeClip(values, frames * bins);
    if (is_speech) VarySpectrogram(random, frames, bins, values);
    if (is_masked) settings_.spec_augment->Apply(random, frames, bins, values);
    std::fill(values + frames * bins, values + settings_.frames * bins, 0.0f);
    return PreprocessedSample{{std::move(spectrogram)}};
  }

  absl::StatusOr<std::vector<float>> LoadWave(const MediaSource& media) const {
    UNIVAL_ASSIGN_OR_RETURN(const AudioClip clip, media_->DecodeAudio(media));
    const int64_t channels = settings_.first_channel ? 1 : clip.samples.size(0);
    const float* samples = clip.samples.data_ptr<float>();
    const auto span = absl::MakeConstSpan(samples, channels * clip.samples.size(1));
    const bool resamples = settings_.resample && clip.sample_rate_hz != settings_.sample_rate_hz;
    if (!resamples) {
      return settings_.int16 ? MixToInt16(span, channels) : MixToMono(span, channels);
    }
    const auto resampler = ResamplerFrom(clip.sample_rate_hz);
    // The rate to resample to was checked at creation: this one is the clip's.
    if (!resampler.ok()) return MediaError(resampler.status());
    std::vector<float> wave = (*resampler)->Apply(MixToMono(span, channels));
    if (settings_.int16) RoundTripInt16(&wave);
    return wave;
  }

  // One resampler per rate met, made once.
  absl::StatusOr<std::shared_ptr<const Resampler>> ResamplerFrom(int rate) const {
    std::lock_guard<std::mutex> lock(mutex_);
    std::shared_ptr<const Resampler>& entry = resamplers_[rate];
    if (entry == nullptr) {
      UNIVAL_ASSIGN_OR_RETURN(entry, Resampler::Create(rate, settings_.sample_rate_hz));
    }
    return entry;
  }

  const MediaDecoder* media_;
  const AudioSettings settings_;
  const std::shared_ptr<const LogMelSpectrogram> log_mel_;
  mutable std::mutex mutex_;
  mutable std::map<int, std::shared_ptr<const Resampler>> resamplers_;  // guarded by mutex_
};

EncoderInput InputOf(const ModalityConfig& config, const AudioSettings& settings,
                     const LogMelSpectrogram& log_mel) {
  EncoderInput input;
  input.kind = EncoderInput::Kind::kSpectrogram;
  input.channels = 1;
  input.height = log_mel.frames(settings.max_samples);
  input.width = log_mel.bins();
  input.log_mel = config.audio().log_mel();
  input.filter_rate_hz = settings.filter_rate_hz;
  return input;
}

absl::StatusOr<AudioSettings> ReadSettings(const ModalityConfig& config) {
  OptionReader options(config);
  options.Require("audio.sample_rate_hz", config.audio().sample_rate_hz(), 1, 1000000);
  options.Require("audio.max_samples", config.audio().max_samples(),
                  config.audio().log_mel().window() / 2 + 1, 1 << 28);
  AudioSettings settings;
  settings.sample_rate_hz = config.audio().sample_rate_hz();
  settings.max_samples = config.audio().max_samples();
  const std::string filling =
      options.Choice("filling", config.audio().pad_to_max() ? "whole_copies" : "zeros",
                     {"zeros", "whole_copies", "copies"});
  settings.filling = filling == "zeros"          ? Filling::kZeros
                     : filling == "whole_copies" ? Filling::kWholeCopies
                                                 : Filling::kCopies;
  constexpr int64_t kHighestRate = 1000000;
  settings.filter_rate_hz =
      static_cast<int>(options.Integer("filter_rate", settings.sample_rate_hz, 1, kHighestRate));
  const std::string augment = options.Choice("augment", "none", {"none", "speech", kSpecAugment});
  settings.vary_speech = augment == "speech";
  if (augment == kSpecAugment) settings.spec_augment = SpecAugment::Read(&options);
  settings.normalize = options.Choice("normalize", kByNetwork, {"none", "clip"});
  settings.first_channel = options.Choice("channels", "mean", {"mean", "first"}) == "first";
  settings.resample = options.Flag("resample", true);
  settings.int16 = options.Flag("int16", false);
  UNIVAL_RETURN_IF_ERROR(options.Finish());
  return settings;
}

// InvalidArgument names the field or option that does not fit.
absl::StatusOr<std::unique_ptr<Modality>> CreateAudioModality(const ModalityConfig& config,
                                                              const HostServices& services) {
  UNIVAL_ASSIGN_OR_RETURN(AudioSettings settings, ReadSettings(config));
  UNIVAL_ASSIGN_OR_RETURN(const auto log_mel, LogMelSpectrogram::Create(config.audio().log_mel(),
                                                                        settings.filter_rate_hz));
  const EncoderInput input = InputOf(config, settings, *log_mel);
  UNIVAL_ASSIGN_OR_RETURN(auto network, EncodedModality::MakeNetwork(config, input, services));
  if (settings.normalize == kByNetwork) {
    settings.normalize = network.normalizes_input ? "none" : "clip";
  }
  settings.frames = network.input_shape[1];
  UNIVAL_ASSIGN_OR_RETURN(
      EncodedModality::Parts parts,
      EncodedModality::MakeParts(
          config, std::move(network), PositionKind::kSequence,
          absl::StrCat(settings.sample_rate_hz, "hz-", settings.frames, "x", log_mel->bins())));
  return std::make_unique<AudioModality>(std::move(parts), services.media, settings, log_mel);
}

}  // namespace

ModalityFactory AudioModalityFactory() {
  return {"audio", "speech and sounds as log-mel spectrograms", &CreateAudioModality};
}

}  // namespace unival
