// unival: modalities/io/mpeg_frames.h - frames of MPEG audio, which begin with a head that says how
// long they are.
//
// Streams of such frames have no head of the whole: what a file promises is that each of its frames
// is there to its end (CheckMp3 and CheckAdts in containers.h). How many there are may stand in the
// first of them, but tools that trim without decoding leave that as it was, so it is not held
// against the file.
#ifndef UNIVAL_MODALITIES_IO_MPEG_FRAMES_H_
#define UNIVAL_MODALITIES_IO_MPEG_FRAMES_H_

#include "absl/strings/string_view.h"

namespace unival {

// Whether a file that begins with `head` is a stream of MPEG audio, layers I to III, or of AAC in
// ADTS.
bool IsMp3(absl::string_view head);
bool IsAdts(absl::string_view head);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_MPEG_FRAMES_H_
