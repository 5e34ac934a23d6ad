#include "modalities/io/stream_decoder.h"

extern "C" {
#include <libavutil/imgutils.h>
}

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "modalities/io/byte_reader.h"
#include "modalities/io/limits.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

// Left to tables of the codec and to the row that is converted.
constexpr int64_t kTables = int64_t{16} << 20;
// libdav1d allocates by itself and keeps up to this many pictures: eight references, the one that
// is decoded, the one that is shown.
constexpr int64_t kDav1dPictures = 10;

// A picture's memory with what counts it.
struct Counted {
  AVBufferRef* memory;
  std::shared_ptr<std::atomic<int64_t>> live;
  int64_t bytes;
};

void Release(void* opaque, uint8_t*) {
  auto* counted = static_cast<Counted*>(opaque);
  *counted->live -= counted->bytes;
  av_buffer_unref(&counted->memory);
  delete counted;
}

// Puts a buffer around `buffer` whose end is counted.
bool Count(AVBufferRef*& buffer, const std::shared_ptr<std::atomic<int64_t>>& live) {
  auto* counted = new Counted{buffer, live, static_cast<int64_t>(buffer->size)};
  AVBufferRef* around = av_buffer_create(buffer->data, buffer->size, &Release, counted, 0);
  if (around == nullptr) {
    delete counted;
    return false;
  }
  *live += counted->bytes;
  buffer = around;
  return true;
}

bool AllocatesItself(const AVCodec& codec) { return absl::StartsWith(codec.name, "libdav1d"); }

}  // namespace

int64_t FrameBytes(const AVFrame& frame) {
  const int bytes = av_image_get_buffer_size(static_cast<AVPixelFormat>(frame.format), frame.width,
                                             frame.height, 32);
  return bytes > 0 ? bytes : 8 * int64_t{frame.width} * frame.height;
}

absl::StatusOr<std::unique_ptr<StreamDecoder>> StreamDecoder::Create(
    const std::string& name, const std::string& expected, const DecoderOptions& options,
    const AVCodec* codec, const AVCodecParameters* parameters) {
  if (codec == nullptr) {
    return UnexpectedMedia(name, expected, "a codec that the installed libavcodec has not got",
                           "Convert the file; `unival doctor` lists the formats.");
  }
  auto decoder = std::make_unique<StreamDecoder>();
  decoder->name_ = name;
  decoder->expected_ = expected;
  decoder->codec_name_ = codec->name;  // the context forgets its codec when opening fails
  decoder->options_ = options;
  decoder->most_bytes_ = DecodingMemory(options) - kTables;
  decoder->live_ = std::make_shared<std::atomic<int64_t>>(0);
  decoder->frame_.reset(av_frame_alloc());
  decoder->context_.reset(avcodec_alloc_context3(codec));
  UNIVAL_RETURN_IF_ERROR(decoder->Configure(*codec, parameters));
  const int code = avcodec_open2(decoder->context(), codec, nullptr);
  if (code < 0) return decoder->Failure(code);
  return decoder;
}

absl::Status StreamDecoder::Configure(const AVCodec& codec, const AVCodecParameters* parameters) {
  AVCodecContext* context = context_.get();
  if (parameters != nullptr && avcodec_parameters_to_context(context, parameters) < 0) {
    return Failure(AVERROR_INVALIDDATA);
  }
  context->thread_count = 1;
  context->opaque = this;
  context->get_buffer2 = &StreamDecoder::AllocateFrame;
  context->max_pixels = options_.max_pixels;
  if (AllocatesItself(codec)) {
    const int64_t pixels = int64_t{context->width} * context->height;
    UNIVAL_RETURN_IF_ERROR(
        CheckMemory(name_, options_, kDav1dPictures * pixels * 3 / 2,
                    absl::StrCat("AV1 of ", context->width, " x ", context->height)));
    context->max_pixels = std::min(options_.max_pixels, most_bytes_ * 2 / (3 * kDav1dPictures));
  }
  context->idct_algo = FF_IDCT_INT;  // the IJG's own, so that JPEG gives the usual pixels
  context->err_recognition = AV_EF_CRCCHECK;
  // Single pictures: no concealment. Nor of FLAC, whose frames have checksums.
  if (parameters == nullptr || codec.id == AV_CODEC_ID_FLAC)
    context->err_recognition |= AV_EF_EXPLODE;
  // Frames leave in the order in which they are shown from the first on, also where the stream does
  // not say how far they are reordered.
  if (codec.id == AV_CODEC_ID_H264) context->strict_std_compliance = FF_COMPLIANCE_STRICT;
  return absl::OkStatus();
}

