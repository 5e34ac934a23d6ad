#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "modalities/io/ffmpeg_handles.h"
#include "modalities/io/test_media.h"
#include "modalities/io/test_need.h"
#include "modalities/io/test_output.h"

namespace unival {
namespace {

// A file in memory, opened and probed.
class Input {
 public:
  explicit Input(const std::string& bytes) : bytes_(bytes) {
    constexpr int kBuffer = 4096;
    io_.reset(avio_alloc_context(static_cast<uint8_t*>(av_malloc(kBuffer)), kBuffer, 0, this,
                                 &Input::Read, nullptr, &Input::Seek));
    AVFormatContext* format = avformat_alloc_context();
    format->pb = io_.get();
    format->flags |= AVFMT_FLAG_CUSTOM_IO;
    Need(avformat_open_input(&format, "", nullptr, nullptr) >= 0, "opening");
    format_.reset(format);
    Need(avformat_find_stream_info(format, nullptr) >= 0, "probing");
  }

  AVFormatContext* format() const { return format_.get(); }

  std::vector<FfmpegPtr<AVPacket>> Packets() const {
    std::vector<FfmpegPtr<AVPacket>> packets;
    while (true) {
      FfmpegPtr<AVPacket> packet(av_packet_alloc());
      if (av_read_frame(format(), packet.get()) < 0) return packets;
      packets.push_back(std::move(packet));
    }
  }

 private:
  static int Read(void* opaque, uint8_t* data, int size) {
    auto* input = static_cast<Input*>(opaque);
    const size_t count = std::min<size_t>(size, input->bytes_.size() - input->at_);
    std::memcpy(data, input->bytes_.data() + input->at_, count);
    input->at_ += count;
    return count == 0 ? AVERROR_EOF : static_cast<int>(count);
  }
  static int64_t Seek(void* opaque, int64_t offset, int whence) {
    auto* input = static_cast<Input*>(opaque);
    const auto size = static_cast<int64_t>(input->bytes_.size());
    if (whence == AVSEEK_SIZE) return size;
    if (whence == SEEK_CUR) offset += static_cast<int64_t>(input->at_);
    if (whence == SEEK_END) offset += size;
    input->at_ = static_cast<size_t>(std::clamp<int64_t>(offset, 0, size));
    return offset;
  }

  const std::string& bytes_;
  size_t at_ = 0;
  FfmpegPtr<AVIOContext> io_;
  FfmpegPtr<AVFormatContext> format_;
};

double SecondsOf(const AVPacket& packet, const AVStream& stream) {
  const int64_t time = packet.pts == AV_NOPTS_VALUE ? packet.dts : packet.pts;
  const int64_t start = stream.start_time == AV_NOPTS_VALUE ? 0 : stream.start_time;
  return static_cast<double>(time - start) * av_q2d(stream.time_base);
}

}  // namespace

std::string Trim(const std::string& bytes, const char* container, double begin, double end) {
  av_max_alloc(INT32_MAX);
  av_log_set_level(AV_LOG_QUIET);
  const Input input(bytes);
  AVDictionary* options = nullptr;
  TestOutput output(container, true, &options);
  output.format()->avoid_negative_ts = AVFMT_AVOID_NEG_TS_AUTO;
  for (unsigned i = 0; i < input.format()->nb_streams; ++i)
    output.Copy(*input.format()->streams[i]);
  output.Begin();
  const auto packets = input.Packets();
  std::map<int, size_t> first;  // by stream
  for (size_t i = 0; i < packets.size(); ++i) {
    const AVPacket& packet = *packets[i];
    const AVStream& stream = *input.format()->streams[packet.stream_index];
    const bool is_key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
    if (is_key && SecondsOf(packet, stream) <= begin) first[packet.stream_index] = i;
  }
  for (size_t i = 0; i < packets.size(); ++i) {
    AVPacket& packet = *packets[i];
    const AVStream& from = *input.format()->streams[packet.stream_index];
    if (i < first[packet.stream_index] || SecondsOf(packet, from) >= end) continue;
    const int64_t start = from.start_time == AV_NOPTS_VALUE ? 0 : from.start_time;
    const auto shift = start + static_cast<int64_t>(begin / av_q2d(from.time_base));
    if (packet.pts != AV_NOPTS_VALUE) packet.pts -= shift;
    if (packet.dts != AV_NOPTS_VALUE) packet.dts -= shift;
    const AVStream& to = *output.format()->streams[packet.stream_index];
    av_packet_rescale_ts(&packet, from.time_base, to.time_base);
    Need(av_interleaved_write_frame(output.format(), &packet) >= 0, "copying a packet");
  }
  return output.End();
}

}  // namespace unival
