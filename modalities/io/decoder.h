// unival: modalities/io/decoder.h
//
// Decodes images, audio and video in-process with FFmpeg's libraries, from files or from memory.
//
//   std::unique_ptr<MediaDecoder> decoder = NewFfmpegDecoder();
//   MediaSource media;
//   media.path = "photo.png";
//   // [H, W, 3] uint8:
//   absl::StatusOr<at::Tensor> pixels = decoder->DecodeImage(media, PixelFormat::kRgb8);
//
// Thread-safe: decoders keep no state between calls. A media file can never make the decoder open
// another file or an address: playlists and the like are refused. Whatever it claims, decoding it
// takes at most 64 MiB and 4 bytes for each of max_pixels, besides what it returns of samples and
// frames. The libraries' own logs are switched off for the whole process.
#ifndef UNIVAL_MODALITIES_IO_DECODER_H_
#define UNIVAL_MODALITIES_IO_DECODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sdk/native/media.h"

namespace unival {

// Larger media are refused with InvalidArgument before their pixels or samples are allocated.
struct DecoderOptions {
  int64_t max_bytes = int64_t{2} << 30;          // of the encoded media
  int64_t max_pixels = int64_t{64} << 20;        // of an image, or of one frame
  double max_seconds = 3600;                     // of an audio clip
  int64_t max_frames = 1000000;                  // a video holds
  int64_t max_decoded_bytes = int64_t{4} << 30;  // of the samples, or of the selected frames
  // Whether the orientation that a file states (EXIF, the display matrix of a video) is applied.
  bool upright = true;
};

// What decoding one item takes at most, in bytes, besides the samples and frames that it returns:
// 64 MiB and 4 bytes for each of max_pixels.
int64_t DecodingMemory(const DecoderOptions& options);

std::unique_ptr<MediaDecoder> NewFfmpegDecoder(const DecoderOptions& options = {});

// One format of interest and whether the installed libraries can read it; for `doctor`.
struct FormatSupport {
  std::string kind;     // "image", "audio", "video"
  std::string name;     // "png", "mp4 (h264)"
  std::string decoder;  // the library, or its name for the decoder: "libpng", "h264"
  bool available = false;
};
std::vector<FormatSupport> ListFormats();

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_DECODER_H_
