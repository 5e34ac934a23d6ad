// unival: modalities/io/decode_video.h - selected frames of a video through FFmpeg's demuxers.
#ifndef UNIVAL_MODALITIES_IO_DECODE_VIDEO_H_
#define UNIVAL_MODALITIES_IO_DECODE_VIDEO_H_

#include "absl/status/statusor.h"
#include "modalities/io/decoder.h"

namespace unival {

// See MediaDecoder::DecodeVideo, for what no entry of the table recognises. Two passes: the packets
// are counted, then frames up to the last selected one decoded.
absl::StatusOr<VideoClip> DecodeFrames(const MediaSource& source, const FrameSelector& select,
                                       const DecoderOptions& options);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_DECODE_VIDEO_H_
