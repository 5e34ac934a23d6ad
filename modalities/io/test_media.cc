#include "modalities/io/test_media.h"

#include <cstdio>
// libjpeg's header needs what stands above.
#include <jpeglib.h>
#include <tiffio.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "modalities/io/ffmpeg_handles.h"

namespace unival {
namespace {

// A test that cannot make its media fails with the reason.
void Need(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("test media: " + what);
}

uint32_t Crc32(absl::string_view bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

// A file in memory that libtiff reads and writes.
struct TiffMemory {
  std::string bytes;
  size_t at = 0;

  static tmsize_t Read(thandle_t handle, void* out, tmsize_t count) {
    auto* file = static_cast<TiffMemory*>(handle);
    const size_t left = file->bytes.size() - std::min(file->at, file->bytes.size());
    const size_t some = std::min(left, static_cast<size_t>(count));
    std::memcpy(out, file->bytes.data() + file->at, some);
    file->at += some;
    return static_cast<tmsize_t>(some);
  }
  static tmsize_t Write(thandle_t handle, void* in, tmsize_t count) {
    auto* file = static_cast<TiffMemory*>(handle);
    if (file->bytes.size() < file->at + count) file->bytes.resize(file->at + count);
    std::memcpy(&file->bytes[file->at], in, count);
    file->at += count;
    return count;
  }
  static toff_t Seek(thandle_t handle, toff_t offset, int whence) {
    auto* file = static_cast<TiffMemory*>(handle);
    if (whence == SEEK_CUR) offset += file->at;
    if (whence == SEEK_END) offset += file->bytes.size();
    file->at = offset;
    return offset;
  }
  static int Close(thandle_t) { return 0; }
  static toff_t Size(thandle_t handle) { return static_cast<TiffMemory*>(handle)->bytes.size(); }
};

std::vector<uint8_t> Tile(const std::vector<uint8_t>& rgb, int height, int width, int top, int left,
                          int side, int plane) {
  const int depth = plane < 0 ? 3 : 1;
  std::vector<uint8_t> tile(side * side * depth);
  for (int row = 0; row < side && top + row < height; ++row) {
    for (int column = 0; column < side && left + column < width; ++column) {
      const uint8_t* in = &rgb[((top + row) * width + left + column) * 3];
      uint8_t* out = &tile[(row * side + column) * depth];
      if (plane < 0) std::memcpy(out, in, 3);
      if (plane >= 0) *out = in[plane];
    }
  }
  return tile;
}

void WriteTiffPage(TIFF* tiff, const std::vector<uint8_t>& rgb, int height, int width,
                   const TiffSetting& setting) {
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 3);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, setting.compression);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
               setting.compression == COMPRESSION_JPEG ? PHOTOMETRIC_YCBCR : PHOTOMETRIC_RGB);
  if (setting.compression == COMPRESSION_JPEG) {
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  }
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, setting.orientation);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG,
               setting.separate_planes ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  if (setting.has_odd_tags) {
    TIFFSetField(tiff, TIFFTAG_SOFTWARE, "a test");
    TIFFSetField(tiff, TIFFTAG_DATETIME, "2001:01:01 00:00:00");
    TIFFSetField(tiff, TIFFTAG_XMLPACKET, 5, "<x/>\n");
  }
  if (setting.tile > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, setting.tile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, setting.tile);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 16);  // as JPEG in it needs
  }
  const int planes = setting.separate_planes ? 3 : 1;
  for (int plane = 0; plane < planes; ++plane) {
    const int which = planes == 1 ? -1 : plane;
    if (setting.tile > 0) {
      for (int top = 0; top < height; top += setting.tile) {
        for (int left = 0; left < width; left += setting.tile) {
          std::vector<uint8_t> tile = Tile(rgb, height, width, top, left, setting.tile, which);
          TIFFWriteTile(tiff, tile.data(), left, top, 0, static_cast<uint16_t>(plane));
        }
      }
      continue;
    }
    for (int row = 0; row < height; ++row) {
      std::vector<uint8_t> line(rgb.begin() + row * width * 3, rgb.begin() + (row + 1) * width * 3);
      if (which >= 0) {
        for (int i = 0; i < width; ++i) line[i] = line[3 * i + which];
      }
      TIFFWriteScanline(tiff, line.data(), row, static_cast<uint16_t>(plane));
    }
  }
  TIFFWriteDirectory(tiff);
}

