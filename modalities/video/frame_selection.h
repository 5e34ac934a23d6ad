// unival: modalities/video/frame_selection.h - which frames stand for a video.
//
//   std::vector<int64_t> indices = MiddleFrames(/*frame_count=*/300, /*frames=*/8);
#ifndef UNIVAL_MODALITIES_VIDEO_FRAME_SELECTION_H_
#define UNIVAL_MODALITIES_VIDEO_FRAME_SELECTION_H_

#include <cstdint>
#include <vector>

#include "sdk/base/random.h"

namespace unival {

// All take a positive frame_count and repeat the last frame where a video has too few.

// The middle frame of each of `frames` equal intervals.
std::vector<int64_t> MiddleFrames(int64_t frame_count, int64_t frames);

// Frame `offset` of each interval, or its last one where it has fewer (the reference's fix_start).
std::vector<int64_t> OffsetFrames(int64_t frame_count, int64_t frames, int64_t offset);

// A random frame of each interval.
std::vector<int64_t> RandomFrames(int64_t frame_count, int64_t frames, SeededRandom& random);

// Frames in the middle of successive spans of 1 / rate seconds, at most `frames` of them (0: no
// bound, no repetition).
std::vector<int64_t> FramesAtRate(int64_t frame_count, double frames_per_second, double rate,
                                  int64_t frames);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_VIDEO_FRAME_SELECTION_H_
