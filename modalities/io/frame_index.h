// unival: modalities/io/frame_index.h - the frames of a video that a player shows, without decoding
// them.
#ifndef UNIVAL_MODALITIES_IO_FRAME_INDEX_H_
#define UNIVAL_MODALITIES_IO_FRAME_INDEX_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "modalities/io/media_container.h"

namespace unival {

// Packets are not frames: an edit list hides some, VP8 and VP9 store reference frames that are
// never shown, AVI has empty packets where a frame was dropped. What a packet shows is read from
// its flags and first bytes; where that does not settle it, the index is not `certain` and frames
// have to be counted by decoding.
struct FrameIndex {
  int64_t packets = 0;         // that hold bytes
  bool is_certain = true;      // `times` has one entry for each frame that is shown
  std::vector<int64_t> times;  // when each is shown, ascending, in the stream's time base
};

// Reads all packets of `stream`. InvalidArgument for a damaged container and for more than
// max_frames.
absl::StatusOr<FrameIndex> IndexFrames(MediaContainer& input, const AVStream* stream);

// Frames that a packet shows, read from its first bytes; -1 where they do not tell.
int ShownFrames(AVCodecID codec, const uint8_t* data, int size);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_FRAME_INDEX_H_
