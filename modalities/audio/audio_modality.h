// unival: modalities/audio/audio_modality.h
//
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
#ifndef UNIVAL_MODALITIES_AUDIO_AUDIO_MODALITY_H_
#define UNIVAL_MODALITIES_AUDIO_AUDIO_MODALITY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "sdk/native/modality.h"
#include "sdk/native/registry.h"

namespace unival {

// InvalidArgument names the field or option that does not fit.
absl::StatusOr<std::unique_ptr<Modality>> CreateAudioModality(const ModalityConfig& config,
                                                              const HostServices& services);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_AUDIO_AUDIO_MODALITY_H_