// A muxer that writes into memory.
class Output {
 public:
  Output(const char* container, bool can_seek, AVDictionary** options) : options_(options) {
    Need(avformat_alloc_output_context2(&format_, nullptr, container, nullptr) >= 0, container);
    constexpr int kBuffer = 4096;
    format_->pb = avio_alloc_context(static_cast<uint8_t*>(av_malloc(kBuffer)), kBuffer, 1, this,
                                     nullptr, &Output::Write, can_seek ? &Output::Seek : nullptr);
    format_->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    format_->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
  }
  ~Output() {
    av_freep(&format_->pb->buffer);
    avio_context_free(&format_->pb);
    avformat_free_context(format_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  AVFormatContext* format() { return format_; }

  AVStream* Add(const AVCodecContext& encoder) {
    AVStream* stream = avformat_new_stream(format_, nullptr);
    avcodec_parameters_from_context(stream->codecpar, &encoder);
    stream->time_base = encoder.time_base;
    return stream;
  }
  void Begin() { Need(avformat_write_header(format_, options_) >= 0, "header"); }

  std::string End() {
    Need(av_write_trailer(format_) >= 0, "trailer");
    avio_flush(format_->pb);
    return bytes_;
  }

 private:
  static int Write(void* opaque, uint8_t* data, int size) {
    auto* output = static_cast<Output*>(opaque);
    if (output->bytes_.size() < output->at_ + size) output->bytes_.resize(output->at_ + size);
    std::memcpy(&output->bytes_[output->at_], data, size);
    output->at_ += size;
    return size;
  }
  static int64_t Seek(void* opaque, int64_t offset, int whence) {
    auto* output = static_cast<Output*>(opaque);
    if (whence == AVSEEK_SIZE) return static_cast<int64_t>(output->bytes_.size());
    if (whence == SEEK_CUR) offset += static_cast<int64_t>(output->at_);
    if (whence == SEEK_END) offset += static_cast<int64_t>(output->bytes_.size());
    output->at_ = offset;
    return offset;
  }

  AVFormatContext* format_ = nullptr;
  AVDictionary** options_;
  std::string bytes_;
  size_t at_ = 0;
};

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

}  // namespace

std::string Little(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

std::string BigEndian(uint64_t value, int bytes) {
  std::string text = Little(value, bytes);
  std::reverse(text.begin(), text.end());
  return text;
}

std::vector<uint8_t> TestPicture(int height, int width) {
  std::vector<uint8_t> rgb;
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      rgb.push_back(static_cast<uint8_t>(250 - row * 200 / height));
      rgb.push_back(static_cast<uint8_t>(20 + column * 220 / width));
      rgb.push_back(static_cast<uint8_t>((row / 3 + column / 4) % 2 == 0 ? 60 : 150));
    }
  }
  return rgb;
}

std::string ExifWith(int orientation) {
  return std::string("Exif\0\0MM\0*", 10) + BigEndian(8, 4) + BigEndian(1, 2) + BigEndian(274, 2) +
         BigEndian(3, 2) + BigEndian(1, 4) + BigEndian(orientation, 2) + BigEndian(0, 2) +
         BigEndian(0, 4);
}

std::string PngChunk(const std::string& type, const std::string& data) {
  return BigEndian(data.size(), 4) + type + data + BigEndian(Crc32(type + data), 4);
}

std::string WithPngChunk(const std::string& png, const std::string& chunk) {
  constexpr size_t kHead = 8 + 25;  // signature, IHDR
  return png.substr(0, kHead) + chunk + png.substr(kHead);
}

