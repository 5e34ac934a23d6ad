#include "modalities/io/test_media.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "modalities/io/ffmpeg_handles.h"
#include "modalities/io/test_need.h"
#include "modalities/io/test_output.h"

namespace unival {
namespace {

FfmpegPtr<AVCodecContext> NewEncoder(const char* codec,
                                     const std::function<void(AVCodecContext*)>& set) {
  const AVCodec* found = avcodec_find_encoder_by_name(codec);
  Need(found != nullptr, codec);
  FfmpegPtr<AVCodecContext> encoder(avcodec_alloc_context3(found));
  encoder->thread_count = 1;
  encoder->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
  set(encoder.get());
  Need(avcodec_open2(encoder.get(), found, nullptr) >= 0, std::string("opening ") + codec);
  return encoder;
}

FfmpegPtr<AVFrame> ToFrame(const AVCodecContext& encoder, const std::vector<uint8_t>& rgb) {
  FfmpegPtr<AVFrame> frame(av_frame_alloc());
  frame->width = encoder.width;
  frame->height = encoder.height;
  frame->format = encoder.pix_fmt;
  Need(av_frame_get_buffer(frame.get(), 0) >= 0, "frame");
  FfmpegPtr<SwsContext> scaler(sws_getContext(
      encoder.width, encoder.height, AV_PIX_FMT_RGB24, encoder.width, encoder.height,
      encoder.pix_fmt, SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr, nullptr));
  const int space = encoder.colorspace == AVCOL_SPC_BT2020_NCL  ? SWS_CS_BT2020
                    : encoder.colorspace == AVCOL_SPC_SMPTE240M ? SWS_CS_SMPTE240M
                    : encoder.colorspace == AVCOL_SPC_BT709     ? SWS_CS_ITU709
                                                                : SWS_CS_ITU601;
  sws_setColorspaceDetails(scaler.get(), sws_getCoefficients(SWS_CS_DEFAULT), 1,
                           sws_getCoefficients(space), 0, 0, 1 << 16, 1 << 16);
  constexpr size_t kReadBeyond = 64;  // by the scaler, in whole vectors
  std::vector<uint8_t> padded = rgb;
  padded.resize(rgb.size() + kReadBeyond);
  const uint8_t* planes[4] = {padded.data()};
  const int strides[4] = {3 * encoder.width};
  sws_scale(scaler.get(), planes, strides, 0, encoder.height, frame->data, frame->linesize);
  return frame;
}

// Frames through an encoder into a file.
class Encoding {
 public:
  // `edit` sees each packet before it is written; false leaves it out.
  Encoding(AVCodecContext& encoder, TestOutput& output, AVStream* stream,
           std::function<bool(AVPacket*)> edit = nullptr)
      : encoder_(encoder),
        output_(output),
        stream_(stream),
        edit_(std::move(edit)),
        packet_(av_packet_alloc()) {}

  void Put(const AVFrame& frame) {
    Need(avcodec_send_frame(&encoder_, &frame) >= 0, "encoding");
    Drain();
  }

  std::string End() {
    avcodec_send_frame(&encoder_, nullptr);
    Drain();
    return output_.End();
  }

 private:
  void Drain() {
    while (avcodec_receive_packet(&encoder_, packet_.get()) >= 0) {
      const bool keep = edit_ == nullptr || edit_(packet_.get());
      av_packet_rescale_ts(packet_.get(), encoder_.time_base, stream_->time_base);
      packet_->stream_index = stream_->index;
      if (keep) Need(av_interleaved_write_frame(output_.format(), packet_.get()) >= 0, "packet");
      av_packet_unref(packet_.get());
    }
  }

