// unival: modalities/io/decode_audio.h - the samples of a clip.
#ifndef UNIVAL_MODALITIES_IO_DECODE_AUDIO_H_
#define UNIVAL_MODALITIES_IO_DECODE_AUDIO_H_

#include "absl/status/statusor.h"
#include "modalities/io/decoder.h"

namespace unival {

// See MediaDecoder::DecodeAudio. Of several audio streams, the first.
absl::StatusOr<AudioClip> DecodeAudio(const MediaSource& source, const DecoderOptions& options);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_DECODE_AUDIO_H_
