#include "modalities/io/decoder.h"

#include <exception>

#include "absl/strings/str_cat.h"
#include "modalities/io/decode_audio.h"
#include "modalities/io/decode_image.h"
#include "modalities/io/decode_video.h"
#include "modalities/io/media_input.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

class FfmpegDecoder : public MediaDecoder {
 public:
  explicit FfmpegDecoder(const DecoderOptions& options) : options_(options) {
    av_log_set_level(AV_LOG_QUIET);
  }

  absl::StatusOr<at::Tensor> DecodeImage(const MediaSource& source,
                                         PixelFormat format) const override {
    return CatchTorch(SourceName(source),
                      [&] { return unival::DecodeImage(source, format, options_); });
  }

  absl::StatusOr<AudioClip> DecodeAudio(const MediaSource& source) const override {
    return CatchTorch(SourceName(source), [&] { return unival::DecodeAudio(source, options_); });
  }

  absl::StatusOr<VideoClip> DecodeVideo(const MediaSource& source,
                                        const FrameSelector& select) const override {
    return CatchTorch(SourceName(source),
                      [&] { return unival::DecodeVideo(source, select, options_); });
  }

 private:
  const DecoderOptions options_;
};

struct Interest {
  const char* kind;
  const char* name;
  const char* decoder;
  const char* demuxer;  // null: none needed
};

constexpr Interest kInterests[] = {
    {"image", "png", "png", nullptr},
    {"image", "jpeg", "mjpeg", nullptr},
    {"image", "pgm", "pgm", nullptr},
    {"image", "bmp", "bmp", nullptr},
    {"image", "webp", "webp", nullptr},
    {"image", "tiff", "tiff", nullptr},
    {"image", "gif", "gif", "gif"},
    {"audio", "wav", "pcm_s16le", "wav"},
    {"audio", "flac", "flac", "flac"},
    {"audio", "mp3", "mp3float", "mp3"},
    {"audio", "ogg (vorbis)", "vorbis", "ogg"},
    {"audio", "ogg (opus)", "opus", "ogg"},
    {"audio", "m4a (aac)", "aac", "mov"},
    {"video", "mp4 (h264)", "h264", "mov"},
    {"video", "mp4 (hevc)", "hevc", "mov"},
    {"video", "mp4 (mpeg4)", "mpeg4", "mov"},
    {"video", "webm (vp9)", "vp9", "matroska"},
    {"video", "mkv (ffv1)", "ffv1", "matroska"},
    {"video", "avi (mjpeg)", "mjpeg", "avi"},
};

}  // namespace

std::unique_ptr<MediaDecoder> NewFfmpegDecoder(const DecoderOptions& options) {
  return std::make_unique<FfmpegDecoder>(options);
}

std::vector<FormatSupport> ListFormats() {
  std::vector<FormatSupport> formats;
  for (const Interest& interest : kInterests) {
    const bool demuxer =
        interest.demuxer == nullptr || av_find_input_format(interest.demuxer) != nullptr;
    const bool decoder = avcodec_find_decoder_by_name(interest.decoder) != nullptr;
    formats.push_back({interest.kind, interest.name, interest.decoder, demuxer && decoder});
  }
  return formats;
}

}  // namespace unival
