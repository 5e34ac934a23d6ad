// unival: modalities/io/decode_video.h - selected frames of a video.
#ifndef UNIVAL_MODALITIES_IO_DECODE_VIDEO_H_
#define UNIVAL_MODALITIES_IO_DECODE_VIDEO_H_

#include "absl/status/statusor.h"
#include "modalities/io/decoder.h"

namespace unival {

// See MediaDecoder::DecodeVideo. Two passes: the packets are counted, then frames up to the last
// selected one decoded.
absl::StatusOr<VideoClip> DecodeVideo(const MediaSource& source, const FrameSelector& select,
                                      const DecoderOptions& options);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_DECODE_VIDEO_H_
