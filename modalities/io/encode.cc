#include "modalities/io/encode.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "modalities/io/ffmpeg_handles.h"
#include "modalities/io/pcm16.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

absl::Status CheckSize(const char* what, size_t actual, int64_t width, int64_t height,
                       int64_t depth, int64_t count = 1) {
  constexpr int64_t kMaxSide = 32768;
  const bool sane =
      width > 0 && height > 0 && depth > 0 && count > 0 && width <= kMaxSide && height <= kMaxSide;
  if (sane && static_cast<int64_t>(actual) == width * height * depth * count) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", actual, " values for ", count, " x ",
                                                 height, " x ", width, " x ", depth,
                                                 "; give as many as these sizes say"));
}

absl::Status EncoderFailed(const char* what, int code) {
  return absl::InternalError(absl::StrCat(what, ": ", FfmpegError(code)));
}

// Encodes frames with one codec; packets go to `on_packet`.
class Encoder {
 public:
  using PacketSink = std::function<absl::Status(AVPacket*)>;

  static absl::StatusOr<Encoder> Open(const char* codec_name,
                                      const std::function<void(AVCodecContext*)>& configure) {
    const AVCodec* codec = avcodec_find_encoder_by_name(codec_name);
    if (codec == nullptr) {
      return absl::UnimplementedError(
          absl::StrCat("the installed libavcodec has no encoder ", codec_name));
    }
    Encoder encoder;
    encoder.context_.reset(avcodec_alloc_context3(codec));
    encoder.context_->thread_count = 1;
    encoder.context_->flags |= AV_CODEC_FLAG_BITEXACT;
    configure(encoder.context_.get());
    const int code = avcodec_open2(encoder.context_.get(), codec, nullptr);
    if (code < 0) return EncoderFailed(codec_name, code);
    encoder.packet_.reset(av_packet_alloc());
    return encoder;
  }

  AVCodecContext* context() const { return context_.get(); }

  // A null frame flushes.
  absl::Status Encode(const AVFrame* frame, const PacketSink& on_packet) {
    int code = avcodec_send_frame(context_.get(), frame);
    if (code < 0) return EncoderFailed(context_->codec->name, code);
    while ((code = avcodec_receive_packet(context_.get(), packet_.get())) >= 0) {
      UNIVAL_RETURN_IF_ERROR(on_packet(packet_.get()));
      av_packet_unref(packet_.get());
    }
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return absl::OkStatus();
    return EncoderFailed(context_->codec->name, code);
  }

 private:
  FfmpegPtr<AVCodecContext> context_;
  FfmpegPtr<AVPacket> packet_;
};

absl::StatusOr<FfmpegPtr<AVFrame>> NewPicture(int width, int height, AVPixelFormat format) {
  FfmpegPtr<AVFrame> frame(av_frame_alloc());
  frame->width = width;
  frame->height = height;
  frame->format = format;
  const int code = av_frame_get_buffer(frame.get(), 0);
  if (code < 0) return EncoderFailed("picture", code);
  return frame;
}

// One picture of `row_bytes` bytes a row.
absl::StatusOr<std::string> EncodePicture(const uint8_t* pixels, int width, int height,
                                          size_t row_bytes, AVPixelFormat format) {
  UNIVAL_ASSIGN_OR_RETURN(Encoder encoder, Encoder::Open("png", [&](AVCodecContext* context) {
                            context->width = width;
                            context->height = height;
                            context->pix_fmt = format;
                            context->time_base = {1, 1};
                          }));
  UNIVAL_ASSIGN_OR_RETURN(FfmpegPtr<AVFrame> frame, NewPicture(width, height, format));
  for (int row = 0; row < height; ++row) {
    std::memcpy(frame->data[0] + static_cast<ptrdiff_t>(row) * frame->linesize[0],
                pixels + row * row_bytes, row_bytes);
  }
  std::string png;
  const auto append = [&png](AVPacket* packet) {
    png.append(reinterpret_cast<const char*>(packet->data), packet->size);
    return absl::OkStatus();
  };
  UNIVAL_RETURN_IF_ERROR(encoder.Encode(frame.get(), append));
  UNIVAL_RETURN_IF_ERROR(encoder.Encode(nullptr, append));
  return png;
}

