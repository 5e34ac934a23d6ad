// unival: media.h
//
// Media as plain tensors, and the decoder that the host hands to every modality: plugins need no
// FFmpeg.
//
//   absl::StatusOr<at::Tensor> pixels =
//       services.media->DecodeImage(sample.media, PixelFormat::kRgb8);
//   if (!pixels.ok()) return pixels.status();      // [H, W, 3] uint8, row 0 at the top
#ifndef UNIVAL_SDK_NATIVE_MEDIA_H_
#define UNIVAL_SDK_NATIVE_MEDIA_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace unival {

// A media file on disk or in memory. `name` is what messages call it ("shard.tar:clip_7.wav");
// `bytes`, when set, wins over `path` and is shared, not copied.
struct MediaSource {
  std::string name;
  std::string path;
  std::shared_ptr<const std::string> bytes;
};

enum class PixelFormat {
  kRgb8,    // [H, W, 3] uint8; grey and palette images are converted, alpha is dropped
  kGray8,   // [H, W, 1] uint8
  kGray16,  // [H, W, 1] int32 holding 0..65535; refused for pictures of fewer than 16 bits
};

struct AudioClip {
  at::Tensor samples;  // [C, n] float32 in [-1, 1]
  int sample_rate_hz = 0;
};

struct VideoClip {
  at::Tensor frames;  // [T, H, W, 3] uint8, the selected frames in the order selected
  int64_t source_frame_count = 0;
  double frames_per_second = 0;
};

// Picks frame indices in [0, frame_count) from what the file holds; may repeat indices.
using FrameSelector =
    std::function<std::vector<int64_t>(int64_t frame_count, double frames_per_second)>;

// Marks an error as the fault of one media item: missing, damaged, or not what the modality takes.
// Training leaves such a record out and counts it, evaluation counts it as unreadable; any other
// error of a modality is a fault of the program or its configuration and ends the run. Code and
// message stay; OK stays OK.
//
//   return MediaError(absl::InvalidArgumentError(absl::StrCat(name, ": holds no samples")));
absl::Status MediaError(absl::Status status);
// Whether `status` was marked so, or was made from such a status by putting text before its message
// (the host's Annotate keeps the mark).
bool IsMediaError(const absl::Status& status);

// Thread-safe. Errors of media are media errors: NotFound (no such file), InvalidArgument (not
// decodable, empty, truncated, wrong kind, larger than the limits), each naming the item.
// Pictures and frames are upright: the orientation that a file states (EXIF, the display matrix of
// a video) is applied.
class MediaDecoder {
 public:
  virtual ~MediaDecoder();
  virtual absl::StatusOr<at::Tensor> DecodeImage(const MediaSource& media,
                                                 PixelFormat format) const = 0;
  virtual absl::StatusOr<AudioClip> DecodeAudio(const MediaSource& media) const = 0;
  virtual absl::StatusOr<VideoClip> DecodeVideo(const MediaSource& media,
                                                const FrameSelector& select) const = 0;
  // The same decoder, but pictures and frames come as they are stored, on their side where the file
  // states an orientation. For models that were trained on such. Lives as long as this one.
  virtual const MediaDecoder& as_stored() const { return *this; }
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_MEDIA_H_
