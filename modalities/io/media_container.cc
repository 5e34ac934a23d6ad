#include "modalities/io/media_container.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr int kIoBufferBytes = 32 * 1024;
constexpr char kDamagedRemedy[] =
    "The file is truncated or damaged: write it again or leave it out.";

// Containers that hold their media themselves. Playlists and the like (concat, hls, dash, sdp,
// image2) would let data choose what is read, and some of them open files without asking `io_open`;
// they are left out.
constexpr char kFormats[] =
    "aac,ac3,aiff,amr,ape,apng,asf,au,avi,bmp_pipe,caf,dpx_pipe,dts,dv,eac3,exr_pipe,flac,flv,gif,"
    "h264,hdr_pipe,hevc,ico,ivf,j2k_pipe,jpeg_pipe,jpegls_pipe,jpegxl_pipe,m4v,matroska,mjpeg,mov,"
    "mp3,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,pam_pipe,pbm_pipe,pcx_pipe,pfm_pipe,pgm_pipe,"
    "png_pipe,ppm_pipe,qoi_pipe,rm,sgi_pipe,sox,sunrast_pipe,tiff_pipe,tta,voc,w64,wav,webp_pipe,"
    "wv,xbm_pipe,xpm_pipe,xwd_pipe,yuv4mpegpipe";

// What a container opens besides itself.
int RefuseToOpen(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

std::string KindsOf(const AVFormatContext& format) {
  std::string kinds;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const char* kind = av_get_media_type_string(format.streams[i]->codecpar->codec_type);
    absl::StrAppend(&kinds, kinds.empty() ? "" : " and ", kind == nullptr ? "other data" : kind);
  }
  return kinds.empty() ? "no streams" : kinds;
}

bool HasParameters(const AVFormatContext& format) {
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const AVCodecParameters& parameters = *format.streams[i]->codecpar;
    const bool audio = parameters.codec_type == AVMEDIA_TYPE_AUDIO && parameters.sample_rate > 0 &&
                       parameters.ch_layout.nb_channels > 0;
    const bool video = parameters.codec_type == AVMEDIA_TYPE_VIDEO && parameters.width > 0 &&
                       format.streams[i]->avg_frame_rate.num > 0;
    if (parameters.codec_id == AV_CODEC_ID_NONE || !(audio || video)) return false;
  }
  return format.nb_streams > 0;
}

}  // namespace

int MediaContainer::ReadCallback(void* opaque, uint8_t* buffer, int size) {
  auto* reader = static_cast<ByteReader*>(opaque);
  const int64_t got = reader->ReadAt(reader->position_, buffer, size);
  if (got < 0) return AVERROR(EIO);
  if (got == 0) return AVERROR_EOF;
  reader->position_ += got;
  return static_cast<int>(got);
}

int64_t MediaContainer::SeekCallback(void* opaque, int64_t offset, int whence) {
  auto* reader = static_cast<ByteReader*>(opaque);
  if (whence == AVSEEK_SIZE) return reader->size_;
  int64_t base = 0;
  if (whence == SEEK_CUR) base = reader->position_;
  if (whence == SEEK_END) base = reader->size_;
  int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) return AVERROR(EINVAL);
  reader->position_ = target;
  return target;
}

absl::StatusOr<std::unique_ptr<MediaContainer>> MediaContainer::Open(const MediaSource& source,
                                                                     const DecoderOptions& options,
                                                                     const std::string& expected) {
  auto input = std::make_unique<MediaContainer>();
  input->expected_ = expected;
  UNIVAL_ASSIGN_OR_RETURN(input->reader_, ByteReader::Open(source, options.max_bytes));
  auto* buffer = static_cast<uint8_t*>(av_malloc(kIoBufferBytes));
  input->io_.reset(avio_alloc_context(buffer, kIoBufferBytes, 0, input->reader_.get(),
                                      &MediaContainer::ReadCallback, nullptr,
                                      &MediaContainer::SeekCallback));
  AVFormatContext* format = avformat_alloc_context();
  format->pb = input->io_.get();
  format->flags |= AVFMT_FLAG_CUSTOM_IO;
  format->io_open = &RefuseToOpen;
  format->format_whitelist = av_strdup(kFormats);
  format->protocol_whitelist = av_strdup("");                     // no file, no address
  int code = avformat_open_input(&format, "", nullptr, nullptr);  // frees `format` on failure
  if (code < 0) {
    return input->Unexpected(
        absl::StrCat(input->reader_->size(), " bytes that no accepted format fits (",
                     FfmpegError(code), ")"),
        "Check that the file is complete and is what its name says.");
  }
  input->format_.reset(format);
  if (HasParameters(*format)) return input;
  code = avformat_find_stream_info(format, nullptr);
  if (code < 0) {
    return input->Unexpected(absl::StrCat("a damaged ", input->format_name(), " file"),
                             kDamagedRemedy);
  }
  return input;
}

bool MediaContainer::is_still_image() const {
  const std::string name = format_name();
  return absl::EndsWith(name, "_pipe") || name == "image2" || name == "ico";
}

