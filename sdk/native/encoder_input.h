// unival: encoder_input.h
//
// Describes the samples of a modality to the network that it asks for. Separate from
// feature_encoder.h, because that header needs libtorch's modules.
#ifndef UNIVAL_SDK_NATIVE_ENCODER_INPUT_H_
#define UNIVAL_SDK_NATIVE_ENCODER_INPUT_H_

#include <cstdint>

#include "sdk/proto/modality.pb.h"

namespace unival {

// Describes one sample that the network will receive. A network uses it for settings that its
// configuration leaves open, for example the input channels of a small CNN. 0: not known.
struct EncoderInput {
  enum class Kind {
    kPicture,      // one picture with `channels` channels
    kFrames,       // `frames` pictures of one video, `channels` each
    kSpectrogram,  // log-mel decibels: `height` time steps, `width` mel bins, one channel
  };
  Kind kind = Kind::kPicture;
  int64_t channels = 3;
  int64_t frames = 1;
  int64_t height = 0;
  int64_t width = 0;
  LogMel log_mel;          // kSpectrogram: how it is made
  int filter_rate_hz = 0;  // kSpectrogram: sample rate of the mel filters
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_ENCODER_INPUT_H_
