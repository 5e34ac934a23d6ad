// unival: modalities/io/test_output.h - where tests write the media that they make.
#ifndef UNIVAL_MODALITIES_IO_TEST_OUTPUT_H_
#define UNIVAL_MODALITIES_IO_TEST_OUTPUT_H_

#include <cstring>
#include <string>

#include "modalities/io/ffmpeg_handles.h"
#include "modalities/io/test_need.h"

namespace unival {

// A muxer that writes into memory.
class TestOutput {
 public:
  TestOutput(const char* container, bool can_seek, AVDictionary** options) : options_(options) {
    Need(avformat_alloc_output_context2(&format_, nullptr, container, nullptr) >= 0, container);
    constexpr int kBuffer = 4096;
    format_->pb =
        avio_alloc_context(static_cast<uint8_t*>(av_malloc(kBuffer)), kBuffer, 1, this, nullptr,
                           &TestOutput::Write, can_seek ? &TestOutput::Seek : nullptr);
    format_->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    format_->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
  }
  ~TestOutput() {
    av_freep(&format_->pb->buffer);
    avio_context_free(&format_->pb);
    avformat_free_context(format_);
  }
  TestOutput(const TestOutput&) = delete;
  TestOutput& operator=(const TestOutput&) = delete;

  AVFormatContext* format() { return format_; }

  AVStream* Add(const AVCodecContext& encoder) {
    AVStream* stream = avformat_new_stream(format_, nullptr);
    avcodec_parameters_from_context(stream->codecpar, &encoder);
    stream->time_base = encoder.time_base;
    return stream;
  }
  AVStream* Copy(const AVStream& stream) {
    AVStream* copy = avformat_new_stream(format_, nullptr);
    avcodec_parameters_copy(copy->codecpar, stream.codecpar);
    copy->codecpar->codec_tag = 0;
    copy->time_base = stream.time_base;
    return copy;
  }
  void Begin() { Need(avformat_write_header(format_, options_) >= 0, "header"); }

  std::string End() {
    Need(av_write_trailer(format_) >= 0, "trailer");
    avio_flush(format_->pb);
    return bytes_;
  }

 private:
  static int Write(void* opaque, uint8_t* data, int size) {
    auto* output = static_cast<TestOutput*>(opaque);
    if (output->bytes_.size() < output->at_ + size) output->bytes_.resize(output->at_ + size);
    std::memcpy(&output->bytes_[output->at_], data, size);
    output->at_ += size;
    return size;
  }
  static int64_t Seek(void* opaque, int64_t offset, int whence) {
    auto* output = static_cast<TestOutput*>(opaque);
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

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_TEST_OUTPUT_H_