absl::StatusOr<AVStream*> MediaContainer::FindStream(AVMediaType type) const {
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream* stream = format_->streams[i];
    if (stream->codecpar->codec_type == type &&
        (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) == 0) {
      return stream;
    }
  }
  return Unexpected(absl::StrCat(KindsOf(*format_), " (", format_name(), ")"),
                    "Give the file to a column of its own kind.");
}

absl::StatusOr<bool> MediaContainer::ReadPacket(const AVStream* stream, AVPacket* packet) {
  while (true) {
    av_packet_unref(packet);
    const int code = av_read_frame(format_.get(), packet);
    if (code == AVERROR_EOF) return false;
    if (code < 0) {
      return Unexpected(
          absl::StrCat("a damaged ", format_name(), " file (", FfmpegError(code), ")"),
          kDamagedRemedy);
    }
    if (packet->stream_index != stream->index) continue;
    if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0) {
      return Unexpected(absl::StrCat("a truncated ", format_name(), " file"), kDamagedRemedy);
    }
    return true;
  }
}

absl::Status MediaContainer::Unexpected(const std::string& found, const std::string& remedy) const {
  return UnexpectedMedia(name(), expected_, found, remedy);
}

absl::StatusOr<std::unique_ptr<StreamDecoder>> StreamDecoder::Create(
    const std::string& name, const std::string& expected, const DecoderOptions& options,
    AVCodecID codec_id, const AVCodecParameters* parameters) {
  const AVCodec* codec = avcodec_find_decoder(codec_id);
  if (codec == nullptr) {
    return UnexpectedMedia(name, expected,
                           absl::StrCat("codec ", avcodec_get_name(codec_id),
                                        ", which the installed libavcodec cannot decode"),
                           "Convert the file; `unival doctor` lists the formats.");
  }
  auto decoder = std::make_unique<StreamDecoder>();
  decoder->name_ = name;
  decoder->expected_ = expected;
  decoder->codec_name_ = codec->name;  // the context forgets its codec when opening fails
  decoder->max_pixels_ = options.max_pixels;
  decoder->frame_.reset(av_frame_alloc());
  decoder->context_.reset(avcodec_alloc_context3(codec));
  AVCodecContext* context = decoder->context_.get();
  if (parameters != nullptr) avcodec_parameters_to_context(context, parameters);
  context->thread_count = 1;
  context->opaque = decoder.get();
  context->get_buffer2 = &StreamDecoder::AllocateFrame;
  context->idct_algo = FF_IDCT_INT;  // the IJG's own, so that JPEG gives the usual pixels
  context->err_recognition = AV_EF_CRCCHECK;
  if (parameters == nullptr)
    context->err_recognition |= AV_EF_EXPLODE;  // single pictures: no concealment
  const int code = avcodec_open2(context, codec, nullptr);
  if (code < 0) return decoder->Failure(code);
  return decoder;
}

int StreamDecoder::AllocateFrame(AVCodecContext* context, AVFrame* frame, int flags) {
  auto* decoder = static_cast<StreamDecoder*>(context->opaque);
  if (context->codec_type == AVMEDIA_TYPE_VIDEO &&
      int64_t{frame->width} * frame->height > decoder->max_pixels_) {
    decoder->refused_width_ = frame->width;
    decoder->refused_height_ = frame->height;
    return AVERROR(EINVAL);
  }
  return avcodec_default_get_buffer2(context, frame, flags);
}

absl::Status StreamDecoder::Failure(int code) const {
  if (refused_width_ > 0) {
    return UnexpectedMedia(name_, absl::StrCat("at most ", max_pixels_, " pixels"),
                           absl::StrCat(refused_width_, " x ", refused_height_),
                           "Scale it down or raise max_pixels.");
  }
  return UnexpectedMedia(name_, expected_,
                         absl::StrCat("damaged ", codec_name_, " data (", FfmpegError(code), ")"),
                         kDamagedRemedy);
}

absl::StatusOr<bool> StreamDecoder::Decode(
    const AVPacket* packet, absl::FunctionRef<absl::StatusOr<bool>(const AVFrame&)> on_frame) {
  int code = avcodec_send_packet(context_.get(), packet);
  if (code < 0 && code != AVERROR_EOF) return Failure(code);
  while ((code = avcodec_receive_frame(context_.get(), frame_.get())) >= 0) {
    const bool damaged =
        frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0;
    if (damaged) return Failure(AVERROR_INVALIDDATA);
    UNIVAL_ASSIGN_OR_RETURN(const bool more, on_frame(*frame_));
    if (!more) return false;
  }
  if (code != AVERROR(EAGAIN) && code != AVERROR_EOF) return Failure(code);
  return true;
}

absl::Status DecodeStream(MediaContainer& input, const AVStream* stream, StreamDecoder& decoder,
                          absl::FunctionRef<absl::StatusOr<bool>(const AVFrame&)> on_frame) {
  FfmpegPtr<AVPacket> packet(av_packet_alloc());
  while (true) {
    UNIVAL_ASSIGN_OR_RETURN(const bool more, input.ReadPacket(stream, packet.get()));
    if (!more) break;
    UNIVAL_ASSIGN_OR_RETURN(const bool wanted, decoder.Decode(packet.get(), on_frame));
    if (!wanted) return absl::OkStatus();
  }
  return decoder.Decode(nullptr, on_frame).status();
}

}  // namespace unival
