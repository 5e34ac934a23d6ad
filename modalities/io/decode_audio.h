// unival: modalities/io/decode_audio.h - the samples of a clip through FFmpeg's demuxers.
#ifndef UNIVAL_MODALITIES_IO_DECODE_AUDIO_H_
#define UNIVAL_MODALITIES_IO_DECODE_AUDIO_H_

#include <string>

#include "absl/status/statusor.h"
#include "modalities/io/decoder.h"
#include "modalities/io/formats.h"

namespace unival {

// What messages say was expected.
constexpr char kExpectedAudio[] = "audio";

// See MediaDecoder::DecodeAudio, for what no entry of the table recognises. Of several audio
// streams, the first that the file marks as the default. Samples that the file says are padding are
// left out.
absl::StatusOr<AudioClip> DecodeSound(const EncodedMedia& file);

// The refusal of a clip beyond max_seconds or max_decoded_bytes.
absl::Status AudioTooLong(const std::string& name, const DecoderOptions& options);

// InvalidArgument, a media error, names the first sample of [C, n] that is infinite or not a
// number.
absl::Status CheckFinite(const std::string& name, const at::Tensor& samples);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_DECODE_AUDIO_H_
