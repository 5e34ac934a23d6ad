// unival: media.h
//
// Media as plain tensors, and the decoder that the host gives to every modality. Plugins need no
// FFmpeg of their own.
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

// A media file on disk or in memory. `name` is its name in messages ("shard.tar:clip_7.wav"). When
// `bytes` is set, it is used instead of `path`; it is shared, not copied.
struct MediaSource {
  std::string name;
  std::string path;
  std::shared_ptr<const std::string> bytes;
};

enum class PixelFormat {
  kRgb8,    // [H, W, 3] uint8; grey and palette images are converted, alpha is dropped
  kGray8,   // [H, W, 1] uint8
  kGray16,  // [H, W, 1] int32 holding 0..65535; an error for pictures with fewer than 16 bits
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

// Chooses frames of a video: returns indices in [0, frame_count). An index may occur several times.
using FrameSelector =
    std::function<std::vector<int64_t>(int64_t frame_count, double frames_per_second)>;

// Marks an error as caused by one media item: it is missing, damaged, or of a kind that the
// modality does not accept. Training skips such a record and counts it; evaluation counts it as
// unreadable. Any other error of a modality means that the program or its configuration is wrong,
// and ends the run. Code and message stay; OK stays OK.
//
//   return MediaError(absl::InvalidArgumentError(absl::StrCat(name, ": holds no samples")));
absl::Status MediaError(absl::Status status);
// Whether `status` has this mark. The mark stays when text is put before the message with the
// host's Annotate.
bool IsMediaError(const absl::Status& status);

// Thread-safe. Errors that a media item causes are marked by MediaError and name the item: NotFound
// (no such file), InvalidArgument (not decodable, empty, truncated, wrong kind, larger than the
// limits). Pictures and frames are returned upright: the orientation in the file (EXIF, or the
// display matrix of a video) is applied.
class MediaDecoder {
 public:
  virtual ~MediaDecoder();
  virtual absl::StatusOr<at::Tensor> DecodeImage(const MediaSource& media,
                                                 PixelFormat format) const = 0;
  virtual absl::StatusOr<AudioClip> DecodeAudio(const MediaSource& media) const = 0;
  virtual absl::StatusOr<VideoClip> DecodeVideo(const MediaSource& media,
                                                const FrameSelector& select) const = 0;
  // The same decoder, but without applying the orientation: pixels are returned as they are stored.
  // For models that were trained on such pixels. Lives as long as this object.
  virtual const MediaDecoder& as_stored() const { return *this; }
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_MEDIA_H_