  AVCodecContext& encoder_;
  TestOutput& output_;
  AVStream* const stream_;
  const std::function<bool(AVPacket*)> edit_;
  const FfmpegPtr<AVPacket> packet_;
};

void SetVideo(const VideoSetting& setting, AVCodecContext* context) {
  const absl::string_view codec = setting.codec;
  context->width = setting.width;
  context->height = setting.height;
  context->pix_fmt = codec == "gif" ? AV_PIX_FMT_RGB8 : AV_PIX_FMT_YUV420P;
  if (setting.colour_space >= 0) {
    context->colorspace = static_cast<AVColorSpace>(setting.colour_space);
    context->color_range = AVCOL_RANGE_MPEG;
  }
  if (codec == "rawvideo") context->codec_tag = MKTAG('I', '4', '2', '0');
  context->time_base = {1, setting.frames_per_second};
  context->framerate = {setting.frames_per_second, 1};
  context->gop_size = 6;
  context->max_b_frames = setting.with_b_frames ? 2 : 0;
  context->bit_rate = 2000000;
  context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
}

// Its packet, not yet written.
FfmpegPtr<AVPacket> AddCover(const VideoSetting& setting, TestOutput& output) {
  AVStream* stream = avformat_new_stream(output.format(), nullptr);
  stream->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
  stream->codecpar->codec_id = AV_CODEC_ID_MJPEG;
  stream->codecpar->width = setting.width;
  stream->codecpar->height = setting.height;
  stream->time_base = {1, setting.frames_per_second};
  FfmpegPtr<AVPacket> packet(av_packet_alloc());
  Need(av_new_packet(packet.get(), static_cast<int>(setting.cover.size())) >= 0, "cover");
  std::memcpy(packet->data, setting.cover.data(), setting.cover.size());
  packet->pts = packet->dts = 0;
  packet->duration = 1;
  packet->flags |= AV_PKT_FLAG_KEY;
  return packet;
}

AVStream* AddVideo(const VideoSetting& setting, const AVCodecContext& encoder, TestOutput& output) {
  const FfmpegPtr<AVPacket> cover = setting.cover.empty() ? nullptr : AddCover(setting, output);
  AVStream* stream = output.Add(encoder);
  if (cover != nullptr) stream->disposition |= AV_DISPOSITION_DEFAULT;
  if (setting.times.empty()) stream->avg_frame_rate = stream->r_frame_rate = encoder.framerate;
  if (!setting.matrix.empty()) {
    uint8_t* data = av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, 9 * 4);
    std::memcpy(data, setting.matrix.data(), 9 * 4);
  }
  output.Begin();
  if (cover != nullptr) {
    Need(av_interleaved_write_frame(output.format(), cover.get()) >= 0, "writing the cover");
  }
  return stream;
}

std::vector<uint8_t> PictureOf(const VideoSetting& setting, int frame) {
  if (setting.picture != nullptr) return setting.picture(frame);
  return std::vector<uint8_t>(3 * setting.width * setting.height, static_cast<uint8_t>(8 * frame));
}

// `count` samples from `begin` on, in the encoder's own format.
FfmpegPtr<AVFrame> SoundFrame(const AVCodecContext& encoder, const std::vector<float>& samples,
                              size_t begin, size_t count) {
  FfmpegPtr<AVFrame> frame(av_frame_alloc());
  frame->nb_samples = static_cast<int>(count);
  frame->format = encoder.sample_fmt;
  frame->sample_rate = encoder.sample_rate;
  frame->pts = static_cast<int64_t>(begin);
  av_channel_layout_default(&frame->ch_layout, 1);
  Need(av_frame_get_buffer(frame.get(), 0) >= 0, "samples");
  for (size_t i = 0; i < count; ++i) {
    const float value = samples[begin + i];
    if (av_get_packed_sample_fmt(encoder.sample_fmt) == AV_SAMPLE_FMT_S16) {
      reinterpret_cast<int16_t*>(frame->data[0])[i] = static_cast<int16_t>(value * 32767);
    } else {
      reinterpret_cast<float*>(frame->data[0])[i] = value;
    }
  }
  return frame;
}

}  // namespace

std::string MakeGif(int frames, int side) {
  VideoSetting setting;
  setting.container = "gif";
  setting.codec = "gif";
  setting.frames = frames;
  setting.width = setting.height = side;
  return MakeVideo(setting);
}

std::string MakeVideo(const VideoSetting& setting) {
  // Decoders of this process have bounded every block; an encoder may need more.
  av_max_alloc(INT32_MAX);
  av_log_set_level(AV_LOG_QUIET);
  AVDictionary* options = nullptr;
  if (setting.fragmented) av_dict_set(&options, "movflags", "empty_moov+frag_keyframe", 0);
  const auto encoder = NewEncoder(
      setting.codec, [&setting](AVCodecContext* context) { SetVideo(setting, context); });
  TestOutput output(setting.container, !setting.streamed, &options);
  int written = 0;
  Encoding encoding(*encoder, output, AddVideo(setting, *encoder, output), [&](AVPacket* packet) {
    Need(av_packet_make_writable(packet) >= 0, "packet");
    const bool keep = setting.edit == nullptr || setting.edit(written, packet->data, packet->size);
    ++written;
    if (packet->duration == 0) packet->duration = 1;
    return keep;
  });
  for (int i = 0; i < setting.frames; ++i) {
    FfmpegPtr<AVFrame> frame = ToFrame(*encoder, PictureOf(setting, i));
    frame->pts = setting.times.empty() ? i : setting.times[i];
    encoding.Put(*frame);
  }
  std::string bytes = encoding.End();
  av_dict_free(&options);
  return bytes;
}

std::string MakeSound(const char* container, const char* codec, const std::vector<float>& samples,
                      int sample_rate_hz, bool streamed) {
  const auto encoder = NewEncoder(codec, [&](AVCodecContext* context) {
    context->sample_rate = sample_rate_hz;
    context->sample_fmt = context->codec->sample_fmts[0];
    context->time_base = {1, sample_rate_hz};
    context->bit_rate = 64000;
    context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_channel_layout_default(&context->ch_layout, 1);
  });
  AVDictionary* options = nullptr;
  TestOutput output(container, !streamed, &options);
  AVStream* stream = output.Add(*encoder);
  output.Begin();
  Encoding encoding(*encoder, output, stream);
  const size_t block = encoder->frame_size > 0 ? encoder->frame_size : 1024;
  for (size_t begin = 0; begin < samples.size(); begin += block) {
    const size_t count = std::min(block, samples.size() - begin);
    encoding.Put(*SoundFrame(*encoder, samples, begin, count));
  }
  return encoding.End();
}

std::vector<float> TestTone(int count, int sample_rate_hz) {
  constexpr double kHz = 440;
  std::vector<float> samples(count);
  for (int i = 0; i < count; ++i) {
    samples[i] = static_cast<float>(0.5 * std::sin(2 * M_PI * kHz * i / sample_rate_hz));
  }
  return samples;
}

}  // namespace unival