// A growing file in memory for the muxers, which go back to fill in sizes.
class MemoryFile {
 public:
  MemoryFile() {
    constexpr int kBufferBytes = 32 * 1024;
    io_.reset(avio_alloc_context(static_cast<uint8_t*>(av_malloc(kBufferBytes)), kBufferBytes, 1,
                                 this, nullptr, &MemoryFile::Write, &MemoryFile::Seek));
  }
  AVIOContext* io() const { return io_.get(); }
  std::string Take() { return std::move(bytes_); }

 private:
  static int Write(void* opaque, uint8_t* data, int size) {
    auto* file = static_cast<MemoryFile*>(opaque);
    const size_t end = file->position_ + size;
    if (end > file->bytes_.size()) file->bytes_.resize(end);
    std::memcpy(&file->bytes_[file->position_], data, size);
    file->position_ = end;
    return size;
  }
  static int64_t Seek(void* opaque, int64_t offset, int whence) {
    auto* file = static_cast<MemoryFile*>(opaque);
    if (whence == AVSEEK_SIZE) return static_cast<int64_t>(file->bytes_.size());
    if (whence == SEEK_CUR) offset += static_cast<int64_t>(file->position_);
    if (whence == SEEK_END) offset += static_cast<int64_t>(file->bytes_.size());
    if (offset < 0) return AVERROR(EINVAL);
    file->position_ = offset;
    return offset;
  }

  std::string bytes_;
  size_t position_ = 0;
  FfmpegPtr<AVIOContext> io_;
};

struct OutputDeleter {
  void operator()(AVFormatContext* format) const { avformat_free_context(format); }
};

// One stream in one container.
class Muxer {
 public:
  absl::Status Open(const char* format_name, const AVCodecContext* encoder) {
    AVFormatContext* format = nullptr;
    int code = avformat_alloc_output_context2(&format, nullptr, format_name, nullptr);
    if (code < 0) return EncoderFailed(format_name, code);
    format_.reset(format);
    format->pb = file_.io();
    format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    stream_ = avformat_new_stream(format, nullptr);
    stream_->time_base = encoder->time_base;
    encoder_time_base_ = encoder->time_base;
    avcodec_parameters_from_context(stream_->codecpar, encoder);
    if (encoder->codec_type == AVMEDIA_TYPE_VIDEO) stream_->avg_frame_rate = encoder->framerate;
    code = avformat_write_header(format, nullptr);
    return code < 0 ? EncoderFailed(format_name, code) : absl::OkStatus();
  }

  absl::Status Write(AVPacket* packet) {
    if (packet->duration == 0 && stream_->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
      packet->duration = 1;
    }
    av_packet_rescale_ts(packet, encoder_time_base_, stream_->time_base);
    packet->stream_index = stream_->index;
    const int code = av_interleaved_write_frame(format_.get(), packet);
    return code < 0 ? EncoderFailed("muxer", code) : absl::OkStatus();
  }

  absl::StatusOr<std::string> Finish() {
    const int code = av_write_trailer(format_.get());
    if (code < 0) return EncoderFailed("muxer", code);
    avio_flush(file_.io());
    return file_.Take();
  }

 private:
  MemoryFile file_;
  std::unique_ptr<AVFormatContext, OutputDeleter> format_;
  AVStream* stream_ = nullptr;
  AVRational encoder_time_base_ = {1, 1};
};

}  // namespace

absl::StatusOr<std::string> EncodePng(absl::Span<const uint8_t> pixels, int width, int height,
                                      int channels) {
  UNIVAL_RETURN_IF_ERROR(CheckSize("EncodePng", pixels.size(), width, height, channels));
  AVPixelFormat format = AV_PIX_FMT_NONE;
  if (channels == 1) format = AV_PIX_FMT_GRAY8;
  if (channels == 3) format = AV_PIX_FMT_RGB24;
  if (channels == 4) format = AV_PIX_FMT_RGBA;
  if (format == AV_PIX_FMT_NONE) {
    return absl::InvalidArgumentError(
        absl::StrCat("EncodePng: ", channels, " channels; use 1, 3 or 4"));
  }
  return EncodePicture(pixels.data(), width, height, static_cast<size_t>(width) * channels, format);
}

absl::StatusOr<std::string> EncodeGray16Png(absl::Span<const uint16_t> pixels, int width,
                                            int height) {
  UNIVAL_RETURN_IF_ERROR(CheckSize("EncodeGray16Png", pixels.size(), width, height, 1));
  std::vector<uint8_t> big_endian;
  big_endian.reserve(pixels.size() * 2);
  for (uint16_t value : pixels) {
    big_endian.push_back(static_cast<uint8_t>(value >> 8));
    big_endian.push_back(static_cast<uint8_t>(value));
  }
  return EncodePicture(big_endian.data(), width, height, static_cast<size_t>(width) * 2,
                       AV_PIX_FMT_GRAY16BE);
}

