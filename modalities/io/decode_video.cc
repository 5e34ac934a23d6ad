#include "modalities/io/decode_video.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "modalities/io/media_container.h"
#include "modalities/io/pixels.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr char kExpected[] = "a video";

struct Opened {
  std::unique_ptr<MediaContainer> input;
  AVStream* stream = nullptr;
};

absl::StatusOr<Opened> OpenVideo(const MediaSource& source, const DecoderOptions& options) {
  Opened opened;
  UNIVAL_ASSIGN_OR_RETURN(opened.input, MediaContainer::Open(source, options, kExpected));
  if (opened.input->is_still_image()) {
    return opened.input->Unexpected(absl::StrCat("an image (", opened.input->format_name(), ")"),
                                    "Use an image modality.");
  }
  UNIVAL_ASSIGN_OR_RETURN(opened.stream, opened.input->FindStream(AVMEDIA_TYPE_VIDEO));
  return opened;
}

// Frames of the stream by counting its packets, which is exact where headers only estimate.
absl::StatusOr<int64_t> CountFrames(Opened& video, int64_t max_frames) {
  FfmpegPtr<AVPacket> packet(av_packet_alloc());
  int64_t count = 0;
  while (true) {
    UNIVAL_ASSIGN_OR_RETURN(const bool more, video.input->ReadPacket(video.stream, packet.get()));
    if (!more) break;
    if (++count > max_frames) {
      return video.input->Unexpected(absl::StrCat("more than ", max_frames, " frames"),
                                     "Cut the video or raise max_frames.");
    }
  }
  if (count == 0 || count < video.stream->nb_frames) {
    return video.input->Unexpected(
        absl::StrCat(count, " of ", std::max<int64_t>(video.stream->nb_frames, 1), " frames"),
        "The file is truncated: write it again.");
  }
  return count;
}

// Places of the output by frame index.
using Places = std::multimap<int64_t, int64_t>;

absl::StatusOr<Places> WantedFrames(const MediaContainer& input,
                                    const std::vector<int64_t>& selected, int64_t count) {
  Places places;
  for (size_t place = 0; place < selected.size(); ++place) {
    if (selected[place] < 0 || selected[place] >= count) {
      return absl::OutOfRangeError(absl::StrCat(input.name(), ": frame ", selected[place],
                                                " was selected, the video has ", count));
    }
    places.emplace(selected[place], static_cast<int64_t>(place));
  }
  if (places.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(input.name(), ": no frame was selected"));
  }
  return places;
}

// Writes one decoded frame into all places that want it; allocates the clip at the first.
absl::Status Place(const MediaContainer& input, const DecoderOptions& options, const AVFrame& frame,
                   const Places& places, int64_t index, at::Tensor& frames) {
  const int64_t bytes = int64_t{frame.width} * frame.height * 3;
  const auto total = static_cast<int64_t>(places.size());
  if (!frames.defined()) {
    if (bytes > options.max_decoded_bytes / total) {
      return input.Unexpected(absl::StrCat(total, " frames of ", bytes, " bytes"),
                              "Select fewer frames or raise max_decoded_bytes.");
    }
    frames = at::empty({total, frame.height, frame.width, 3}, at::kByte);
  }
  if (frame.height != frames.size(1) || frame.width != frames.size(2)) {
    return input.Unexpected("frames of different sizes", "Scale them to one size.");
  }
  const auto [begin, end] = places.equal_range(index);
  uint8_t* data = frames.data_ptr<uint8_t>();
  uint8_t* first = data + begin->second * bytes;
  const absl::Status status = WriteRgb8(frame, first);
  if (!status.ok()) return input.Unexpected(std::string(status.message()), "Convert it to MP4.");
  for (auto it = std::next(begin); it != end; ++it) {
    std::memcpy(data + it->second * bytes, first, bytes);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<VideoClip> DecodeFrames(const MediaSource& source, const FrameSelector& select,
                                       const DecoderOptions& options) {
  VideoClip clip;
  UNIVAL_ASSIGN_OR_RETURN(Opened counted, OpenVideo(source, options));
  UNIVAL_ASSIGN_OR_RETURN(clip.source_frame_count, CountFrames(counted, options.max_frames));
  const AVRational rate = av_guess_frame_rate(counted.input->format(), counted.stream, nullptr);
  clip.frames_per_second = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
  UNIVAL_ASSIGN_OR_RETURN(
      const Places places,
      WantedFrames(*counted.input, select(clip.source_frame_count, clip.frames_per_second),
                   clip.source_frame_count));
  const int64_t last = places.rbegin()->first;

  UNIVAL_ASSIGN_OR_RETURN(Opened video, OpenVideo(source, options));
  const AVCodecParameters* parameters = video.stream->codecpar;
  UNIVAL_ASSIGN_OR_RETURN(auto decoder,
                          StreamDecoder::Create(video.input->name(), kExpected, options,
                                                parameters->codec_id, parameters));
  int64_t index = 0;
  UNIVAL_RETURN_IF_ERROR(DecodeStream(
      *video.input, video.stream, *decoder, [&](const AVFrame& frame) -> absl::StatusOr<bool> {
        if (places.count(index) > 0) {
          UNIVAL_RETURN_IF_ERROR(Place(*video.input, options, frame, places, index, clip.frames));
        }
        return ++index <= last;
      }));
  if (index <= last) {
    return video.input->Unexpected(
        absl::StrCat("only ", index, " decodable frames of ", clip.source_frame_count),
        "The file is truncated or damaged: write it again.");
  }
  return clip;
}

}  // namespace unival
