// unival: modalities/io/stream_decoder.h - one of libavcodec's decoders within limits.
#ifndef UNIVAL_MODALITIES_IO_STREAM_DECODER_H_
#define UNIVAL_MODALITIES_IO_STREAM_DECODER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "modalities/io/decoder.h"
#include "modalities/io/ffmpeg_handles.h"

namespace unival {

// What messages say to do about damaged files.
constexpr char kDamagedRemedy[] =
    "The file is truncated or damaged: write it again or leave it out.";

// Bytes of a picture's planes.
int64_t FrameBytes(const AVFrame& frame);

// A single-threaded decoder that refuses pictures of more than `options.max_pixels`, and to hold
// more pictures at a time than DecodingMemory(options) allows.
class StreamDecoder {
 public:
  // `codec` may be null: this libavcodec has not got it. `parameters` may be null: the codec then
  // reads them from the data, and whatever is odd in these is an error.
  static absl::StatusOr<std::unique_ptr<StreamDecoder>> Create(const std::string& name,
                                                               const std::string& expected,
                                                               const DecoderOptions& options,
                                                               const AVCodec* codec,
                                                               const AVCodecParameters* parameters);

  AVCodecContext* context() const { return context_.get(); }

  // Bytes that are held besides pictures, and count as they do.
  void Hold(int64_t bytes) { *live_ += bytes; }

  // Gives the frames that this packet completes to `on_frame` until that returns false; a null
  // packet flushes. Returns false once `on_frame` did. InvalidArgument for damaged data.
  absl::StatusOr<bool> Decode(const AVPacket* packet,
                              absl::FunctionRef<absl::StatusOr<bool>(const AVFrame&)> on_frame);

 private:
  // What the codec is told before it is opened.
  absl::Status Configure(const AVCodec& codec, const AVCodecParameters* parameters);
  static int AllocateFrame(AVCodecContext* context, AVFrame* frame, int flags);
  absl::Status Failure(int code) const;
  absl::Status CheckFrame() const;

  std::string name_;
  std::string expected_;
  std::string codec_name_;
  DecoderOptions options_;
  int64_t most_bytes_ = 0;
  std::shared_ptr<std::atomic<int64_t>> live_;  // shared with every picture that is held
  int refused_width_ = 0;
  int refused_height_ = 0;
  int64_t refused_bytes_ = 0;
  FfmpegPtr<AVCodecContext> context_;
  FfmpegPtr<AVFrame> frame_;
};

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_STREAM_DECODER_H_