int StreamDecoder::AllocateFrame(AVCodecContext* context, AVFrame* frame, int flags) {
  auto* decoder = static_cast<StreamDecoder*>(context->opaque);
  if (context->codec_type == AVMEDIA_TYPE_VIDEO) {
    const int64_t bytes = FrameBytes(*frame);
    if (int64_t{frame->width} * frame->height > decoder->options_.max_pixels ||
        *decoder->live_ + bytes > decoder->most_bytes_) {
      decoder->refused_width_ = frame->width;
      decoder->refused_height_ = frame->height;
      decoder->refused_bytes_ = *decoder->live_ + bytes;
      return AVERROR(EINVAL);
    }
  }
  const int code = avcodec_default_get_buffer2(context, frame, flags);
  if (code < 0 || context->codec_type != AVMEDIA_TYPE_VIDEO) return code;
  for (AVBufferRef*& buffer : frame->buf) {
    if (buffer != nullptr && !Count(buffer, decoder->live_)) return AVERROR(ENOMEM);
  }
  return code;
}

absl::Status StreamDecoder::Failure(int code) const {
  if (refused_width_ > 0) {
    UNIVAL_RETURN_IF_ERROR(CheckPixels(name_, options_, refused_width_, refused_height_));
    return UnexpectedMedia(name_,
                           absl::StrCat("what can be decoded within ", most_bytes_, " bytes"),
                           absl::StrCat("pictures of ", refused_width_, " x ", refused_height_,
                                        ", of which ", codec_name_, " holds several"),
                           "Scale it down or raise max_pixels.");
  }
  const AVCodecContext& context = *context_;
  if (context.width > 0 && context.height > options_.max_pixels / context.width) {
    return CheckPixels(name_, options_, context.width, context.height);
  }
  return TruncatedMedia(UnexpectedMedia(
      name_, expected_, absl::StrCat("damaged ", codec_name_, " data (", FfmpegError(code), ")"),
      kDamagedRemedy));
}

// For decoders that allocate by themselves; the others were asked before.
absl::Status StreamDecoder::CheckFrame() const {
  if (context_->codec_type != AVMEDIA_TYPE_VIDEO) return absl::OkStatus();
  UNIVAL_RETURN_IF_ERROR(CheckPixels(name_, options_, frame_->width, frame_->height));
  if (!AllocatesItself(*context_->codec)) return absl::OkStatus();
  return CheckMemory(name_, options_, kDav1dPictures * FrameBytes(*frame_),
                     absl::StrCat("AV1 of ", frame_->width, " x ", frame_->height));
}

absl::StatusOr<bool> StreamDecoder::Decode(
    const AVPacket* packet, absl::FunctionRef<absl::StatusOr<bool>(const AVFrame&)> on_frame) {
  int code = avcodec_send_packet(context_.get(), packet);
  if (code < 0 && code != AVERROR_EOF) return Failure(code);
  while ((code = avcodec_receive_frame(context_.get(), frame_.get())) >= 0) {
    const bool damaged =
        frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0;
    if (damaged) return Failure(AVERROR_INVALIDDATA);
    UNIVAL_RETURN_IF_ERROR(CheckFrame());
    UNIVAL_ASSIGN_OR_RETURN(const bool more, on_frame(*frame_));
    if (!more) return false;
  }
  if (code != AVERROR(EAGAIN) && code != AVERROR_EOF) return Failure(code);
  return true;
}

}  // namespace unival
