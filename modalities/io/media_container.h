// unival: modalities/io/media_container.h - a media item opened with one of libavformat's
// demuxers.
#ifndef UNIVAL_MODALITIES_IO_MEDIA_CONTAINER_H_
#define UNIVAL_MODALITIES_IO_MEDIA_CONTAINER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "modalities/io/containers.h"
#include "modalities/io/ffmpeg_handles.h"
#include "modalities/io/formats.h"
#include "modalities/io/stream_decoder.h"

namespace unival {

// A container with its streams. Nothing is probed: the first bytes say which demuxer it is, and no
// packet is decoded before a stream is asked for.
class MediaContainer {
 public:
  // `expected` is the wanted kind, for messages: "an image", "audio", "a video". The reader of
  // `file` must outlive the container.
  static absl::StatusOr<std::unique_ptr<MediaContainer>> Open(const EncodedMedia& file,
                                                              const std::string& expected);

  const std::string& name() const { return file_.reader.name(); }
  const DecoderOptions& options() const { return file_.options; }
  const Container& kind() const { return *container_; }
  AVFormatContext* format() const { return format_.get(); }
  // Whether its lengths are not known: a program streamed it.
  bool is_streamed() const { return !correction_.bytes.empty(); }
  // Whether the packet read last is a whole frame with nothing behind it; of a FLAC file alone.
  bool ends_whole() const { return ends_whole_; }

  // The stream of this kind that a player takes: the first that the file marks as the default, the
  // first where none is. A single picture beside another stream is a cover and comes last; pictures
  // attached to music are none. InvalidArgument says what the media holds instead, or that samples
  // of the stream lie behind the end of the file.
  absl::StatusOr<AVStream*> FindStream(AVMediaType type) const;

  // A decoder for a stream, out of the container's row in the list. InvalidArgument names a codec
  // that is not in it.
  absl::StatusOr<std::unique_ptr<StreamDecoder>> NewDecoder(const AVStream* stream) const;

  // Next packet of `stream`; false at the end. InvalidArgument when the container is damaged.
  absl::StatusOr<bool> ReadPacket(const AVStream* stream, AVPacket* packet);

  // "name: expected an image, found <found>. <remedy>"; when the file could not be read, why.
  absl::Status Unexpected(const std::string& found, const std::string& remedy) const;

 private:
  // Opens the file with the demuxer of its container, whose reads are bounded until it is open.
  absl::Status OpenFormat(const AVInputFormat* demuxer);
  static int ReadCallback(void* opaque, uint8_t* buffer, int size);
  static int64_t SeekCallback(void* opaque, int64_t offset, int whence);
  absl::Status CheckSamples(AVStream* stream) const;

  // Puts the correction over `count` bytes that were read at position_.
  void Correct(uint8_t* buffer, int64_t count) const;

  explicit MediaContainer(const EncodedMedia& file) : file_(file) {}

  const EncodedMedia file_;
  Correction correction_;
  const Container* container_ = nullptr;
  std::string expected_;
  int64_t begin_ = 0;  // of what the demuxer sees, in the file
  int64_t end_ = 0;
  int64_t position_ = 0;  // of the demuxer, in the file
  int64_t may_read_ = 0;  // bytes, while it opens
  bool ends_whole_ = false;
  bool saw_other_ = false;  // data among the packets of an MP3 that are no frame of it
  FfmpegPtr<AVIOContext> io_;
  FfmpegPtr<AVFormatContext> format_;  // closed before its io
};

// Decodes all packets of `stream`, then flushes.
absl::Status DecodeStream(MediaContainer& input, const AVStream* stream, StreamDecoder& decoder,
                          absl::FunctionRef<absl::StatusOr<bool>(const AVFrame&)> on_frame);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_MEDIA_CONTAINER_H_
