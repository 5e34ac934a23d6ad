// unival: encoder_input.h
//
// What a modality says of its samples when it asks for a network. Apart from feature_encoder.h,
// which needs libtorch's modules.
#ifndef UNIVAL_SDK_NATIVE_ENCODER_INPUT_H_
#define UNIVAL_SDK_NATIVE_ENCODER_INPUT_H_

#include <cstdint>

#include "sdk/proto/modality.pb.h"

namespace unival {

// What a modality will feed its network, sample by sample. Networks fill in from it what their
// configuration leaves open: a small CNN its input channels, say. 0: not known.
struct EncoderInput {
  enum class Kind {
    kPicture,      // one picture of `channels`
    kFrames,       // `frames` pictures of one video, `channels` each
    kSpectrogram,  // log-mel decibels: `height` time steps, `width` mel bins, one channel
  };
  Kind kind = Kind::kPicture;
  int64_t channels = 3;
  int64_t frames = 1;
  int64_t height = 0;
  int64_t width = 0;
  LogMel log_mel;          // kSpectrogram: how it is made
  int filter_rate_hz = 0;  // kSpectrogram: the sample rate that its mel filters are made for
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_ENCODER_INPUT_H_
