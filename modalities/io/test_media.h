// unival: modalities/io/test_media.h - media of every kind, made by a test.
#ifndef UNIVAL_MODALITIES_IO_TEST_MEDIA_H_
#define UNIVAL_MODALITIES_IO_TEST_MEDIA_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace unival {

// [height, width, 3], smooth with some detail, the same on every call.
std::vector<uint8_t> TestPicture(int height, int width);

// EXIF data with tag 274 alone.
std::string ExifWith(int orientation);

// A PNG chunk with its checksum, and `png` with `chunk` behind its first chunk.
std::string PngChunk(const std::string& type, const std::string& data);
std::string WithPngChunk(const std::string& png, const std::string& chunk);

enum class JpegKind { kColour, kGrey, kCmyk, kYcck };
struct JpegSetting {
  JpegKind kind = JpegKind::kColour;
  bool progressive = false;
  bool subsampled = true;  // chroma at half size both ways
  std::string exif;        // empty: none
};
std::string MakeJpeg(const std::vector<uint8_t>& rgb, int height, int width,
                     const JpegSetting& setting = {});

// Lossless unless `quality` is given.
std::string MakeWebp(const std::vector<uint8_t>& rgb, int height, int width, float quality = -1,
                     const std::string& exif = "");
// `rgb` and then its mirror image, as an animation.
std::string MakeAnimatedWebp(const std::vector<uint8_t>& rgb, int height, int width);

struct TiffSetting {
  int compression = 1;  // as tag 259: 1 none, 5 LZW, 7 JPEG, 8 Deflate
  int orientation = 1;
  int tile = 0;  // side, 0: strips
  bool separate_planes = false;
  bool has_odd_tags = false;
  int pages = 1;
};
std::string MakeTiff(const std::vector<uint8_t>& rgb, int height, int width,
                     const TiffSetting& setting = {});

// A GIF of `frames` pictures of one colour each.
std::string MakeGif(int frames, int side);

struct VideoSetting {
  const char* container = "mp4";
  const char* codec = "mpeg4";
  int frames = 12, width = 48, height = 32, frames_per_second = 10;
  bool with_b_frames = false;
  std::vector<int64_t> times;   // of each frame, in 1 / frames_per_second; empty: 0, 1, …
  std::vector<int32_t> matrix;  // display matrix, 9 values; empty: none
  int colour_space = -1;        // AVColorSpace
  bool fragmented = false;      // MP4 with an empty moov
  bool streamed = false;        // the muxer cannot go back
  std::string cover;            // a JPEG as a track of its own before the video
  // Changes the packet of a frame; returning false leaves it out.
  std::function<bool(int index, uint8_t* data, int size)> edit;
  // Of frame `index`; null: frames of one grey each, 8 * index.
  std::function<std::vector<uint8_t>(int index)> picture;
};
std::string MakeVideo(const VideoSetting& setting);

// `samples` of one channel. `streamed`: the muxer cannot go back to fill in lengths.
std::string MakeSound(const char* container, const char* codec, const std::vector<float>& samples,
                      int sample_rate_hz, bool streamed = false);

// `bytes` from `begin` to `end`, in seconds, as tools trim without decoding (`ffmpeg -ss BEGIN -to
// END -c copy`): from the last packet before `begin` that can be decoded alone, into a file of
// `container`.
std::string Trim(const std::string& bytes, const char* container, double begin, double end);
std::vector<float> TestTone(int count, int sample_rate_hz);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_TEST_MEDIA_H_
