// unival: media_pictures.h
//
// What a page shows of a media file: a picture small enough for it, the waveform and spectrogram of
// a sound, a strip of frames of a video.
//
//   for (const MediaPicture& picture : PicturesOf(decoder, source)) page += picture.png;
//
// Thread-safe.
#ifndef UNIVAL_TRAINING_REPORT_MEDIA_PICTURES_H_
#define UNIVAL_TRAINING_REPORT_MEDIA_PICTURES_H_

#include <string>
#include <vector>

#include "sdk/native/media.h"

namespace unival::report {

struct MediaPicture {
  std::string kind;  // "picture", "frames", "waveform", "spectrogram"
  std::string png;   // bytes
  int width = 0, height = 0;
};

// At most 320 pixels on a side, a strip's frames 128. Empty for what no decoder reads.
std::vector<MediaPicture> PicturesOf(const MediaDecoder& decoder, const MediaSource& source);

}  // namespace unival::report

#endif  // UNIVAL_TRAINING_REPORT_MEDIA_PICTURES_H_
