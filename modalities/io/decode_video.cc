#include "modalities/io/decode_video.h"

extern "C" {
#include <libavutil/display.h>
}

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "modalities/io/frame_index.h"
#include "modalities/io/media_container.h"
#include "modalities/io/orientation.h"
#include "modalities/io/picture_writer.h"
#include "modalities/io/pixels.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

constexpr char kExpected[] = "a video";

struct Opened {
  std::unique_ptr<MediaContainer> input;
  AVStream* stream = nullptr;
};

absl::StatusOr<Opened> OpenVideo(const EncodedMedia& file) {
  Opened opened;
  UNIVAL_ASSIGN_OR_RETURN(opened.input, MediaContainer::Open(file, kExpected));
  UNIVAL_ASSIGN_OR_RETURN(opened.stream, opened.input->FindStream(AVMEDIA_TYPE_VIDEO));
  return opened;
}

// Frames that are shown: how many, when the first and the last are, and the greatest time of which
// all steps from frame to frame are multiples.
struct Shown {
  int64_t count = 0;
  int64_t first = AV_NOPTS_VALUE, last = AV_NOPTS_VALUE, tick = 0;

  void Add(int64_t time) {
    ++count;
    if (time == AV_NOPTS_VALUE) return;
    if (last != AV_NOPTS_VALUE) tick = std::gcd(tick, time - last);
    first = first == AV_NOPTS_VALUE ? time : std::min(first, time);
    last = last == AV_NOPTS_VALUE ? time : std::max(last, time);
  }
};

// Decodes all frames.
absl::StatusOr<Shown> CountByDecoding(const EncodedMedia& file) {
  UNIVAL_ASSIGN_OR_RETURN(const Opened video, OpenVideo(file));
  UNIVAL_ASSIGN_OR_RETURN(const auto decoder, video.input->NewDecoder(video.stream));
  decoder->context()->pkt_timebase = video.stream->time_base;
  Shown shown;
  UNIVAL_RETURN_IF_ERROR(DecodeStream(
      *video.input, video.stream, *decoder, [&](const AVFrame& frame) -> absl::StatusOr<bool> {
        shown.Add(frame.best_effort_timestamp);
        if (shown.count <= file.options.max_frames) return true;
        return video.input->Unexpected(
            absl::StrCat("more than ", file.options.max_frames, " frames"),
            "Cut the video or raise max_frames.");
      }));
  return shown;
}

