#include "modalities/io/decoder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "modalities/io/decode_audio.h"
#include "modalities/io/decode_image.h"
#include "modalities/io/decode_video.h"
#include "modalities/io/ffmpeg_handles.h"
#include "modalities/io/formats.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/media_bytes.h"

namespace unival {
namespace {

// Looks a media item up in the table; what no entry recognises is left to FFmpeg's demuxers.
class TableDecoder : public MediaDecoder {
 public:
  TableDecoder(const DecoderOptions& options, std::vector<MediaFormat> formats)
      : options_(options), formats_(std::move(formats)) {
    av_log_set_level(AV_LOG_QUIET);
    if (!options.upright) return;
    DecoderOptions stored = options;
    stored.upright = false;
    as_stored_ = std::make_unique<TableDecoder>(stored, formats_);
  }

  const MediaDecoder& as_stored() const override {
    if (as_stored_ == nullptr) return *this;
    return *as_stored_;
  }

  absl::StatusOr<at::Tensor> DecodeImage(const MediaSource& media,
                                         PixelFormat format) const override {
    return Decode<at::Tensor>(
        media, "an image", &MediaFormat::decode_image,
        [format](const auto& decode, const EncodedMedia& file) { return decode(file, format); },
        [format](const EncodedMedia& file) { return DecodeFirstFrame(file, format); });
  }

  absl::StatusOr<AudioClip> DecodeAudio(const MediaSource& media) const override {
    return Decode<AudioClip>(
        media, "audio", &MediaFormat::decode_audio,
        [](const auto& decode, const EncodedMedia& file) { return decode(file); },
        [](const EncodedMedia& file) { return DecodeSound(file); });
  }

  absl::StatusOr<VideoClip> DecodeVideo(const MediaSource& media,
                                        const FrameSelector& select) const override {
    return Decode<VideoClip>(
        media, "a video", &MediaFormat::decode_video,
        [&select](const auto& decode, const EncodedMedia& file) { return decode(file, select); },
        [&select](const EncodedMedia& file) { return DecodeFrames(file, select); });
  }

 private:
  // `decode` is the function that entries of the wanted kind have, which messages call `expected`;
  // `call` calls it, `demuxed` does without.
  template <typename Result, typename Function, typename Call, typename Demuxed>
  absl::StatusOr<Result> Decode(const MediaSource& media, const char* expected,
                                Function MediaFormat::*decode, const Call& call,
                                const Demuxed& demuxed) const {
    return CatchTorch(MediaName(media), [&]() -> absl::StatusOr<Result> {
      UNIVAL_ASSIGN_OR_RETURN(const auto reader, ByteReader::Open(media, options_.max_bytes));
      const EncodedMedia file{*reader, options_};
      const MediaFormat* format = Find(*reader);
      if (format != nullptr && format->*decode == nullptr) {
        return UnexpectedMedia(reader->name(), expected,
                               absl::StrCat(format->kind, " (", format->name, ")"),
                               "Give the file to a column of its own kind.");
      }
      absl::StatusOr<Result> result =
          format != nullptr ? call(format->*decode, file) : demuxed(file);
      // A read that failed is no fault of the file, whatever a decoder made of it.
      if (!result.ok() && !reader->failure().ok()) return reader->failure();
      return result;
    });
  }

  // The first entry that knows the first bytes, null without one.
  const MediaFormat* Find(const ByteReader& reader) const {
    const std::string head = reader.Text(0, kFormatHeadBytes);
    for (const MediaFormat& format : formats_) {
      if (format.matches != nullptr && format.matches(head)) return &format;
    }
    return nullptr;
  }

  const DecoderOptions options_;
  const std::vector<MediaFormat> formats_;
  std::unique_ptr<TableDecoder> as_stored_;
};

}  // namespace

std::unique_ptr<MediaDecoder> NewFfmpegDecoder(const DecoderOptions& options) {
  return NewMediaDecoder(options, {});
}

std::unique_ptr<MediaDecoder> NewMediaDecoder(const DecoderOptions& options,
                                              std::vector<MediaFormat> more) {
  std::vector<MediaFormat> formats = std::move(more);
  formats.insert(formats.end(), MediaFormats().begin(), MediaFormats().end());
  return std::make_unique<TableDecoder>(options, std::move(formats));
}

}  // namespace unival
