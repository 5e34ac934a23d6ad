#include "modalities/io/decoder.h"

#include <utility>

#include "modalities/io/decode_audio.h"
#include "modalities/io/decode_image.h"
#include "modalities/io/decode_video.h"
#include "modalities/io/ffmpeg_handles.h"
#include "modalities/io/formats.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

// Looks a source up in the table; what no entry recognises is left to FFmpeg's demuxers.
class TableDecoder : public MediaDecoder {
 public:
  TableDecoder(const DecoderOptions& options, std::vector<MediaFormat> formats)
      : options_(options), formats_(std::move(formats)) {
    av_log_set_level(AV_LOG_QUIET);
  }

  absl::StatusOr<at::Tensor> DecodeImage(const MediaSource& source,
                                         PixelFormat format) const override {
    return Decode<at::Tensor>(
        source, &MediaFormat::decode_image,
        [format](const auto& decode, const EncodedMedia& file) { return decode(file, format); },
        [&] { return DecodeFirstFrame(source, format, options_); });
  }

  absl::StatusOr<AudioClip> DecodeAudio(const MediaSource& source) const override {
    return Decode<AudioClip>(
        source, &MediaFormat::decode_audio,
        [](const auto& decode, const EncodedMedia& file) { return decode(file); },
        [&] { return DecodeSound(source, options_); });
  }

  absl::StatusOr<VideoClip> DecodeVideo(const MediaSource& source,
                                        const FrameSelector& select) const override {
    return Decode<VideoClip>(
        source, &MediaFormat::decode_video,
        [&select](const auto& decode, const EncodedMedia& file) { return decode(file, select); },
        [&] { return DecodeFrames(source, select, options_); });
  }

 private:
  // `decode` is the function that entries of the wanted kind have; `call` calls it, `demuxed` does
  // without.
  template <typename Result, typename Function, typename Call, typename Demuxed>
  absl::StatusOr<Result> Decode(const MediaSource& source, Function MediaFormat::*decode,
                                const Call& call, const Demuxed& demuxed) const {
    return CatchTorch(SourceName(source), [&]() -> absl::StatusOr<Result> {
      if (Recognises(decode)) {
        UNIVAL_ASSIGN_OR_RETURN(const auto reader, ByteReader::Open(source, options_.max_bytes));
        const MediaFormat* format = Find(*reader, decode);
        if (format != nullptr) return call(format->*decode, EncodedMedia{*reader, options_});
      }
      return demuxed();
    });
  }

  template <typename Function>
  bool Recognises(Function MediaFormat::*decode) const {
    for (const MediaFormat& format : formats_) {
      if (format.*decode != nullptr) return true;
    }
    return false;
  }

  // The first entry with `decode` that knows the first bytes, null without one.
  template <typename Function>
  const MediaFormat* Find(const ByteReader& reader, Function MediaFormat::*decode) const {
    char bytes[kFormatHeadBytes];
    const int64_t got = reader.ReadAt(0, reinterpret_cast<uint8_t*>(bytes), sizeof(bytes));
    const absl::string_view head(bytes, got > 0 ? static_cast<size_t>(got) : 0);
    for (const MediaFormat& format : formats_) {
      if (format.*decode != nullptr && format.matches != nullptr && format.matches(head)) {
        return &format;
      }
    }
    return nullptr;
  }

  const DecoderOptions options_;
  const std::vector<MediaFormat> formats_;
};

}  // namespace

std::unique_ptr<MediaDecoder> NewFfmpegDecoder(const DecoderOptions& options) {
  return NewMediaDecoder(options, {});
}

std::unique_ptr<MediaDecoder> NewMediaDecoder(const DecoderOptions& options,
                                              std::vector<MediaFormat> more) {
  std::vector<MediaFormat> formats = std::move(more);
  formats.insert(formats.end(), BuiltinFormats().begin(), BuiltinFormats().end());
  return std::make_unique<TableDecoder>(options, std::move(formats));
}

}  // namespace unival
