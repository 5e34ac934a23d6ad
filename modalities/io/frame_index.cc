#include "modalities/io/frame_index.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Whether a VP9 frame is shown (VP9 bitstream specification, 6.2): marker 2 bits, profile 2, a
// reserved bit in profile 3, show_existing_frame, frame_type, show_frame.
bool IsVp9FrameShown(uint8_t first, uint8_t second) {
  const int bits = first << 8 | second;
  const bool is_profile_3 = (first & 0x30) == 0x30;
  const int shift = is_profile_3 ? 10 : 11;  // of show_existing_frame
  return (bits >> shift & 1) != 0 || (bits >> (shift - 2) & 1) != 0;
}

// A VP9 packet may hold several frames and their sizes behind them (annex B).
int ShownVp9Frames(const uint8_t* data, int size) {
  const uint8_t last = data[size - 1];
  const int count = (last & 7) + 1, bytes = (last >> 3 & 3) + 1, index = 2 + count * bytes;
  if ((last & 0xe0) != 0xc0 || size < index || data[size - index] != last) {
    return IsVp9FrameShown(data[0], size > 1 ? data[1] : 0) ? 1 : 0;
  }
  int shown = 0, at = 0;
  for (int i = 0; i < count; ++i) {
    int frame = 0;
    for (int k = 0; k < bytes; ++k) frame |= data[size - index + 1 + i * bytes + k] << (8 * k);
    if (frame < 1 || frame > size - index - at) return -1;
    shown += IsVp9FrameShown(data[at], frame > 1 ? data[at + 1] : 0) ? 1 : 0;
    at += frame;
  }
  return shown;
}

// One packet is one frame in these containers, for these codecs.
bool IsFrameByFrame(const Container& container, AVCodecID codec) {
  switch (codec) {
    case AV_CODEC_ID_MJPEG:
    case AV_CODEC_ID_FFV1:
    case AV_CODEC_ID_RAWVIDEO:
    case AV_CODEC_ID_HUFFYUV:
      return true;
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_MPEG4:
    case AV_CODEC_ID_AV1:
    case AV_CODEC_ID_VP8:
    case AV_CODEC_ID_VP9:
      return container.check == &CheckMp4 || container.check == &CheckMatroska;
    default:
      return false;
  }
}

}  // namespace

int ShownFrames(AVCodecID codec, const uint8_t* data, int size) {
  constexpr int kSmallestCoded = 16;  // a frame "as before" of MPEG-4 is smaller, and not shown
  if (size < 1) return 0;
  if (codec == AV_CODEC_ID_VP8) return data[0] >> 4 & 1;  // RFC 6386, 9.1
  if (codec == AV_CODEC_ID_VP9) return ShownVp9Frames(data, size);
  if (codec == AV_CODEC_ID_MPEG4 && size < kSmallestCoded) return -1;
  return 1;
}

absl::StatusOr<FrameIndex> IndexFrames(MediaContainer& input, const AVStream* stream) {
  FrameIndex index;
  const AVCodecID codec = stream->codecpar->codec_id;
  index.is_certain = IsFrameByFrame(input.kind(), codec);
  FfmpegPtr<AVPacket> packet(av_packet_alloc());
  const int64_t most = input.options().max_frames;
  while (true) {
    UNIVAL_ASSIGN_OR_RETURN(const bool more, input.ReadPacket(stream, packet.get()));
    if (!more) break;
    if (packet->size == 0) continue;
    if (++index.packets > 2 * most) break;
    if ((packet->flags & AV_PKT_FLAG_DISCARD) != 0 || !index.is_certain) continue;
    const int shown = ShownFrames(codec, packet->data, packet->size);
    if (shown == 0) continue;
    index.is_certain = shown == 1 && packet->pts != AV_NOPTS_VALUE;
    index.times.push_back(packet->pts);
  }
  if (static_cast<int64_t>(index.times.size()) > most || index.packets > 2 * most) {
    return input.Unexpected(absl::StrCat("more than ", most, " frames"),
                            "Cut the video or raise max_frames.");
  }
  std::sort(index.times.begin(), index.times.end());
  if (std::adjacent_find(index.times.begin(), index.times.end()) != index.times.end()) {
    index.is_certain = false;
  }
  return index;
}

}  // namespace unival