std::string MakeJpeg(const std::vector<uint8_t>& rgb, int height, int width,
                     const JpegSetting& setting) {
  jpeg_compress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  uint8_t* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  const bool inks = setting.kind == JpegKind::kCmyk || setting.kind == JpegKind::kYcck;
  const bool grey = setting.kind == JpegKind::kGrey;
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = inks ? 4 : grey ? 1 : 3;
  jpeg.in_color_space = inks ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  if (setting.kind == JpegKind::kYcck) jpeg_set_colorspace(&jpeg, JCS_YCCK);
  jpeg_set_quality(&jpeg, 95, TRUE);
  if (!setting.subsampled || setting.kind == JpegKind::kCmyk) {
    for (int i = 0; i < jpeg.num_components; ++i) {
      jpeg.comp_info[i].h_samp_factor = jpeg.comp_info[i].v_samp_factor = 1;
    }
  } else if (setting.kind == JpegKind::kYcck) {
    for (const int i : {0, 3})
      jpeg.comp_info[i].h_samp_factor = jpeg.comp_info[i].v_samp_factor = 2;
  }
  if (setting.progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  if (!setting.exif.empty()) {
    jpeg_write_marker(&jpeg, JPEG_APP0 + 1, reinterpret_cast<const uint8_t*>(setting.exif.data()),
                      setting.exif.size());
  }
  std::vector<uint8_t> row(width * 4);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const uint8_t* in = &rgb[(y * width + x) * 3];
      uint8_t* out = &row[x * jpeg.input_components];
      std::memcpy(out, in, std::min(3, jpeg.input_components));
      if (inks) out[3] = 255;  // as Adobe stores it: no black
    }
    JSAMPROW rows[] = {row.data()};
    jpeg_write_scanlines(&jpeg, rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string text(reinterpret_cast<char*>(bytes), size);
  jpeg_destroy_compress(&jpeg);
  free(bytes);
  return text;
}

std::string MakeWebp(const std::vector<uint8_t>& rgb, int height, int width, float quality,
                     const std::string& exif) {
  uint8_t* bytes = nullptr;
  const size_t size = quality < 0
                          ? WebPEncodeLosslessRGB(rgb.data(), width, height, width * 3, &bytes)
                          : WebPEncodeRGB(rgb.data(), width, height, width * 3, quality, &bytes);
  std::string text(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  if (exif.empty()) return text;
  WebPMux* mux = WebPMuxNew();
  const WebPData picture = {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  const WebPData data = {reinterpret_cast<const uint8_t*>(exif.data()), exif.size()};
  WebPMuxSetImage(mux, &picture, 1);
  WebPMuxSetChunk(mux, "EXIF", &data, 1);
  WebPData whole = {};
  WebPMuxAssemble(mux, &whole);
  text.assign(reinterpret_cast<const char*>(whole.bytes), whole.size);
  WebPDataClear(&whole);
  WebPMuxDelete(mux);
  return text;
}

std::string MakeAnimatedWebp(const std::vector<uint8_t>& rgb, int height, int width) {
  WebPAnimEncoder* encoder = WebPAnimEncoderNew(width, height, nullptr);
  WebPConfig config;
  WebPConfigInit(&config);
  config.lossless = 1;
  for (int frame = 0; frame < 2; ++frame) {
    std::vector<uint8_t> pixels = rgb;
    if (frame == 1) std::reverse(pixels.begin(), pixels.end());
    WebPPicture picture;
    WebPPictureInit(&picture);
    picture.use_argb = 1;
    picture.width = width;
    picture.height = height;
    WebPPictureImportRGB(&picture, pixels.data(), width * 3);
    WebPAnimEncoderAdd(encoder, &picture, frame * 100, &config);
    WebPPictureFree(&picture);
  }
  WebPAnimEncoderAdd(encoder, nullptr, 200, nullptr);
  WebPData whole = {};
  WebPAnimEncoderAssemble(encoder, &whole);
  std::string text(reinterpret_cast<const char*>(whole.bytes), whole.size);
  WebPDataClear(&whole);
  WebPAnimEncoderDelete(encoder);
  return text;
}

std::string MakeTiff(const std::vector<uint8_t>& rgb, int height, int width,
                     const TiffSetting& setting) {
  TiffMemory file;
  TIFF* tiff =
      TIFFClientOpen("test", "w", &file, &TiffMemory::Read, &TiffMemory::Write, &TiffMemory::Seek,
                     &TiffMemory::Close, &TiffMemory::Size, nullptr, nullptr);
  Need(tiff != nullptr, "TIFF");
  for (int page = 0; page < setting.pages; ++page) {
    std::vector<uint8_t> pixels = rgb;
    if (page > 0) std::reverse(pixels.begin(), pixels.end());
    WriteTiffPage(tiff, pixels, height, width, setting);
  }
  TIFFClose(tiff);
  return file.bytes;
}

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
  const bool is_raw = absl::string_view(setting.codec) == "rawvideo";
  const bool is_gif = absl::string_view(setting.codec) == "gif";
  const auto encoder = NewEncoder(setting.codec, [&](AVCodecContext* context) {
    context->width = setting.width;
    context->height = setting.height;
    context->pix_fmt = is_gif ? AV_PIX_FMT_RGB8 : AV_PIX_FMT_YUV420P;
    if (setting.colour_space >= 0) {
      context->colorspace = static_cast<AVColorSpace>(setting.colour_space);
      context->color_range = AVCOL_RANGE_MPEG;
    }
    if (is_raw) context->codec_tag = MKTAG('I', '4', '2', '0');
    context->time_base = {1, setting.frames_per_second};
    context->framerate = {setting.frames_per_second, 1};
    context->gop_size = 6;
    context->max_b_frames = setting.with_b_frames ? 2 : 0;
    context->bit_rate = 2000000;
    context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  });
  Output output(setting.container, !setting.streamed, &options);
  AVStream* stream = output.Add(*encoder);
  if (setting.times.empty()) {
    stream->avg_frame_rate = stream->r_frame_rate = encoder->framerate;
  }
  if (!setting.matrix.empty()) {
    uint8_t* data = av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, 9 * 4);
    std::memcpy(data, setting.matrix.data(), 9 * 4);
  }
  output.Begin();
  FfmpegPtr<AVPacket> packet(av_packet_alloc());
  int written = 0;
  const auto drain = [&] {
    while (avcodec_receive_packet(encoder.get(), packet.get()) >= 0) {
      Need(av_packet_make_writable(packet.get()) >= 0, "packet");
      const bool keep =
          setting.edit == nullptr || setting.edit(written, packet->data, packet->size);
      ++written;
      if (packet->duration == 0) packet->duration = 1;
      av_packet_rescale_ts(packet.get(), encoder->time_base, stream->time_base);
      packet->stream_index = stream->index;
      if (keep) Need(av_interleaved_write_frame(output.format(), packet.get()) >= 0, "frame");
      av_packet_unref(packet.get());
    }
  };
  for (int i = 0; i < setting.frames; ++i) {
    const std::vector<uint8_t> rgb =
        setting.picture != nullptr
            ? setting.picture(i)
            : std::vector<uint8_t>(3 * setting.width * setting.height, static_cast<uint8_t>(8 * i));
    FfmpegPtr<AVFrame> frame = ToFrame(*encoder, rgb);
    frame->pts = setting.times.empty() ? i : setting.times[i];
    Need(avcodec_send_frame(encoder.get(), frame.get()) >= 0, "encoding");
    drain();
  }
  avcodec_send_frame(encoder.get(), nullptr);
  drain();
  std::string bytes = output.End();
  av_dict_free(&options);
  return bytes;
}

std::string MakeSound(const char* container, const char* codec, const std::vector<float>& samples,
                      int sample_rate_hz) {
  const auto encoder = NewEncoder(codec, [&](AVCodecContext* context) {
    context->sample_rate = sample_rate_hz;
    context->sample_fmt = context->codec->sample_fmts[0];
    context->time_base = {1, sample_rate_hz};
    context->bit_rate = 64000;
    context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_channel_layout_default(&context->ch_layout, 1);
  });
  AVDictionary* options = nullptr;
  Output output(container, true, &options);
  AVStream* stream = output.Add(*encoder);
  output.Begin();
  FfmpegPtr<AVPacket> packet(av_packet_alloc());
  const auto drain = [&] {
    while (avcodec_receive_packet(encoder.get(), packet.get()) >= 0) {
      av_packet_rescale_ts(packet.get(), encoder->time_base, stream->time_base);
      packet->stream_index = stream->index;
      Need(av_interleaved_write_frame(output.format(), packet.get()) >= 0, "packet");
      av_packet_unref(packet.get());
    }
  };
  const size_t block = encoder->frame_size > 0 ? encoder->frame_size : 1024;
  for (size_t begin = 0; begin < samples.size(); begin += block) {
    const size_t count = std::min(block, samples.size() - begin);
    FfmpegPtr<AVFrame> frame(av_frame_alloc());
    frame->nb_samples = static_cast<int>(count);
    frame->format = encoder->sample_fmt;
    frame->sample_rate = sample_rate_hz;
    frame->pts = static_cast<int64_t>(begin);
    av_channel_layout_default(&frame->ch_layout, 1);
    Need(av_frame_get_buffer(frame.get(), 0) >= 0, "samples");
    for (size_t i = 0; i < count; ++i) {
      const float value = samples[begin + i];
      if (av_get_packed_sample_fmt(encoder->sample_fmt) == AV_SAMPLE_FMT_S16) {
        reinterpret_cast<int16_t*>(frame->data[0])[i] = static_cast<int16_t>(value * 32767);
      } else {
        reinterpret_cast<float*>(frame->data[0])[i] = value;
      }
    }
    Need(avcodec_send_frame(encoder.get(), frame.get()) >= 0, "encoding");
    drain();
  }
  avcodec_send_frame(encoder.get(), nullptr);
  drain();
  return output.End();
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
