// unival: modalities/io/decode_video.h - selected frames of a video through FFmpeg's demuxers.
#ifndef UNIVAL_MODALITIES_IO_DECODE_VIDEO_H_
#define UNIVAL_MODALITIES_IO_DECODE_VIDEO_H_

#include "absl/status/statusor.h"
#include "modalities/io/decoder.h"
#include "modalities/io/formats.h"

namespace unival {

// See MediaDecoder::DecodeVideo, for what no entry of the table recognises. Frames are those that a
// player shows, in the order in which it does, turned as the display matrix says. Two passes: the
// packets are indexed, then frames up to the last selected one decoded; when the index is not
// certain, or a decoded frame is not shown at its time in it, all frames are counted by decoding
// and the selection is made anew.
absl::StatusOr<VideoClip> DecodeFrames(const EncodedMedia& file, const FrameSelector& select);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_DECODE_VIDEO_H_
