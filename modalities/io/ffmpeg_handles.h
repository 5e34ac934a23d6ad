// unival: modalities/io/ffmpeg_handles.h - FFmpeg's objects with owners, and its error codes as
// text.
#ifndef UNIVAL_MODALITIES_IO_FFMPEG_HANDLES_H_
#define UNIVAL_MODALITIES_IO_FFMPEG_HANDLES_H_

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

namespace unival {

struct FfmpegDeleter {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
  void operator()(AVFormatContext* format) const { avformat_close_input(&format); }
  void operator()(AVIOContext* io) const {
    av_freep(&io->buffer);
    avio_context_free(&io);
  }
};

template <typename T>
using FfmpegPtr = std::unique_ptr<T, FfmpegDeleter>;

inline std::string FfmpegError(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof(text));
  return text;
}

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_FFMPEG_HANDLES_H_
