// unival: modalities/io/media_container.h - a media source opened for decoding.
#ifndef UNIVAL_MODALITIES_IO_MEDIA_CONTAINER_H_
#define UNIVAL_MODALITIES_IO_MEDIA_CONTAINER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "modalities/io/byte_reader.h"
#include "modalities/io/decoder.h"
#include "modalities/io/ffmpeg_handles.h"

namespace unival {

// A container with its streams.
class MediaContainer {
 public:
  // `expected` is the wanted kind, for messages: "an image", "audio", "a video".
  static absl::StatusOr<std::unique_ptr<MediaContainer>> Open(const MediaSource& source,
                                                              const DecoderOptions& options,
                                                              const std::string& expected);

  const std::string& name() const { return reader_->name(); }
  AVFormatContext* format() const { return format_.get(); }
  std::string format_name() const { return format_->iformat->name; }
  bool is_still_image() const;

  // The stream of this kind, pictures attached to music apart. InvalidArgument says what the media
  // holds instead.
  absl::StatusOr<AVStream*> FindStream(AVMediaType type) const;

  // Next packet of `stream`; false at the end. InvalidArgument when the container is damaged.
  absl::StatusOr<bool> ReadPacket(const AVStream* stream, AVPacket* packet);

  // "name: expected an image, found <found>. <remedy>"
  absl::Status Unexpected(const std::string& found, const std::string& remedy) const;

 private:
  static int ReadCallback(void* opaque, uint8_t* buffer, int size);
  static int64_t SeekCallback(void* opaque, int64_t offset, int whence);

  std::unique_ptr<ByteReader> reader_;
  FfmpegPtr<AVIOContext> io_;
  FfmpegPtr<AVFormatContext> format_;  // closed before its io
  std::string expected_;
};

// A single-threaded decoder that refuses pictures of more than `options.max_pixels`.
class StreamDecoder {
 public:
  // `parameters` may be null: the codec then reads them from the data.
  static absl::StatusOr<std::unique_ptr<StreamDecoder>> Create(const std::string& name,
                                                               const std::string& expected,
                                                               const DecoderOptions& options,
                                                               AVCodecID codec,
                                                               const AVCodecParameters* parameters);

  AVCodecContext* context() const { return context_.get(); }

  // Gives the frames that this packet completes to `on_frame` until that returns false; a null
  // packet flushes. Returns false once `on_frame` did. InvalidArgument for damaged data.
  absl::StatusOr<bool> Decode(const AVPacket* packet,
                              absl::FunctionRef<absl::StatusOr<bool>(const AVFrame&)> on_frame);

 private:
  static int AllocateFrame(AVCodecContext* context, AVFrame* frame, int flags);
  absl::Status Failure(int code) const;

  std::string name_;
  std::string expected_;
  std::string codec_name_;
  int64_t max_pixels_ = 0;
  int refused_width_ = 0;
  int refused_height_ = 0;
  FfmpegPtr<AVCodecContext> context_;
  FfmpegPtr<AVFrame> frame_;
};

// Decodes all packets of `stream`, then flushes.
absl::Status DecodeStream(MediaContainer& input, const AVStream* stream, StreamDecoder& decoder,
                          absl::FunctionRef<absl::StatusOr<bool>(const AVFrame&)> on_frame);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_MEDIA_CONTAINER_H_