absl::StatusOr<std::string> EncodeFlac(absl::Span<const float> samples, int sample_rate_hz) {
  UNIVAL_RETURN_IF_ERROR(CheckSize("EncodeFlac", samples.size(), 1, 1, samples.size()));
  UNIVAL_ASSIGN_OR_RETURN(Encoder encoder, Encoder::Open("flac", [&](AVCodecContext* context) {
                            context->sample_rate = sample_rate_hz;
                            context->sample_fmt = AV_SAMPLE_FMT_S16;
                            context->time_base = {1, sample_rate_hz};
                            av_channel_layout_default(&context->ch_layout, 1);
                          }));
  Muxer muxer;
  UNIVAL_RETURN_IF_ERROR(muxer.Open("flac", encoder.context()));
  const auto write = [&muxer](AVPacket* packet) { return muxer.Write(packet); };
  const size_t block = encoder.context()->frame_size;
  for (size_t begin = 0; begin < samples.size(); begin += block) {
    const size_t count = std::min(block, samples.size() - begin);
    FfmpegPtr<AVFrame> frame(av_frame_alloc());
    frame->nb_samples = static_cast<int>(count);
    frame->format = AV_SAMPLE_FMT_S16;
    frame->sample_rate = sample_rate_hz;
    frame->pts = static_cast<int64_t>(begin);
    av_channel_layout_default(&frame->ch_layout, 1);
    const int code = av_frame_get_buffer(frame.get(), 0);
    if (code < 0) return EncoderFailed("flac", code);
    auto* out = reinterpret_cast<int16_t*>(frame->data[0]);
    std::transform(samples.begin() + begin, samples.begin() + begin + count, out, &ToPcm16);
    UNIVAL_RETURN_IF_ERROR(encoder.Encode(frame.get(), write));
  }
  UNIVAL_RETURN_IF_ERROR(encoder.Encode(nullptr, write));
  return muxer.Finish();
}

absl::StatusOr<std::string> EncodeMp4(absl::Span<const uint8_t> frames, int count, int width,
                                      int height, int frames_per_second) {
  UNIVAL_RETURN_IF_ERROR(CheckSize("EncodeMp4", frames.size(), width, height, 3, count));
  if (frames_per_second <= 0) {
    return absl::InvalidArgumentError("EncodeMp4: frames_per_second must be positive");
  }
  UNIVAL_ASSIGN_OR_RETURN(Encoder encoder, Encoder::Open("mpeg4", [&](AVCodecContext* context) {
                            context->width = width;
                            context->height = height;
                            context->pix_fmt = AV_PIX_FMT_YUV420P;
                            context->time_base = {1, frames_per_second};
                            context->framerate = {frames_per_second, 1};
                            context->gop_size = 12;
                            context->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_GLOBAL_HEADER;
                            // Nearly without visible loss.
                            context->global_quality = 2 * FF_QP2LAMBDA;
                          }));
  FfmpegPtr<SwsContext> scaler(
      sws_getContext(width, height, AV_PIX_FMT_RGB24, width, height, AV_PIX_FMT_YUV420P,
                     SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr, nullptr));
  if (scaler == nullptr) return absl::InternalError("EncodeMp4: no colour conversion");
  Muxer muxer;
  UNIVAL_RETURN_IF_ERROR(muxer.Open("mp4", encoder.context()));
  const auto write = [&muxer](AVPacket* packet) { return muxer.Write(packet); };
  const int stride = width * 3;
  for (int index = 0; index < count; ++index) {
    UNIVAL_ASSIGN_OR_RETURN(FfmpegPtr<AVFrame> frame,
                            NewPicture(width, height, AV_PIX_FMT_YUV420P));
    const uint8_t* planes[4] = {frames.data() + static_cast<size_t>(index) * stride * height};
    const int strides[4] = {stride};
    sws_scale(scaler.get(), planes, strides, 0, height, frame->data, frame->linesize);
    frame->pts = index;
    UNIVAL_RETURN_IF_ERROR(encoder.Encode(frame.get(), write));
  }
  UNIVAL_RETURN_IF_ERROR(encoder.Encode(nullptr, write));
  return muxer.Finish();
}

}  // namespace unival