// What the container states, or else what the times of the frames give; 0 when neither is known.
// AVI counts time in frames, or in parts of one: the rest of such frames are empty packets. Where
// the rate varies, its mean: what is stated then is the greatest rate, or a guess of the writer's.
// A few frames that a cut left out do not make it vary.
double FramesPerSecond(const MediaContainer& input, AVStream* stream, const Shown& shown) {
  constexpr double kSame = 0.05, kFewFrames = 2;
  if (input.kind().check == &CheckAvi) {
    return av_q2d(av_inv_q(stream->time_base)) /
           static_cast<double>(std::max<int64_t>(1, shown.tick));
  }
  const AVRational stated = av_guess_frame_rate(input.format(), stream, nullptr);
  const double rate = stated.num > 0 && stated.den > 0 ? av_q2d(stated) : 0;
  if (shown.count < 2 || shown.last <= shown.first) return rate;
  const double seconds = static_cast<double>(shown.last - shown.first) * av_q2d(stream->time_base);
  const auto steps = static_cast<double>(shown.count - 1);
  const bool is_steady = std::abs(rate * seconds - steps) <= std::max(kFewFrames, kSame * steps);
  return rate > 0 && is_steady ? rate : steps / seconds;
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

Orientation OrientationOfVideo(const MediaContainer& input, const AVStream* stream,
                               const AVFrame& frame) {
  if (!input.options().upright) return Orientation::kUpright;
  const AVFrameSideData* own = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  if (own != nullptr && own->size >= 9 * sizeof(int32_t)) {
    return MatrixOrientation(reinterpret_cast<const int32_t*>(own->data));
  }
  size_t bytes = 0;
  const uint8_t* matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
  if (matrix == nullptr || bytes < 9 * sizeof(int32_t)) return Orientation::kUpright;
  return MatrixOrientation(reinterpret_cast<const int32_t*>(matrix));
}

// Writes one decoded frame into all places that want it; allocates the clip at the first.
absl::Status Place(const Opened& video, const AVFrame& frame, const Places& places, int64_t index,
                   at::Tensor& frames) {
  const MediaContainer& input = *video.input;
  const Placement place =
      PlacementOf(OrientationOfVideo(input, video.stream, frame), frame.height, frame.width);
  const int64_t bytes = place.width * place.height * 3;
  const auto total = static_cast<int64_t>(places.size());
  if (!frames.defined()) {
    if (bytes > input.options().max_decoded_bytes / total) {
      return input.Unexpected(absl::StrCat(total, " frames of ", bytes, " bytes"),
                              "Select fewer frames or raise max_decoded_bytes.");
    }
    frames = at::empty({total, place.height, place.width, 3}, at::kByte);
  }
  if (place.height != frames.size(1) || place.width != frames.size(2)) {
    return input.Unexpected("frames of different sizes", "Scale them to one size.");
  }
  const auto [begin, end] = places.equal_range(index);
  uint8_t* data = frames.data_ptr<uint8_t>();
  uint8_t* first = data + begin->second * bytes;
  const absl::Status status = ForEachRgbRow(frame, [&](int64_t row, const uint8_t* rgb) {
    PlaceRgbRow(place, row, rgb, frame.width, first);
  });
  if (!status.ok()) return input.Unexpected(std::string(status.message()), "Convert it to MP4.");
  for (auto it = std::next(begin); it != end; ++it) {
    std::memcpy(data + it->second * bytes, first, bytes);
  }
  return absl::OkStatus();
}

// The selected frames into `frames`. False when a frame is not shown at its time of `times`, where
// there are any.
absl::StatusOr<bool> DecodeSelected(const EncodedMedia& file, const Places& places,
                                    const std::vector<int64_t>& times, at::Tensor& frames) {
  const int64_t last = places.rbegin()->first;
  UNIVAL_ASSIGN_OR_RETURN(const Opened video, OpenVideo(file));
  UNIVAL_ASSIGN_OR_RETURN(const auto decoder, video.input->NewDecoder(video.stream));
  decoder->context()->pkt_timebase = video.stream->time_base;
  int64_t index = 0;
  bool as_indexed = true;
  UNIVAL_RETURN_IF_ERROR(DecodeStream(
      *video.input, video.stream, *decoder, [&](const AVFrame& frame) -> absl::StatusOr<bool> {
        if (!times.empty() && frame.pts != times[index]) as_indexed = false;
        if (!as_indexed) return false;
        if (places.count(index) > 0) {
          UNIVAL_RETURN_IF_ERROR(Place(video, frame, places, index, frames));
        }
        return ++index <= last;
      }));
  if (!as_indexed || (index <= last && !times.empty())) return false;
  if (index > last) return true;
  return TruncatedMedia(
      video.input->Unexpected(absl::StrCat("only ", index, " decodable frames"),
                              "The file is truncated or damaged: write it again."));
}

// Selects among the frames of `shown`. False when the index was wrong.
absl::StatusOr<bool> Select(const EncodedMedia& file, const Opened& video, const Shown& shown,
                            const FrameSelector& select, const std::vector<int64_t>& times,
                            VideoClip& clip) {
  if (shown.count == 0)
    return TruncatedMedia(video.input->Unexpected("no frames", kTruncatedRemedy));
  clip.source_frame_count = shown.count;
  clip.frames_per_second = FramesPerSecond(*video.input, video.stream, shown);
  UNIVAL_ASSIGN_OR_RETURN(
      const Places places,
      WantedFrames(*video.input, select(shown.count, clip.frames_per_second), shown.count));
  clip.frames = at::Tensor();
  return DecodeSelected(file, places, times, clip.frames);
}

}  // namespace

absl::StatusOr<VideoClip> DecodeFrames(const EncodedMedia& file, const FrameSelector& select) {
  VideoClip clip;
  UNIVAL_ASSIGN_OR_RETURN(const Opened video, OpenVideo(file));
  UNIVAL_ASSIGN_OR_RETURN(const FrameIndex index, IndexFrames(*video.input, video.stream));
  if (index.is_certain && !index.times.empty()) {
    Shown shown;
    for (const int64_t time : index.times) shown.Add(time);
    UNIVAL_ASSIGN_OR_RETURN(const bool done, Select(file, video, shown, select, index.times, clip));
    if (done) return clip;
  }
  UNIVAL_ASSIGN_OR_RETURN(const Shown shown, CountByDecoding(file));
  UNIVAL_RETURN_IF_ERROR(Select(file, video, shown, select, {}, clip).status());
  return clip;
}

}  // namespace unival
